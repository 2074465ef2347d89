"""How often a plugin is called, with what, and when it is left alone: over real sockets."""

import asyncio
import gzip
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiohttp import web

from generated.metrics import Metrics, make_metrics
from impl.plugins.caller import Answered, Failed, Invocation, PluginCaller
from impl.plugins.calls.output import compile_output
from impl.plugins.calls.retries import RESERVE_PER_SECOND
from impl.settings import Settings
from tests.stack import Reply, ScriptedPlugin, echo, scripted_plugin, settings_for

Body = dict[str, Any]
NOWHERE = "postgresql://nobody", "redis://nobody"
LONG = 30.0  # a deadline that nothing here meets


@asynccontextmanager
async def calling(metrics: Metrics | None = None, **changed: Any) -> AsyncIterator[PluginCaller]:
    settings: Settings = settings_for(*NOWHERE, **changed)
    caller = PluginCaller(settings, metrics or make_metrics())
    try:
        yield caller
    finally:
        await caller.close()


@pytest_asyncio.fixture
async def plugin() -> AsyncIterator[ScriptedPlugin]:
    async with scripted_plugin() as running:
        yield running


def invocation(plugin: ScriptedPlugin, **more: Any) -> Invocation:
    trace_id, invocation_id = uuid4(), uuid4()
    body = f'{{"trace_id": "{trace_id}", "payload": {{"type": "text", "text": "Hello!"}}}}'
    values = {"plugin_id": UUID(int=1), "base_url": plugin.url, **more}
    return Invocation(invocation_id=invocation_id, trace_id=trace_id, body=body.encode(), **values)


def status(code: int, **headers: str) -> Reply:
    async def reply(_body: Body, _request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=code, headers=named)

    return reply


async def reset(_body: Body, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(_body: Body, _request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


def first(*replies: Reply) -> Reply:
    """Each once, then a good answer."""
    left = list(replies)

    async def reply(body: Body, request: web.Request) -> web.StreamResponse:
        return await (left.pop(0) if left else echo)(body, request)

    return reply


def in_turn(plugin: ScriptedPlugin, *replies: Reply) -> None:
    plugin.reply = first(*replies)


def retries(metrics: Metrics, reason: str) -> float:
    name = "botcore_plugin_retries_total"
    return metrics.registry.get_sample_value(name, {"reason": reason}) or 0


@pytest.mark.parametrize(
    ("reply", "reason"),
    [(status(429), "busy"), (status(502), "busy"), (status(503), "busy"), (status(504), "busy"),
     (reset, "no_answer")],
    ids=["429", "502", "503", "504", "reset"],
)  # fmt: skip
async def test_it_is_called_again_with_the_same_id(
    reply: Reply, reason: str, plugin: ScriptedPlugin
) -> None:
    metrics = make_metrics()
    in_turn(plugin, reply, reply)
    async with calling(metrics) as caller:
        wanted = invocation(plugin)
        assert isinstance(await caller.invoke(wanted, LONG), Answered)
    assert [h["X-Invocation-Id"] for h in plugin.headers] == [str(wanted.invocation_id)] * 3
    assert [h["X-Trace-Id"] for h in plugin.headers] == [str(wanted.trace_id)] * 3
    left = [int(h["X-Deadline-Ms"]) for h in plugin.headers]
    assert LONG * 1000 >= left[0] >= left[1] >= left[2] > 0
    assert len({h["Authorization"] for h in plugin.headers}) == 1
    assert retries(metrics, reason) == 2


@pytest.mark.parametrize("code", [302, 400, 401, 404, 418, 500, 501])
async def test_another_status_is_no_reason_to_try_again(code: int, plugin: ScriptedPlugin) -> None:
    in_turn(plugin, status(code, Location="/elsewhere"))
    async with calling() as caller:
        failed = await caller.invoke(invocation(plugin), LONG)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.sent, len(plugin.calls)) == ("plugin_rejected", True, 1)


async def test_a_plugin_that_is_not_there_yet_is_tried_again(unused_tcp_port: int) -> None:
    metrics = make_metrics()
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with calling(metrics) as caller:
        gone = await caller.invoke(invocation(ScriptedPlugin(url)), LONG)
    assert isinstance(gone, Failed)
    assert (gone.code, gone.sent) == ("plugin_unavailable", False)
    assert retries(metrics, "no_connection") == 2


async def test_retry_after_is_waited_for(plugin: ScriptedPlugin) -> None:
    in_turn(plugin, status(429, Retry_After="1"))
    async with calling() as caller:
        started = time.monotonic()
        assert isinstance(await caller.invoke(invocation(plugin), LONG), Answered)
        assert time.monotonic() - started >= 1


@pytest.mark.parametrize("asked", ["60", "Fri, 27 Nov 2099 10:00:00 GMT"])
async def test_what_asks_for_more_than_there_is_is_given_up(
    asked: str, plugin: ScriptedPlugin
) -> None:
    in_turn(plugin, status(503, Retry_After=asked))
    async with calling() as caller:
        failed = await caller.invoke(invocation(plugin), 30)
    assert isinstance(failed, Failed)
    assert (failed.code, len(plugin.calls)) == ("plugin_unavailable", 1)
    assert failed.latency_ms < 10_000


async def test_what_cannot_be_repeated_is_not(plugin: ScriptedPlugin) -> None:
    in_turn(plugin, reset)
    async with calling() as caller:
        failed = await caller.invoke(invocation(plugin, supports_retry=False), LONG)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.sent, len(plugin.calls)) == ("plugin_unavailable", True, 1)


