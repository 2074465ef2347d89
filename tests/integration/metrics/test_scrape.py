"""What a scrape shows after real requests: every declared metric, and nothing that is not."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from impl.app import create_app
from impl.settings import Settings
from tests.scrape import Scrape, read
from tests.stack import Api, ScriptedPlugin, running_api, settings_for
from tools import promtool
from tools.bundler import bundle, error_codes
from tools.contract import operations
from tools.metric_rules import series_of
from tools.metrics import sources, values_of

CORE, EVENTS = bundle("openapi.yaml"), bundle("events.asyncapi.yaml")
METRICS = CORE["x-metrics"]
KNOWN = sources(CORE, EVENTS, list(error_codes()))
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def scrape(api: Api) -> Scrape:
    answer = await api.send("GET", "/metrics")
    assert (answer.status, answer.headers["Content-Type"]) == (200, CONTENT_TYPE)
    return read(answer.raw)


async def with_usage(body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
    usage = {
        "provider": "local", "model": "m", "prompt_tokens": 7, "completion_tokens": 3,
        "total_tokens": 10,
    }  # fmt: skip
    return web.json_response({"text": "hi", "trace_id": body["trace_id"], "usage": usage})


async def test_a_conversation_is_counted(api: Api, text_reply: ScriptedPlugin) -> None:
    text_reply.reply = with_usage
    user, dialog = await api.user(), uuid4()
    for text in ("one", "two"):
        assert (await api.say(user, text, dialog)).status == 200
    await api.bot("GET", f"/api/v1/dialogs/{dialog}")
    found = await scrape(api)
    requests = {"addDialogMessage": 2, "getDialog": 1, "upsertUser": 1, "registerPlugin": 1}
    for operation, count in requests.items():
        status = "201" if operation in {"upsertUser", "registerPlugin"} else "200"
        assert found.value("botcore_requests_total", operation=operation, status=status) == count
        latency = "botcore_request_latency_seconds_count"
        assert found.value(latency, operation=operation) == count
    assert found.value("botcore_token_usage_total", kind="prompt") == 14
    assert found.value("botcore_token_usage_total", kind="completion") == 6
    assert found.value("botcore_plugin_calls_total", code="none") == 2
    assert found.value("botcore_plugin_latency_seconds_count") == 2
    assert found.value("botcore_core_latency_seconds_count") == 2
    assert found.value("botcore_error_rate") == 0
    assert found.value("botcore_requests_under_way") == 1  # the scrape itself


async def test_a_repeated_message_uses_no_tokens_again(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    text_reply.reply = with_usage
    user, dialog = await api.user(), uuid4()
    for _ in range(3):
        await api.say(user, "one", dialog, message_id="m1")
    found = await scrape(api)
    assert found.value("botcore_token_usage_total", kind="prompt") == 7
    assert found.value("botcore_core_latency_seconds_count") == 1
    requests = "botcore_requests_total"
    assert found.value(requests, operation="addDialogMessage", status="200") == 3


async def test_the_plugins_time_is_not_the_cores(api: Api, text_reply: ScriptedPlugin) -> None:
    async def slow(body: dict[str, Any], request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.3)
        return await with_usage(body, request)

    text_reply.reply = slow
    await api.say(await api.user(), "one")
    found = await scrape(api)
    whole = found.value("botcore_request_latency_seconds_sum", operation="addDialogMessage") or 0
    own = found.value("botcore_core_latency_seconds_sum") or 0
    plugins = found.value("botcore_plugin_latency_seconds_sum") or 0
    assert plugins >= 0.3
    assert own == pytest.approx(whole - plugins, abs=0.001)


async def test_errors_are_counted_by_their_code(api: Api) -> None:
    await api.send("GET", f"/api/v1/dialogs/{uuid4()}")
    await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")
    await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")
    await api.bot("POST", "/api/v1/users", data=b"{")
    found = await scrape(api)

    def errors(operation: str, code: str) -> float | None:
        return found.value("botcore_request_errors_total", operation=operation, code=code)

    assert errors("getDialog", "missing_credentials") == 1
    assert errors("getDialog", "dialog_not_found") == 2
    assert errors("upsertUser", "unsupported_media_type") == 1
    requests = "botcore_requests_total"
    assert found.value(requests, operation="getDialog", status="404") == 2
    assert found.value("botcore_error_rate") == 0  # they are the callers'


async def test_a_failed_plugin_call_is_counted_by_its_code(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    async def refuse(_body: dict[str, Any], _request: web.Request) -> web.StreamResponse:
        return web.Response(status=400)

    text_reply.reply = refuse
    await api.say(await api.user(), "one")
    found = await scrape(api)
    assert found.value("botcore_plugin_calls_total", code="plugin_rejected") == 1
    assert found.value("botcore_plugin_calls_total", code="none") == 0
    assert found.value("botcore_core_latency_seconds_count") == 1


async def test_every_declared_metric_is_there_and_no_other(
    api: Api, text_reply: ScriptedPlugin
) -> None:
    await api.say(await api.user(), "one")
    await api.send("GET", "/nowhere")
    found = await scrape(api)
    declared = {metric["name"]: metric for metric in METRICS if metric.get("by") != "prometheus"}
    if sys.platform != "linux":  # the client library reads /proc
        declared = {n: metric for n, metric in declared.items() if metric.get("by") != "process"}
    assert found.families == set(declared)
    names = {name for name, _ in found.samples}
    # Without a model nobody asks one.
    models = {name for name in declared if name.startswith("llm_")}
    asked = {name for metric in declared.values() for name in series_of(metric)}
    assert names - models == asked - models


def assert_within_the_contract(found: Scrape) -> None:
    by_series = {name: metric for metric in METRICS for name in series_of(metric)}
    declared = {operation.id: operation for operation in operations(CORE)}
    for name, labels in found.samples:
        metric, given = by_series[name], dict(labels)
        given.pop("le", None)
        assert set(given) == set(metric.get("labels", {})), name
        for label, value in given.items():
            assert value in values_of(metric["labels"][label], KNOWN), (name, label)
        # Nor an operation with a status or a code that is not its own.
        operation = declared.get(given.get("operation", ""))
        if operation is not None and "status" in given:
            assert given["status"] in {*operation.spec["responses"], "499"}
        if operation is not None and "code" in given:
            assert given["code"] in {*operation.codes, "client_disconnected"}


async def test_every_label_is_within_the_contract(api: Api, text_reply: ScriptedPlugin) -> None:
    await api.say(await api.user(), "one")
    await api.bot("PUT", "/api/v1/users")
    await api.bot("POST", "/api/v1/users", json={"telegram_id": "x"})
    assert_within_the_contract(await scrape(api))


async def test_paths_and_methods_that_do_not_exist_add_no_series(api: Api) -> None:
    odd = ["GET", "POST", "TRACE", "PROPFIND", "MKCOL", "DELETE", "PATCH"]
    await api.send("GET", "/nowhere")
    await api.send("PATCH", "/healthz")
    await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")
    await scrape(api)
    before = (await scrape(api)).series()
    for number in range(150):
        method = odd[number % len(odd)]
        await api.send(method, f"/{uuid4()}/{number}")
        await api.send(method, f"/healthz/{uuid4()}?{uuid4()}={number}")
        await api.send("PATCH", "/healthz")
        await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")
    found = await scrape(api)
    assert found.series() == before
    assert found.value("botcore_requests_total", operation="none", status="404") == 301
    assert found.value("botcore_requests_total", operation="none", status="405") == 151
    assert found.value("botcore_metric_mistakes_total", metric="botcore_requests_total") == 0
    assert_within_the_contract(found)


async def test_one_who_leaves_before_the_answer_is_counted_as_such(
    api: Api, settings: Settings
) -> None:
    """With the package's own label of the status he would be a 500."""
    host, port = api.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /api/v1/users HTTP/1.1\r\nHost: x\r\nX-Bot-Token: {api.bot_token}\r\n"
    body = "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    writer.write((head + body).encode())
    await writer.drain()
    while (await scrape(api)).value("botcore_requests_under_way") != 2:
        pass
    writer.close()
    while (found := await scrape(api)).value("botcore_requests_under_way") != 1:
        pass
    requests = "botcore_requests_total"
    assert found.value(requests, operation="upsertUser", status="499") == 1
    assert found.value(requests, operation="upsertUser", status="500") is None


