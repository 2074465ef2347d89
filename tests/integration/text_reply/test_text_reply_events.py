"""What the plugin reports to the core while its model is away."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from impl.llm.sentences import MODEL_UNAVAILABLE
from impl.text_reply import core_api
from impl.text_reply.service import make_server, opened, run
from tests.fake_llm import FakeLLM, fails, fake_llm, says
from tests.integration.text_reply.fake_core import PLUGIN_ID, FakeCore, fake_core
from tests.integration.text_reply.running import Plugin, invocation, running, settings
from tests.patience import PATIENT_SECONDS
from tests.stack import running_api, settings_for

SECRET = "canary of what a user said"
EVENT = "plugin_custom_llm_unavailable"


@pytest_asyncio.fixture
async def core() -> AsyncIterator[FakeCore]:
    async with fake_core() as core:
        yield core


@pytest_asyncio.fixture
async def llm() -> AsyncIterator[FakeLLM]:
    async with fake_llm() as llm:
        yield llm


@pytest_asyncio.fixture
async def plugin(core: FakeCore, llm: FakeLLM) -> AsyncIterator[Plugin]:
    async with running(core, llm) as plugin:
        yield plugin


async def some_heartbeats(core: FakeCore) -> None:
    """Time in which whatever else was to be sent would have been."""
    count = len(core.heartbeats)
    await core.until(lambda: len(core.heartbeats) > count + 2)


async def test_an_outage_is_reported_once_and_without_what_was_said(
    plugin: Plugin, core: FakeCore, llm: FakeLLM
) -> None:
    llm.will(fails(400))
    answers = await asyncio.gather(*(plugin.invoke(invocation(SECRET)) for _ in range(5)))
    assert {answer.json["text"] for answer in answers} == {MODEL_UNAVAILABLE["en"]}
    await core.until(lambda: bool(core.events))
    await plugin.invoke(invocation(SECRET))
    await some_heartbeats(core)

    (event,) = core.events
    assert (event["event_type"], event["severity"]) == (EVENT, "warning")
    assert (event["plugin_id"], event["dialog_id"]) == (str(PLUGIN_ID), None)
    assert event["payload"] == {"reason": "status_400"}
    occurred = datetime.fromisoformat(event["occurred_at"])
    assert abs(datetime.now(UTC) - occurred) < timedelta(minutes=1)
    assert SECRET not in str(event)


async def test_a_model_that_answers_is_not_reported(
    plugin: Plugin, core: FakeCore, llm: FakeLLM
) -> None:
    llm.will(fails(500), says("Hello."))  # the second attempt is good
    assert (await plugin.invoke(invocation())).json["text"] == "Hello."
    await some_heartbeats(core)
    assert core.attempts == []


async def test_without_a_model_nothing_is_reported(core: FakeCore) -> None:
    async with running(core) as plugin:
        await plugin.invoke(invocation())
        await some_heartbeats(core)
    assert core.attempts == []


async def test_no_answer_waits_for_the_report(
    core: FakeCore, llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core_api, "TIMEOUT", aiohttp.ClientTimeout(total=10 * PATIENT_SECONDS))
    llm.will(fails(400))
    core.take_events.clear()
    async with running(core, llm) as plugin, asyncio.timeout(PATIENT_SECONDS):
        for _ in range(3):
            answer = await plugin.invoke(invocation())
            assert answer.json["text"] == MODEL_UNAVAILABLE["en"]
        await some_heartbeats(core)
        assert len(core.attempts) == 1
    # It has stopped, in time, with the report still under way.
    core.take_events.set()


@pytest.mark.parametrize(
    "code", ["database_unavailable", "overloaded", "internal_error", "rate_limited", "rubbish"]
)
async def test_a_core_that_is_not_able_to_gets_the_same_event_again(
    plugin: Plugin, core: FakeCore, llm: FakeLLM, code: str
) -> None:
    llm.will(fails(400))
    core.refuse_event.extend([code, code])
    await plugin.invoke(invocation())
    await core.until(lambda: bool(core.events))
    assert len(core.attempts) == 3
    assert set(core.attempts) == {core.events[0]["event_id"]}


async def test_a_refused_token_is_replaced_before_the_event_is_sent_again(
    plugin: Plugin, core: FakeCore, llm: FakeLLM
) -> None:
    llm.will(fails(400))
    core.refuse_event.append("invalid_credentials")
    await plugin.invoke(invocation())
    await core.until(lambda: not core.refuse_event)
    await some_heartbeats(core)
    assert (len(core.attempts), core.events) == (1, [])  # nobody has told us a new token
    core.refuse_heartbeat.append("invalid_credentials")
    await core.until(lambda: bool(core.events))
    assert core.tokens == 2
    assert len(core.attempts) == 2


@pytest.mark.parametrize("code", ["insufficient_scope", "validation_failed", "event_id_reused"])
async def test_a_refused_event_is_dropped_and_the_plugin_goes_on(
    plugin: Plugin, core: FakeCore, llm: FakeLLM, code: str
) -> None:
    llm.will(fails(400))
    core.refuse_event.append(code)
    with capture_logs() as logs:
        await plugin.invoke(invocation())
        await core.until(lambda: not core.refuse_event)
        await some_heartbeats(core)
    assert [log["code"] for log in logs if log["event"] == "event_refused"] == [code]
    assert (len(core.attempts), core.events) == (1, [])
    llm.will(says("Hello."))
    assert (await plugin.invoke(invocation())).json["text"] == "Hello."


async def test_it_registers_with_the_scope_that_it_needs(plugin: Plugin, core: FakeCore) -> None:
    (request,) = core.registrations
    assert request["scopes"] == request["manifest"]["auth"]["scopes"] == ["telemetry:write"]
    assert request["manifest"]["telemetry"]["events_supported"] == [EVENT]


async def until(pool: asyncpg.Pool, query: str) -> Any:
    """What another process stores, once it is there."""
    async with asyncio.timeout(PATIENT_SECONDS):
        while (found := await pool.fetchval(query)) is None:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(0.01)
        return found


async def test_the_real_core_keeps_the_event_and_tells_it(
    pool: asyncpg.Pool, database: str, valkey: str, llm: FakeLLM
) -> None:
    llm.will(fails(400))
    async with running_api(pool, settings_for(database, valkey)) as api:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            known: dict[str, Any] = {"registry_key": SecretStr(api.registry_key)}
            async with opened(settings(api.url, port, llm, **known)) as (app, jobs):
                server = make_server(app)
                serving = asyncio.create_task(run(server, listener, jobs))
                await until(pool, "SELECT id FROM plugins WHERE status = 'active'")
                await api.say(await api.user(), SECRET)
                await until(pool, f"SELECT id FROM plugin_events WHERE event_type = '{EVENT}'")
                server.should_exit = True
                assert await serving == 0
    row = await pool.fetchrow("SELECT * FROM plugin_events WHERE event_type = $1", EVENT)
    assert (row["source"], row["severity"]) == ("plugin", "warning")
    assert row["payload"] == {"reason": "status_400"}