async def test_no_attempt_begins_beyond_the_deadline(plugin: ScriptedPlugin) -> None:
    in_turn(plugin, status(503), hang)
    async with calling() as caller, asyncio.timeout(LONG):
        failed = await caller.invoke(invocation(plugin), 0.5)
    assert isinstance(failed, Failed)
    assert failed.code in ("plugin_timeout", "plugin_unavailable")


async def test_retries_are_a_fifth_of_the_calls(plugin: ScriptedPlugin) -> None:
    plugin.reply = status(503, Retry_After="0")
    began = time.monotonic()
    async with calling(breaker_calls=1000) as caller:
        for _ in range(60):
            await caller.invoke(invocation(plugin), LONG)
    came_back = (time.monotonic() - began) * RESERVE_PER_SECOND
    assert 60 + 12 <= len(plugin.calls) <= 60 + 12 + 4 + came_back


async def settled(caller: PluginCaller, plugin: ScriptedPlugin, times: int, seconds: float) -> None:
    calls = (caller.invoke(invocation(plugin), seconds) for _ in range(times))
    await asyncio.gather(*calls)


def open_breakers(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("botcore_plugin_breakers_open")


async def test_a_plugin_that_fails_is_left_alone_and_comes_back(plugin: ScriptedPlugin) -> None:
    metrics = make_metrics()
    plugin.reply = status(503)
    async with calling(metrics, plugin_retries=0, breaker_open_seconds=600) as caller:
        await settled(caller, plugin, 10, 5)
        assert open_breakers(metrics) == 1
        seen = len(plugin.calls)
        refused = await caller.invoke(invocation(plugin), LONG)
        assert isinstance(refused, Failed)
        assert (refused.code, refused.sent) == ("plugin_circuit_open", False)
        assert len(plugin.calls) == seen
        other = await caller.invoke(invocation(plugin, plugin_id=UUID(int=2)), LONG)
        assert isinstance(other, Failed)
        assert other.code == "plugin_unavailable"  # each plugin has its own
        plugin.reply = echo
        caller._lines[UUID(int=1)].breaker._open_until = 0.0  # that time has passed
        assert isinstance(await caller.invoke(invocation(plugin), LONG), Answered)
        assert open_breakers(metrics) == 0


async def test_timeouts_open_the_breaker_but_not_those_of_the_hasty(
    plugin: ScriptedPlugin,
) -> None:
    plugin.reply = hang
    metrics = make_metrics()
    async with calling(metrics, breaker_patience_seconds=0.2) as caller:
        await settled(caller, plugin, 20, 0.1)
        assert open_breakers(metrics) == 0
        await settled(caller, plugin, 20, 0.3)
        assert open_breakers(metrics) == 1


WORDS = compile_output({"properties": {"text": {"maxLength": 3}}})


async def not_json(_body: Body, _request: web.Request) -> web.StreamResponse:
    return web.json_response({"text": 1})


@pytest.mark.parametrize(
    ("reply", "code"),
    [(echo, "plugin_output_invalid"), (not_json, "plugin_answer_invalid"),
     (status(500), "plugin_rejected")],
    ids=["output", "contract", "500"],
)  # fmt: skip
async def test_what_answers_is_not_away(reply: Reply, code: str, plugin: ScriptedPlugin) -> None:
    plugin.reply = reply
    metrics = make_metrics()
    async with calling(metrics) as caller:
        for _ in range(20):
            failed = await caller.invoke(invocation(plugin, output_schema=WORDS), LONG)
            assert isinstance(failed, Failed)
            assert failed.code == code
    assert len(plugin.calls) == 20
    assert open_breakers(metrics) == 0
    counted = metrics.registry.get_sample_value("botcore_plugin_calls_total", {"code": code})
    assert counted == 20


async def test_a_call_that_is_stopped_says_nothing(plugin: ScriptedPlugin) -> None:
    plugin.reply = hang
    metrics = make_metrics()
    async with calling(metrics) as caller:
        for _ in range(12):
            task = asyncio.create_task(caller.invoke(invocation(plugin), LONG))
            plugin.called.clear()
            await plugin.called.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert open_breakers(metrics) == 0


async def test_an_unused_connection_that_the_plugin_closed_costs_no_failure(
    plugin: ScriptedPlugin,
) -> None:
    in_turn(plugin, echo, reset)
    async with calling() as caller:
        for _ in range(2):
            assert isinstance(await caller.invoke(invocation(plugin), LONG), Answered)


async def test_the_version_is_the_one_that_was_agreed_on(plugin: ScriptedPlugin) -> None:
    async with calling() as caller:
        await caller.invoke(invocation(plugin, schema_version="v1beta"), LONG)
    assert plugin.headers[0]["X-Schema-Version"] == "v1beta"


async def test_a_forbidden_address_is_unavailable_at_once(plugin: ScriptedPlugin) -> None:
    metrics = make_metrics()
    async with calling(metrics, development=False) as caller:
        for url in (plugin.url, plugin.url.replace("127.0.0.1", "localhost")):
            failed = await caller.invoke(invocation(plugin, base_url=url), LONG)
            assert isinstance(failed, Failed)
            assert (failed.code, failed.sent) == ("plugin_unavailable", False)
        assert not await caller.healthy(plugin.url)
    assert plugin.calls == []
    assert retries(metrics, "no_connection") == 0


@pytest.mark.parametrize("supports_retry", [True, False])
async def test_what_was_sent_once_was_sent(supports_retry: bool) -> None:
    """Refused by a busy plugin that is gone at the next attempt: it may have acted."""
    connections = 0

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        server.close()
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    metrics = make_metrics()
    server = await asyncio.start_server(busy, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with calling(metrics) as caller:
        wanted = invocation(ScriptedPlugin(url), supports_retry=supports_retry)
        failed = await caller.invoke(wanted, LONG)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.sent, connections) == ("plugin_unavailable", True, 1)
    assert retries(metrics, "busy") == (1 if supports_retry else 0)
    assert retries(metrics, "no_connection") == (1 if supports_retry else 0)


async def large(_body: Body, _request: web.Request) -> web.StreamResponse:
    return web.Response(body=b" " * 3_000_000, content_type="application/json")


async def endless(_body: Body, request: web.Request) -> web.StreamResponse:
    """A status that nobody reads the rest of."""
    response = web.StreamResponse(status=503)
    await response.prepare(request)
    while True:
        await response.write(b" " * 65536)


async def test_a_bomb_is_not_unpacked(plugin: ScriptedPlugin) -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    async def reply(_body: Body, _request: web.Request) -> web.StreamResponse:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return web.Response(body=bomb, headers=headers)

    plugin.reply = reply
    async with calling(max_plugin_answer_bytes=100_000) as caller:
        tracemalloc.start()
        try:
            failed = await caller.invoke(invocation(plugin), LONG)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(failed, Failed)
    assert failed.code == "plugin_answer_too_large"
    assert peak < 5_000_000


async def test_no_connection_is_left_behind(plugin: ScriptedPlugin) -> None:
    async with calling(breaker_calls=1000) as caller:
        connector = caller.client._session.connector
        assert connector is not None
        for reply in (hang, reset, large, endless, status(429), status(500), not_json):
            plugin.reply = reply
            calls = (caller.invoke(invocation(plugin), 0.3) for _ in range(10))
            assert all(isinstance(end, Failed) for end in await asyncio.gather(*calls))
            assert not connector._acquired
        plugin.reply = echo
        assert isinstance(await caller.invoke(invocation(plugin), LONG), Answered)
