"""Choices that are kept, and tokens that all instances count together: in a real Redis, or not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from structlog.testing import capture_logs

from generated.metrics import make_metrics
from impl.degraded.gate import Gate
from impl.llm.errors import LLMError
from impl.llm.port import Choice
from impl.llm.quotas import Quotas
from impl.llm.redis_state import RedisState
from impl.llm.router import LLMRouter
from impl.llm.shared import AwayError
from impl.redis import request_client
from impl.routing.classifier.port import Meanings
from tests.fake_llm import FakeLLM, chooses, fails
from tests.integration.llm.clients import LATER, MEANINGS, router
from tests.patience import PATIENT_SECONDS
from tests.stack import settings_for
from tests.wire import Line, line_before

TEXT = "canary: will it rain?"


def client(url: str) -> Redis:
    return request_client(settings_for("postgresql://x", url))


@pytest_asyncio.fixture
async def redis(valkey: str) -> AsyncIterator[Redis]:
    found = client(valkey)
    await found.flushdb()
    yield found
    await found.flushdb()
    await found.aclose()


@pytest.fixture
def shared(redis: Redis) -> RedisState:
    return RedisState(Gate(redis, PATIENT_SECONDS))


@pytest_asyncio.fixture
async def line(valkey: str) -> AsyncIterator[Line]:
    async with line_before(valkey) as line:
        yield line


async def ask(found: LLMRouter, text: str = TEXT, meanings: Meanings = MEANINGS) -> Choice:
    return await found.classify(text, meanings, subsystem="routing")


@pytest.mark.parametrize(
    "same",
    [TEXT, TEXT.upper(), f"  {TEXT}\n", "canary:  will\tit   rain?", "ｃａｎａｒｙ: will it rain?"],  # noqa: RUF001  # the wide form is the point
    ids=["equal", "case", "ends", "spaces", "width"],
)
async def test_equal_messages_are_asked_about_once(
    llm: FakeLLM, shared: RedisState, same: str
) -> None:
    llm.will(chooses("weather", 0.7))
    metrics = make_metrics()
    async with router(llm, shared=shared, cache_seconds=60, metrics=metrics) as found:
        first, second = await ask(found), await ask(found, same)
    assert (first.tag, first.confidence) == (second.tag, second.confidence) == ("weather", 0.7)
    assert len(llm.requests) == 1
    labels = {"provider": "openai", "subsystem": "routing", "operation": "classify"}
    cached = metrics.registry.get_sample_value(
        "llm_requests_total", {**labels, "outcome": "cached"}
    )
    assert cached == 1


async def test_no_tag_is_kept_too(llm: FakeLLM, shared: RedisState) -> None:
    llm.will(chooses(None, 0.9))
    async with router(llm, shared=shared, cache_seconds=60) as found:
        assert [(await ask(found)).tag for _ in range(2)] == [None, None]
    assert len(llm.requests) == 1


async def test_another_instance_knows_it(llm: FakeLLM, shared: RedisState) -> None:
    llm.will(chooses("weather"))
    for _ in range(2):
        async with router(llm, shared=shared, cache_seconds=60) as found:
            await ask(found)
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    ("text", "meanings"),
    [("another message", MEANINGS), (TEXT, LATER)],
    ids=["message", "catalogue"],
)
async def test_another_message_or_catalogue_is_asked_about_again(
    llm: FakeLLM, shared: RedisState, text: str, meanings: Meanings
) -> None:
    llm.will(chooses("weather"))
    async with router(llm, shared=shared, cache_seconds=60) as found:
        await ask(found)
        await ask(found, text, meanings)
    assert len(llm.requests) == 2


async def test_without_the_setting_nothing_is_kept(
    llm: FakeLLM, shared: RedisState, redis: Redis
) -> None:
    llm.will(chooses("weather"))
    async with router(llm, shared=shared) as found:
        await ask(found)
        await ask(found)
    assert len(llm.requests) == 2
    assert await redis.keys("*") == []


async def test_it_is_kept_for_its_time_and_without_a_text(
    llm: FakeLLM, shared: RedisState, redis: Redis
) -> None:
    llm.will(chooses("weather"))
    limits = {"routing": 1000}
    async with router(llm, shared=shared, cache_seconds=60, limits=limits) as found:
        await ask(found)
    keys = [str(key) for key in await redis.keys("*")]
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis.ttl(key) <= 3600
        assert "canary" not in f"{key} {await redis.get(key)!s}"
    (kept,) = [key for key in keys if key.startswith("llm:classify:")]
    assert 0 < await redis.ttl(kept) <= 60


async def test_a_failure_is_not_kept(llm: FakeLLM, shared: RedisState) -> None:
    llm.will(fails(400), fails(400), fails(400), chooses("weather"))
    async with router(llm, shared=shared, cache_seconds=60) as found:
        with pytest.raises(LLMError):
            await ask(found)
        assert (await ask(found)).tag == "weather"


@pytest.mark.parametrize(
    "value",
    ["", "rubbish", '{"tag": "admin", "confidence": 1}', '{"tag": "weather"}'],
    ids=range(4),
)
async def test_what_somebody_put_there_is_not_believed(
    llm: FakeLLM, shared: RedisState, redis: Redis, value: str
) -> None:
    llm.will(chooses("weather"))
    async with router(llm, shared=shared, cache_seconds=60) as found:
        await ask(found)
        (key,) = await redis.keys("llm:classify:*")
        await redis.set(key, value)
        assert (await ask(found)).tag == "weather"
    assert len(llm.requests) == 2


async def test_equal_messages_at_once_are_one_call(llm: FakeLLM) -> None:
    llm.will(chooses("weather"))
    llm.go.clear()
    async with router(llm) as found:
        calls = [asyncio.create_task(ask(found)) for _ in range(20)]
        await llm.asked.wait()
        calls[0].cancel()  # who leaves takes the answer from nobody
        llm.go.set()
        answers = await asyncio.gather(*calls[1:])
    assert {answer.tag for answer in answers} == {"weather"}
    assert len(llm.requests) == 1


@pytest.mark.parametrize(("how", "seconds"), [("cut", PATIENT_SECONDS), ("stall", 0.25)])
async def test_without_redis_nothing_is_kept_and_nothing_fails(
    llm: FakeLLM, line: Line, how: str, seconds: float
) -> None:
    llm.will(chooses("weather"))
    redis = client(line.url)
    getattr(line, how)()
    with capture_logs() as logs:
        shared = RedisState(Gate(redis, seconds))
        limits = {"routing": 10**6}
        async with router(llm, shared=shared, cache_seconds=60, limits=limits) as found:
            for _ in range(3):
                assert (await ask(found)).tag == "weather"
    await redis.aclose()
    assert len(llm.requests) == 3
    assert [line["event"] for line in logs].count("redis_away") == 1


async def test_it_is_asked_again_once_the_gate_found_it_back(line: Line) -> None:
    redis = client(line.url)
    gate = Gate(redis, PATIENT_SECONDS)
    shared = RedisState(gate)

    async def ping() -> Any:
        return await shared.ask(lambda redis: redis.get("x"))

    line.cut()
    with pytest.raises(AwayError):
        await ping()
    line.mend()
    assert [shared.away] == [True]
    with pytest.raises(AwayError):
        await ping()  # nobody looks yet
    await gate.look()
    assert await ping() is None
    assert [shared.away] == [False]
    await redis.aclose()


async def test_all_instances_count_together(llm: FakeLLM, redis: Redis) -> None:
    llm.will(chooses("weather"))  # 18 tokens
    limits = {"routing": 40}
    async with (
        router(llm, shared=RedisState(Gate(redis, PATIENT_SECONDS)), limits=limits) as one,
        router(llm, shared=RedisState(Gate(redis, PATIENT_SECONDS)), limits=limits) as other,
    ):
        await ask(one, "1")
        await ask(other, "2")
        await ask(one, "3")
        with pytest.raises(LLMError, match="quota_exceeded"):
            await ask(other, "4")
    assert 0 < await redis.ttl("llm:tokens:routing") <= 3600
    assert await redis.get("llm:tokens:routing") == "54"


async def test_without_redis_each_counts_for_itself(llm: FakeLLM, line: Line) -> None:
    llm.will(chooses("weather"))
    redis = client(line.url)
    line.cut()
    shared = RedisState(Gate(redis, PATIENT_SECONDS))
    quotas = Quotas({"routing": 1}, 60, shared)
    assert [quotas.alone] == [False]
    async with router(llm, shared=shared, limits={"routing": 18}) as found:
        await ask(found, "1")
        assert [quotas.alone] == [True]
        with pytest.raises(LLMError, match="quota_exceeded"):
            await ask(found, "2")
    await redis.aclose()


async def test_a_key_that_is_not_ours_stops_nobody(llm: FakeLLM, redis: Redis) -> None:
    llm.will(chooses("weather"))
    await redis.set("llm:tokens:routing", "rubbish")
    gate = Gate(redis, PATIENT_SECONDS)
    async with router(llm, shared=RedisState(gate), limits={"routing": 18}) as found:
        await ask(found, "1")
        with pytest.raises(LLMError, match="quota_exceeded"):  # by its own count
            await ask(found, "2")
    assert not gate.away  # it answered, and all else may go on
