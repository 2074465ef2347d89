"""The application without a socket: what a request does to the metrics, however it ends."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.types import Message, Receive, Scope, Send

from generated.metrics import Metrics, make_metrics
from generated.runtime.edge import ANSWER
from impl.app import create_app
from impl.metrics.plugins import note_call
from impl.metrics.requests import ErrorRate, instrument
from impl.settings import Settings
from tests.scrape import Scrape, read
from tools.routes import SETTINGS


async def send(app: FastAPI, method: str, path: str) -> tuple[int, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def note(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": [],
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("test", 80),
    }  # fmt: skip
    await app(scope, receive, note)
    return sent[0]["status"], sent[1]["body"]


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    """The whole application; the database and Redis that it names are not there."""
    application = create_app(Settings(**cast("Any", SETTINGS)))
    async with application.router.lifespan_context(application):
        yield application


async def scrape(app: FastAPI) -> Scrape:
    status, text = await send(app, "GET", "/metrics")
    assert status == 200
    return read(text)


async def test_any_method_is_none(app: FastAPI) -> None:
    for method in ("GET", "BREW", "X" * 1000, "é", 'A"} 1\n'):
        assert (await send(app, method, "/nowhere"))[0] == 404
    for method in ("BREW", "X" * 1000, "é"):
        assert (await send(app, method, "/healthz"))[0] == 405
    found = await scrape(app)
    counted = {
        tuple(sorted(dict(labels).values())): value
        for (name, labels), value in found.samples.items()
        if name == "botcore_requests_total"
    }
    assert counted == {("404", "none"): 5, ("405", "none"): 3}


async def test_without_the_database_and_redis_a_scrape_works(app: FastAPI) -> None:
    found = await scrape(app)
    for dependency in ("database", "redis"):
        assert found.value("botcore_dependency_up", dependency=dependency) == 0
    assert found.value("botcore_queue_depth", queue="outbox") is None
    assert found.value("botcore_stream_lag_seconds", stream="plugin:events") is None
    assert (found.value("botcore_sample_age_seconds") or -1) >= 0


async def test_the_error_rate_is_of_our_own_errors(app: FastAPI) -> None:
    for path in ("/readyz", "/nowhere", "/nowhere", "/nowhere"):
        await send(app, "GET", path)
    assert (await scrape(app)).value("botcore_error_rate") == 0.25


async def test_nothing_is_registered_where_all_applications_share_it(app: FastAPI) -> None:
    """The package's own gauge of requests under way would be: a second application then fails."""
    create_app(Settings(**cast("Any", SETTINGS)))
    await send(app, "GET", "/healthz")
    names = {metric.name for metric in REGISTRY.collect()}
    assert not [name for name in names if name.startswith(("botcore", "http"))]


@pytest.fixture
def metrics() -> Metrics:
    return make_metrics()


def answering(metrics: Metrics, endpoint: Any) -> FastAPI:
    """An application that is nothing but `endpoint`, measured."""
    application = FastAPI(openapi_url=None)
    application.router.routes = []
    application.router.default = endpoint
    instrument(application, metrics)
    return application


async def test_a_request_that_the_stop_ends_is_a_503_of_its_operation(app: FastAPI) -> None:
    """Drain sends the 503 from outside, where the middleware no longer sees it."""
    at_work = asyncio.Event()

    async def hang() -> Message:
        at_work.set()
        await asyncio.Event().wait()
        raise AssertionError

    scope: Scope = {
        "type": "http", "method": "GET", "path": "/healthz", "raw_path": b"/healthz",
        "headers": [], "query_string": b"", "root_path": "", "scheme": "http",
    }  # fmt: skip

    async def never(_message: Message) -> None: ...

    service = next(r for r in app.router.routes if getattr(r, "path", "") == "/healthz")
    operation, _ = service.endpoint._operations["GET"]  # type: ignore[attr-defined]  # the endpoint behind the layer
    run = cast("Any", lambda _call: hang())
    service.endpoint._operations = {"GET": (operation, run)}  # type: ignore[attr-defined]  # the endpoint behind the layer
    task = asyncio.create_task(app(scope, hang, never))
    await at_work.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    found = await scrape(app)
    assert found.value("botcore_requests_total", operation="getHealth", status="503") == 1
    errors = "botcore_request_errors_total"
    assert found.value(errors, operation="getHealth", code="overloaded") == 1
    assert found.value("botcore_requests_under_way") == 1


async def test_what_reaches_no_edge_is_none(metrics: Metrics) -> None:
    async def bare(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    await send(answering(metrics, bare), "GET", "/")
    labels = {"operation": "none", "status": "200"}
    assert metrics.registry.get_sample_value("botcore_requests_total", labels) == 1


async def test_a_plugins_time_is_that_of_one_request(metrics: Metrics) -> None:
    """Two requests may share a context, where nothing gives each a task of its own."""
    calls = iter([0.25, None])

    async def calling(_scope: Scope, _receive: Receive, send: Send) -> None:
        seconds = next(calls)
        if seconds is not None:
            note_call(metrics, "none", seconds)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    application = answering(metrics, calling)
    for _ in range(2):
        await send(application, "GET", "/")
    value = metrics.registry.get_sample_value
    assert value("botcore_core_latency_seconds_count") == 1
    assert value("botcore_request_latency_seconds_count", {"operation": "none"}) == 2


async def test_an_answer_that_the_contract_does_not_list_is_counted_as_a_mistake(
    metrics: Metrics,
) -> None:
    async def odd(scope: Scope, _receive: Receive, send: Send) -> None:
        scope[ANSWER] = ("getSecret", 299, "made_up")
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    await send(answering(metrics, odd), "GET", "/")
    for name in ("requests_total", "request_errors_total", "request_latency_seconds"):
        labels = {"metric": f"botcore_{name}"}
        found = metrics.registry.get_sample_value("botcore_metric_mistakes_total", labels)
        assert found == 1, name


class TestErrorRate:
    @pytest.fixture
    def now(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        moment = [1000.0]
        monkeypatch.setattr(time, "monotonic", lambda: moment[0])
        return moment

    def test_it_is_the_share_of_errors(self) -> None:
        rate = ErrorRate()
        assert rate.share() == 0
        for error in (True, False, False, False):
            rate.add(error=error)
        assert rate.share() == 0.25

    def test_what_is_a_minute_old_is_forgotten(self, now: list[float]) -> None:
        rate = ErrorRate()
        rate.add(error=True)
        now[0] += 30
        rate.add(error=False)
        assert rate.share() == 0.5
        now[0] += 31
        assert rate.share() == 0
        now[0] += 60
        assert rate.share() == 0

    def test_it_keeps_no_more_than_a_minute(self, now: list[float]) -> None:
        rate = ErrorRate()
        for _ in range(1000):
            now[0] += 1
            rate.add(error=False)
        assert len(rate._slots) <= 12
