"""The plugin with a model, which answers well, badly or not at all."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from impl.llm import retries
from impl.llm.sentences import MODEL_UNAVAILABLE
from tests import fake_llm as llms
from tests.fake_llm import (
    FakeLLM,
    drops,
    fails,
    fake_llm,
    hangs,
    says,
    sends,
)
from tests.integration.text_reply.fake_core import REGISTRY_KEY, FakeCore, fake_core
from tests.integration.text_reply.running import Plugin, invocation, running
from tests.patience import PATIENT_SECONDS

SECRET = "canary of what a user said"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def core() -> AsyncIterator[FakeCore]:
    async with fake_core() as core:
        yield core


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[FakeLLM]:
    async with fake_llm() as llm:
        yield llm


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def plugin(core: FakeCore, server: FakeLLM) -> AsyncIterator[Plugin]:
    async with running(core, server, llm_timeout_seconds=100) as plugin:
        yield plugin


@pytest.fixture
def llm(server: FakeLLM) -> FakeLLM:
    server.forget()
    return server


async def test_the_model_answers(plugin: Plugin, llm: FakeLLM) -> None:
    llm.will(says("Sunny, 24 degrees."))

    answer = await plugin.invoke(invocation("And today?"))

    assert answer.json["text"] == "Sunny, 24 degrees."
    assert answer.json["usage"] == llms.USAGE | {
        "provider": "openai",
        "model": llms.MODEL,
        "cost_usd": None,
    }
    assert 0 < answer.json["confidence"] <= 1


async def test_the_model_is_asked_by_name_with_the_key_and_the_history(
    plugin: Plugin, llm: FakeLLM
) -> None:
    said = {
        "sender_type": "plugin",
        "payload": {"type": "text", "text": "Which city?"},
        "created_at": datetime.now(UTC).isoformat(),
    }
    context = {"messages": [said], "locale": "ru", "metadata": {}}

    await plugin.invoke(invocation("Berlin", context=context))

    (request,) = llm.requests
    assert request["model"] == llms.MODEL
    assert [turn["role"] for turn in request["messages"]] == ["system", "assistant", "user"]
    assert '"ru"' in request["messages"][0]["content"]
    assert request["messages"][2]["content"] == "Berlin"
    assert llm.keys == [f"Bearer {llms.KEY}"]


async def test_a_server_without_keys_needs_none(llm: FakeLLM) -> None:
    async with fake_core() as core, running(core, llm, llm_api_key=None) as plugin:
        await plugin.invoke(invocation())

    assert llm.keys == ["Bearer none"]


async def test_concurrent_duplicates_ask_the_model_once(plugin: Plugin, llm: FakeLLM) -> None:
    llm.go.clear()
    request = invocation()
    calls = [asyncio.create_task(plugin.invoke(request)) for _ in range(5)]
    await llm.asked.wait()
    await plugin.core.until(lambda: plugin.core.heartbeats[-1]["queue_depth"] == 1)
    llm.go.set()

    answers = await asyncio.gather(*calls)

    assert len({answer.content for answer in answers}) == 1
    assert len(llm.requests) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_failure_that_may_pass_is_retried_twice(
    plugin: Plugin, llm: FakeLLM, status: int
) -> None:
    llm.will(fails(status), fails(status), says("At last."))

    answer = await plugin.invoke(invocation())

    assert answer.json["text"] == "At last."
    assert len(llm.requests) == 3


@pytest.mark.parametrize("behaviour", [fails(500), fails(429), drops])
async def test_after_the_second_retry_a_sentence_is_prepared(
    plugin: Plugin, llm: FakeLLM, behaviour: llms.Behaviour
) -> None:
    llm.will(behaviour)

    answer = await plugin.invoke(invocation(locale="ru"))

    assert answer.json["text"] == MODEL_UNAVAILABLE["ru"]
    assert len(llm.requests) == 3


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (fails(400), "status_400"),
        (fails(401), "status_401"),
        (fails(404), "status_404"),
        (fails(307, Location="/v1/elsewhere"), "status_307"),
        (fails(429, Retry_After="600"), "status_429"),  # later than anyone waits
        (sends("{rubbish"), "unreadable_answer"),
        (sends("<html>", "text/html"), "unreadable_answer"),
        (sends('{"choices": []}'), "unreadable_answer"),
        (says(None), "unreadable_answer"),
        (says(" \x00 "), "empty_answer"),
    ],
)
async def test_a_failure_that_would_repeat_itself_is_not_retried(
    plugin: Plugin, llm: FakeLLM, behaviour: llms.Behaviour, reason: str
) -> None:
    llm.will(behaviour)

    with capture_logs() as logs:
        answer = await plugin.invoke(invocation())

    assert answer.json["text"] == MODEL_UNAVAILABLE["en"]
    assert len(llm.requests) == 1
    assert [log["reason"] for log in logs if log["event"] == "model_unavailable"] == [reason]


async def test_a_hanging_model_is_left_at_our_timeout(llm: FakeLLM) -> None:
    llm.will(hangs)
    async with fake_core() as core, running(core, llm, llm_timeout_seconds=0.3) as plugin:
        began = time.monotonic()
        async with asyncio.timeout(30):  # the model never answers, and its client waits for minutes
            answer = await plugin.invoke(invocation())

    assert answer.json["text"] == MODEL_UNAVAILABLE["en"]
    assert time.monotonic() - began > 0.25
    assert len(llm.requests) == 1


@pytest.mark.parametrize(("deadline", "left"), [(400, {}), (120_000, {"X_Deadline_Ms": "400"})])
async def test_a_hanging_model_is_left_before_the_cores_deadline(
    plugin: Plugin, llm: FakeLLM, deadline: int, left: dict[str, str]
) -> None:
    llm.will(hangs)

    began = time.monotonic()
    answer = await plugin.invoke(invocation(deadline_ms=deadline), **left)

    assert answer.json["text"] == MODEL_UNAVAILABLE["en"]
    assert time.monotonic() - began < PATIENT_SECONDS  # our own timeout is 100


async def test_retries_end_at_the_deadline(
    plugin: Plugin, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt would begin after it."""
    for pause in ("FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(retries, pause, PATIENT_SECONDS)
    llm.will(fails(500))

    await plugin.invoke(invocation(deadline_ms=30_000))

    assert len(llm.requests) == 1


async def test_a_failed_model_does_not_change_a_given_answer(plugin: Plugin, llm: FakeLLM) -> None:
    llm.will(fails(400))
    request = invocation()
    first = await plugin.invoke(request)
    llm.will(says("Now."))

    assert (await plugin.invoke(request)).content == first.content
    assert (await plugin.invoke(invocation())).json["text"] == "Now."


async def test_what_the_contract_forbids_is_cut_from_the_answer(
    plugin: Plugin, llm: FakeLLM
) -> None:
    llm.will(says("a\x00b" + "x" * 5000))

    text = (await plugin.invoke(invocation())).json["text"]

    assert text.startswith("abx")
    assert len(text) == 4096


async def test_heartbeats_report_answers_and_failures(llm: FakeLLM) -> None:
    llm.will(fails(400), says("Hello."))
    async with fake_core() as core, running(core, llm) as plugin:
        for _ in range(2):
            await plugin.invoke(invocation())
        count = len(core.heartbeats)
        await core.until(lambda: len(core.heartbeats) > count + 1)

    report = core.heartbeats[-1]
    assert report["metrics"] == {"answers_total": 2, "model_failures_total": 1}
    assert report["latency_ms"] > 0
    assert report["queue_depth"] == 0


async def test_proxies_of_the_environment_are_not_asked(
    llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)

    async with fake_core() as core, running(core, llm) as plugin:
        answer = await plugin.invoke(invocation())

    assert answer.json["text"] == "Hello."


@pytest.mark.parametrize("behaviour", [says(SECRET), fails(400), fails(500), drops, sends(SECRET)])
async def test_neither_keys_nor_messages_are_logged(
    plugin: Plugin,
    llm: FakeLLM,
    behaviour: llms.Behaviour,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    llm.will(behaviour)

    await plugin.invoke(invocation(SECRET))
    await plugin.invoke(invocation(SECRET), "bc_invoke_canary_wrong")
    await plugin.invoke(invocation(SECRET), X_Invocation_Id=str(uuid4()))

    output = "".join((*capfd.readouterr(), caplog.text))
    assert "answered" in output
    for secret in (SECRET, llms.KEY, REGISTRY_KEY, "bc_invoke_canary", "bc_plugin_canary"):
        assert secret not in output


async def test_a_mistake_of_ours_is_told_without_the_message_and_forgotten(
    plugin: Plugin, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(_context: object, text: str) -> None:
        raise LookupError(text)

    request = invocation(SECRET)
    with monkeypatch.context() as patch:
        patch.setattr("impl.text_reply.answers.conversation", broken)
        answer = await plugin.invoke(request)
    output = "".join(capfd.readouterr())

    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert "LookupError" in output
    assert SECRET not in output
    assert (await plugin.invoke(request)).json["text"] == "Hello."
