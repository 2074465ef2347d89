"""Which provider answers, what is counted, and what is told."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from generated.metrics import make_metrics
from impl.llm.availability import Bounds
from impl.llm.errors import LLMError
from impl.llm.port import Choice, Turn
from impl.llm.router import LLMRouter, Outage
from tests import fake_llm as llms
from tests.fake_llm import FakeLLM, chooses, fails, hangs, says
from tests.integration.llm.clients import MEANINGS, router

TEXT = "canary of what a user said about the weather"
TURNS = [Turn("user", TEXT)]
FEW = Bounds(calls=10)


async def ask(router: LLMRouter, number: int = 0) -> Choice | LLMError:
    try:
        return await router.classify(f"{TEXT} {number}", MEANINGS, subsystem="routing")
    except LLMError as error:
        return error


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  # of another task
            await asyncio.sleep(0.005)


@dataclass
class Told:
    outages: list[Outage] = field(default_factory=list)

    def __call__(self, outage: Outage) -> None:
        self.outages.append(outage)


async def test_while_it_is_there_the_first_answers(llm: FakeLLM) -> None:
    llm.will(chooses("time"))
    async with router(llm) as found:
        for number in range(50):
            choice = await ask(found, number)
            assert isinstance(choice, Choice)
            assert (choice.tag, choice.provider) == ("time", "openai")


async def test_below_97_percent_the_other_answers_and_it_is_told_once(llm: FakeLLM) -> None:
    told = Told()
    llm.will(*[chooses("time")] * 32, fails(500), fails(500))
    with capture_logs() as logs:
        async with router(llm, on_outage=told) as found:
            llm.healthy = False
            for number in range(33):  # 32 good of 33 is 97 %
                await ask(found, number)
            assert told.outages == []
            await ask(found, 33)  # 32 of 34 is less
            (outage,) = told.outages
            asked = len(llm.requests)
            for number in range(20):
                choice = await ask(found, 100 + number)
                assert isinstance(choice, Choice)
                assert (choice.tag, choice.provider) == ("weather", "local")
            assert len(llm.requests) == asked
    assert (outage.provider, outage.fallback, outage.error.code) == (
        "openai",
        "local",
        "unavailable",
    )
    assert (outage.counted.calls, outage.counted.good) == (34, 32)
    assert len(told.outages) == 1
    lines = [line for line in logs if line["event"] == "llm_unavailable"]
    assert len(lines) == 1
    assert TEXT not in str(logs)


async def test_the_first_comes_back_by_a_good_probe_and_one_good_call(llm: FakeLLM) -> None:
    told = Told()
    llm.will(fails(500))
    llm.healthy = False
    with capture_logs() as logs:
        async with router(llm, bounds=FEW, on_outage=told) as found:
            for number in range(10):
                await ask(found, number)
            looks = llm.looks
            await until(lambda: llm.looks > looks + 2)  # it is probed, in vain
            assert (await answered_by(found)) == "local"
            llm.healthy = True  # but it answers no better
            await until(lambda: found._standing.state.name == "PROBED")
            tried = len(llm.requests)
            assert isinstance(await ask(found, 50), LLMError)  # the trial
            assert (await answered_by(found)) == "local"
            assert len(llm.requests) == tried + 1
            llm.will(chooses("time"))
            await until(lambda: found._standing.state.name == "PROBED")
            assert [await answered_by(found, n) for n in (1, 2, 3)] == ["openai"] * 3
    assert len(told.outages) == 1
    events = [
        line["event"] for line in logs if line["event"] in {"llm_unavailable", "llm_recovered"}
    ]
    assert events == ["llm_unavailable", "llm_recovered"]


async def answered_by(found: LLMRouter, number: int = 0) -> str:
    choice = await ask(found, 1000 + number)
    assert isinstance(choice, Choice)
    return choice.provider


async def test_a_second_outage_is_told_again(llm: FakeLLM) -> None:
    told = Told()
    async with router(llm, bounds=FEW, on_outage=told) as found:
        for _ in range(2):
            llm.will(fails(500))
            for number in range(10):
                await ask(found, number)
            llm.will(chooses("time"))
            await until(lambda: found._standing.state.name == "PROBED")
            assert await answered_by(found) == "openai"
    assert len(told.outages) == 2


async def test_while_it_is_away_the_other_says_a_sentence_and_writes_no_code(llm: FakeLLM) -> None:
    llm.will(fails(500))
    llm.healthy = False
    async with router(llm, bounds=Bounds(calls=1)) as found:
        await ask(found)
        said = await found.invoke(TURNS, subsystem="text_reply", language="ru")
        assert said.text.startswith("Сообщение получено")
        with pytest.raises(LLMError, match="not_supported"):
            await found.generate_code("Print one.", "python", subsystem="other")


async def test_a_caller_who_leaves_takes_no_trial_away(llm: FakeLLM) -> None:
    llm.will(fails(500))
    async with router(llm, bounds=Bounds(calls=1)) as found:
        await ask(found)
        await until(lambda: found._standing.state.name == "PROBED")
        llm.will(hangs)
        llm.asked.clear()
        leaving = asyncio.create_task(found.invoke(TURNS, subsystem="other"))
        await llm.asked.wait()
        assert await answered_by(found) == "local"
        leaving.cancel()
        await asyncio.wait([leaving])
        llm.will(chooses("time"))
        assert await answered_by(found, 2) == "openai"


async def test_used_up_tokens_ask_nobody(llm: FakeLLM) -> None:
    told = Told()
    llm.will(chooses("time"))  # 18 tokens
    bounds = Bounds(calls=1)
    with capture_logs() as logs:
        async with router(llm, limits={"routing": 30}, bounds=bounds, on_outage=told) as found:
            assert isinstance(await ask(found, 1), Choice)
            assert isinstance(await ask(found, 2), Choice)
            for number in (3, 4):
                error = await ask(found, number)
                assert isinstance(error, LLMError)
                assert (error.code, error.error.retryable) == ("quota_exceeded", True)
            assert len(llm.requests) == 2
            # Of one subsystem alone, and no outage of the model's.
            llm.will(says("Hello."))
            assert (await found.invoke(TURNS, subsystem="text_reply")).text == "Hello."
            assert told.outages == []
    assert [line["event"] for line in logs].count("llm_quota_exceeded") == 1


async def test_what_could_not_be_used_is_charged_too(llm: FakeLLM) -> None:
    llm.will(chooses("admin"))
    async with router(llm, limits={"routing": 18}) as found:
        for code in ("invalid_answer", "quota_exceeded"):
            error = await ask(found)
            assert isinstance(error, LLMError)
            assert error.code == code


async def test_a_server_that_does_not_count_is_charged_by_characters(llm: FakeLLM) -> None:
    llm.will(says("x" * 400, usage=None))
    async with router(llm, limits={"other": 100}) as found:
        await found.invoke([Turn("user", "y" * 4)], subsystem="other")
        with pytest.raises(LLMError, match="quota_exceeded"):
            await found.invoke(TURNS, subsystem="other")


async def test_tokens_come_back_with_the_next_window(llm: FakeLLM) -> None:
    llm.will(chooses("time"))
    now = [1000.0]
    async with router(llm, limits={"routing": 1}, window=60, clock=lambda: now[0]) as found:
        assert isinstance(await ask(found, 1), Choice)
        assert isinstance(await ask(found, 2), LLMError)
        now[0] += 60
        assert isinstance(await ask(found, 3), Choice)


async def test_calls_tokens_and_errors_are_counted(llm: FakeLLM) -> None:
    metrics = make_metrics()
    llm.will(chooses("time"), fails(429), chooses("admin"))
    async with router(llm, metrics=metrics) as found:
        for number in range(3):
            await ask(found, number)
        await found.health()

    def value(name: str, **labels: str) -> float | None:
        labels |= {"provider": "openai"}
        return metrics.registry.get_sample_value(name, labels)

    requests: dict[str, Any] = {"subsystem": "routing", "operation": "classify"}
    assert value("llm_requests_total", **requests, outcome="ok") == 1
    assert value("llm_requests_total", **requests, outcome="failed") == 2
    assert value("llm_requests_total", subsystem="other", operation="health", outcome="ok") == 1
    assert value("llm_errors_total", subsystem="routing", code="rate_limited") == 1
    assert value("llm_errors_total", subsystem="routing", code="invalid_answer") == 1
    assert value("llm_tokens_total", subsystem="routing", kind="prompt") == 22  # rubbish costs too
    assert value("llm_tokens_total", subsystem="routing", kind="completion") == 14
    mistakes = {"metric": "llm_requests_total"}
    mistaken = metrics.registry.get_sample_value("botcore_metric_mistakes_total", mistakes)
    assert mistaken in (None, 0)


SECRET = "sk-abcdefghijkl0123456789"


@pytest.mark.parametrize(
    "behaviour",
    [chooses("time"), chooses("admin"), says(f"{llms.KEY} {SECRET}"), fails(500), fails(400)],
    ids=["good", "bad", "free text", "500", "400"],
)
async def test_without_being_asked_it_writes_down_no_text(
    llm: FakeLLM,
    behaviour: llms.Behaviour,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    llm.will(behaviour)
    async with router(llm) as found:
        await ask(found)
    output = "".join((*capfd.readouterr(), caplog.text))
    assert "llm_call" in output
    for secret in (TEXT, llms.KEY, SECRET):
        assert secret not in output


async def test_asked_to_it_writes_down_2_kb_of_each_without_secrets(llm: FakeLLM) -> None:
    long = f"{SECRET} says {llms.KEY} " + "привет " * 1000
    llm.will(says(long))
    with capture_logs() as logs:
        async with router(llm, on=True) as found:
            await found.invoke([Turn("user", long)], subsystem="other")
            llm.will(fails(400))
            with pytest.raises(LLMError):
                await found.invoke([Turn("user", f"short {SECRET}")], subsystem="other")
    bodies = [line["body"] for line in logs if line["event"] in {"llm_request", "llm_response"}]
    assert len(bodies) == 4
    for body in bodies:
        assert len(body.encode()) <= 2048
        assert "***" in body
        assert SECRET not in body
        assert llms.KEY not in body
    assert "привет" in bodies[0]
    assert len(bodies[0].encode()) > 2000
