"""What is beyond a process's bounds is refused at once, in the contract's words, and counted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from impl.overload.admission import RESERVED
from impl.tokens.issue import issue
from tests.integration.api.test_plugins import waiting as waiting_for_a_lock
from tests.integration.overload.figures import Figures
from tests.integration.tokens.rows import make_plugin
from tests.patience import PATIENT_SECONDS
from tests.stack import BOT_SCOPES, Answer, Api, Gate, ScriptedPlugin, connected

TRACE = "7f1d2c3e-5b6a-4c8d-9e0f-112233445566"


async def ask(api: Api, token: str | None = None) -> Answer:
    """For a dialog that is not there."""
    headers = {"X-Trace-Id": TRACE, "X-Bot-Token": token or api.bot_token}
    return await api.send("GET", f"/api/v1/dialogs/{uuid4()}", headers=headers)


def overloaded(answer: Answer) -> bool:
    return (answer.status, answer.json["code"]) == (503, "overloaded")


@asynccontextmanager
async def messages_at(plugin: ScriptedPlugin, api: Api, number: int) -> AsyncIterator[None]:
    """So many wait for the plugin, and are answered in the end."""
    user, gate = await api.user(), Gate()
    plugin.reply = gate.reply
    sent = []
    for _ in range(number):  # one after the other: until then each is work
        plugin.called.clear()
        sent.append(asyncio.create_task(api.say(user, "Hello!")))
        async with asyncio.timeout(PATIENT_SECONDS):
            await plugin.called.wait()
    try:
        yield
    finally:
        gate.go_on.set()
        answers = await asyncio.gather(*sent)
    assert [answer.status for answer in answers] == [200] * number


@asynccontextmanager
async def locked(pool: asyncpg.Pool, table: str) -> AsyncIterator[None]:
    async with pool.acquire() as holder, holder.transaction():
        await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.parametrize("changes", [{"requests_under_way": 2}])
async def test_what_is_beyond_the_requests_is_refused_but_probes_and_scrapes(
    api: Api, text_reply: ScriptedPlugin, figures: Figures
) -> None:
    async with messages_at(text_reply, api, 2):
        refused = await ask(api)
        again = await ask(api)
        fixed = [await api.send("GET", path) for path in ("/healthz", "/readyz", "/metrics")]
    assert overloaded(refused)
    assert refused.headers["X-Trace-Id"] == refused.json["trace_id"] == TRACE
    assert refused.headers["X-Schema-Version"] == "v1alpha"
    assert refused.headers["Content-Type"] == "application/problem+json"
    waits = [int(answer.headers["Retry-After"]) for answer in (refused, again)]
    assert min(waits) >= 1
    assert waits[0] != waits[1]  # they come back apart
    assert [answer.status for answer in fixed] == [200, 200, 200]
    assert figures.refused("requests") == 2
    assert figures("requests_total", operation="none", status="503") == 2
    assert figures("request_errors_total", operation="none", code="overloaded") == 2
    assert figures("error_rate") > 0
    assert (await ask(api)).status == 404
    assert figures("work_under_way") == 0


@pytest.mark.parametrize("changes", [{"work_under_way": 2}])
async def test_who_waits_for_a_plugin_is_no_work_and_who_waits_for_the_database_is(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, figures: Figures
) -> None:
    async with messages_at(text_reply, api, 3):
        assert figures("work_under_way") == 0
        assert (await ask(api)).status == 404
        async with locked(pool, "dialogs"):
            two = [asyncio.create_task(ask(api)) for _ in range(2)]
            await waiting_for_a_lock(pool, 2)
            assert overloaded(await ask(api))
            assert (await api.send("GET", "/readyz")).status == 200
        assert [answer.status for answer in await asyncio.gather(*two)] == [404, 404]
    assert figures.refused("work") == 1
    assert figures("work_under_way") == 0


@pytest.mark.parametrize("changes", [{"work_under_way": 1}])
async def test_heartbeats_have_a_few_places_more(
    api: Api, pool: asyncpg.Pool, figures: Figures
) -> None:
    plugin_id = await make_plugin(pool)
    token = await issue(pool, "plugin", subject_id=plugin_id, scopes=[])
    headers = {"Authorization": f"Bearer {token.plaintext}"}
    body = {"plugin_id": str(plugin_id), "status": "active"}

    async def beat() -> Answer:
        path = f"/api/v1/plugins/{plugin_id}/heartbeat"
        return await api.send("POST", path, headers=headers, json=body)

    assert ((await ask(api)).status, (await beat()).status) == (404, 200)  # the tokens are known
    async with locked(pool, "dialogs"):
        asked = asyncio.create_task(ask(api))
        await waiting_for_a_lock(pool, 1)
        assert overloaded(await ask(api))
        assert (await beat()).status == 200
        async with locked(pool, "plugins"):
            beats = [asyncio.create_task(beat()) for _ in range(RESERVED)]
            await figures.until(lambda: figures("work_under_way") == 1 + RESERVED)
            assert overloaded(await beat())
    assert [each.status for each in await asyncio.gather(asked, *beats)] == [404] + [200] * RESERVED


@pytest.mark.parametrize(
    "changes", [{"database_pool_size": 1, "work_under_way": 30, "work_wait_seconds": 0.05}]
)
async def test_while_work_waits_too_long_less_of_it_is_let_in(
    api: Api, pool: asyncpg.Pool, figures: Figures
) -> None:
    assert (await ask(api)).status == 404
    async with locked(pool, "dialogs"):
        let_in = [asyncio.create_task(ask(api)) for _ in range(20)]
        await figures.until(lambda: figures("work_limit") < 20)
        assert figures("work_wait_seconds") >= 0.05
        assert overloaded(await ask(api))
    # Nobody who was let in is turned away.
    assert {answer.status for answer in await asyncio.gather(*let_in)} == {404}
    await figures.until(lambda: figures("work_limit") == 30)
    assert (await ask(api)).status == 404


@pytest.mark.parametrize("changes", [{"requests_under_way": 1}])
async def test_streams_are_not_counted_and_are_refused_as_all_else(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, figures: Figures
) -> None:
    key = (await issue(pool, "admin", scopes=["telemetry:read"])).plaintext
    path = "/api/v1/plugins/events/stream"
    async with connected(api.url) as (reader, writer):
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Admin-Key: {key}\r\n\r\n"
        writer.write(head.encode())
        assert b" 200 " in await reader.readline()
        await figures.until(lambda: figures("event_streams") == 1)
        assert (await ask(api)).status == 404
    async with messages_at(text_reply, api, 1):
        assert overloaded(await api.send("GET", path, headers={"X-Admin-Key": key}))


@pytest.mark.parametrize("changes", [{"requests_per_token": 2}])
async def test_a_token_has_so_many_requests_under_way(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, figures: Figures
) -> None:
    bot_id = await pool.fetchval("INSERT INTO bots (name) VALUES ('another') RETURNING id")
    other = await issue(pool, "bot", subject_id=bot_id, scopes=BOT_SCOPES)
    for _ in range(2):  # places are given back
        async with messages_at(text_reply, api, 2):
            refused = await ask(api)
            assert (await ask(api, other.plaintext)).status == 404
        text_reply.calls.clear()
        assert (refused.status, refused.json["code"]) == (429, "rate_limited")
        assert refused.headers["RateLimit-Policy"] == '"requests";q=2;w=1'
        assert refused.headers["RateLimit"] == '"requests";r=0;t=1'
        assert int(refused.headers["Retry-After"]) == 1
    assert figures.refused("token") == 2
    assert (await ask(api)).status == 404


@pytest.mark.parametrize("changes", [{"requests_per_token": 1}])
async def test_an_operators_key_is_bounded_too_where_no_quota_is_declared(
    api: Api, pool: asyncpg.Pool, figures: Figures
) -> None:
    key = await issue(pool, "admin", scopes=["audit:read"])
    headers, path = {"X-Admin-Key": key.plaintext}, "/api/v1/admin/audit"
    assert (await api.send("GET", path, headers=headers)).status == 200  # the token is known now
    async with locked(pool, "audit_logs"):
        first = asyncio.create_task(api.send("GET", path, headers=headers))
        await waiting_for_a_lock(pool, 1)
        refused = await api.send("GET", path, headers=headers)
    assert overloaded(refused)
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await first).status == 200
    assert figures.refused("token") == 1