async def test_promtool_takes_the_exposition(api: Api, text_reply: ScriptedPlugin) -> None:
    await api.say(await api.user(), "one")
    answer = await api.send("GET", "/metrics")
    done = await asyncio.to_thread(promtool.run, "check", "metrics", said=answer.raw.decode())
    # What it says of a metric without a unit in its name and such: nothing may be said at all.
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


async def test_accept_is_negotiated(api: Api) -> None:
    prometheus = (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    )
    for accept in (prometheus, "text/plain", "*/*", "text/*"):
        answer = await api.send("GET", "/metrics", headers={"Accept": accept})
        assert (answer.status, answer.headers["Content-Type"]) == (200, CONTENT_TYPE)
    answer = await api.send("GET", "/metrics", headers={"Accept": "application/openmetrics-text"})
    assert (answer.status, answer.json["code"]) == (406, "not_acceptable")


@pytest.fixture
async def with_own_port(
    pool: asyncpg.Pool, database: str, valkey: str, unused_tcp_port: int
) -> AsyncIterator[tuple[Api, str]]:
    settings = settings_for(database, valkey, metrics_port=unused_tcp_port)
    async with running_api(pool, settings) as api:
        yield api, f"http://127.0.0.1:{unused_tcp_port}"


async def test_on_a_port_of_their_own_they_are_served_there_alone(
    with_own_port: tuple[Api, str],
) -> None:
    api, url = with_own_port
    hidden = await api.send("GET", "/metrics")
    assert (hidden.status, hidden.json["code"]) == (404, "not_found")
    async with aiohttp.ClientSession(url) as session:
        async with session.get("/metrics") as answer:
            assert (answer.status, answer.headers["Content-Type"]) == (200, CONTENT_TYPE)
            assert "X-Trace-Id" in answer.headers
            found = read(await answer.read())
        for path in ("/healthz", "/api/v1/users", "/docs", "/"):
            async with session.get(path) as answer:
                assert answer.status == 404
        async with session.post("/metrics") as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    assert found.value("botcore_requests_total", operation="getMetrics", status="404") == 1
    assert_within_the_contract(found)


async def test_the_port_is_closed_with_the_application(
    pool: asyncpg.Pool, database: str, valkey: str, unused_tcp_port: int
) -> None:
    settings = settings_for(database, valkey, metrics_port=unused_tcp_port)
    for number in range(2):  # free again at once
        async with (
            running_api(pool, settings, bot_name=f"bot {number}"),
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{unused_tcp_port}/metrics") as answer,
        ):
            assert answer.status == 200
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", unused_tcp_port)


async def test_a_port_that_is_taken_stops_the_start(settings: Settings, api: Api) -> None:
    taken = int(api.url.rpartition(":")[2])
    app = create_app(settings.model_copy(update={"metrics_port": taken}))
    with pytest.raises(OSError, match="in use"):
        async with app.router.lifespan_context(app):
            pytest.fail("it started")


async def test_limits_that_are_counted_alone_are_shown(
    pool: asyncpg.Pool, database: str, unused_tcp_port: int
) -> None:
    settings = settings_for(database, f"redis://127.0.0.1:{unused_tcp_port}/0")
    async with running_api(pool, settings) as api:
        await api.bot("GET", f"/api/v1/dialogs/{uuid4()}")
        found = await scrape(api)
        assert found.value("botcore_limits_alone") == 1
        assert found.value("botcore_dependency_up", dependency="redis") == 0
