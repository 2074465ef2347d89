"""The operations of the tag `service`: health, and the contract as the service was made from it."""

import asyncio
import contextlib
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files

from generated import models
from generated.core.service import (
    GetContract200,
    GetContractResult,
    GetEventsContract200,
    GetEventsContractResult,
    GetHealth200,
    GetHealthResult,
    GetMetrics200,
    GetMetricsResult,
    GetPluginContract200,
    GetPluginContractResult,
    GetReadiness200,
    GetReadinessResult,
    GetReferencePage200,
    GetReferencePageResult,
    GetReferenceScript200,
    GetReferenceScriptResult,
)
from generated.errors import DatabaseUnavailable, NotFound
from impl.db import Pool
from impl.degraded.gate import Gate
from impl.degraded.mode import Mode
from impl.metrics.exposition import Exposition
from impl.redis import UNREACHABLE

# What a readiness probe may wait for the database.
PROBE_SECONDS = 1.0

# Redoc writes its styles into the page and runs its search in a worker from a blob.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; child-src blob:; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
REMOTE_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>botcore: reference</title>
<body style="margin: 0">
<redoc spec-url="/api/v1/openapi.json" disable-google-font="true" hide-loading="true"></redoc>
<script src="/docs/redoc.js"></script>
</html>
"""


class ServiceHandlers:
    """`exposition` is None where a port of its own serves the metrics."""

    def __init__(self, pool: Pool, gate: Gate, mode: Mode, exposition: Exposition | None) -> None:
        self._pool = pool
        self._gate = gate
        self._mode = mode
        self._exposition = exposition
        self._asking: asyncio.Task[None] | None = None
        self._alive = models.HealthV1(status="ok", version=version("botcore"))

    async def get_health(self) -> GetHealthResult:
        return GetHealth200(body=self._alive)

    async def get_readiness(self) -> GetReadinessResult:
        await self._ask_database_once()
        with contextlib.suppress(*UNREACHABLE):  # the gate has noted it, and so the mode tells it
            await self._gate.ask(self._gate.redis.ping)
        mode = "degraded" if self._mode.degraded else "normal"
        return GetReadiness200(body=models.ReadinessV1(status="ready", mode=mode))

    async def _ask_database_once(self) -> None:
        """For all who ask meanwhile: probes are never refused, and take one connection in all."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_database())
            self._asking.add_done_callback(self._asked)
        await asyncio.shield(self._asking)

    def _asked(self, task: "asyncio.Task[None]") -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # seen, even where nobody waits any longer

    async def _ask_database(self) -> None:
        """Within a budget of its own: a probe that waits in the messages' queue says nothing."""
        timeout = PROBE_SECONDS / 2
        async with self._pool.acquire(timeout=timeout) as connection:
            if await connection.fetchval("SELECT 1", timeout=timeout) != 1:
                raise DatabaseUnavailable

    async def get_metrics(self) -> GetMetricsResult:
        if self._exposition is None:
            raise NotFound
        return GetMetrics200(body=await self._exposition.text())

    async def get_contract(self) -> GetContractResult:
        return GetContract200(body=self._contract)

    async def get_plugin_contract(self) -> GetPluginContractResult:
        return GetPluginContract200(body=self._plugin_contract)

    async def get_events_contract(self) -> GetEventsContractResult:
        return GetEventsContract200(body=self._events_contract)

    async def get_reference_page(self) -> GetReferencePageResult:
        return GetReferencePage200(body=PAGE, content_security_policy=CONTENT_SECURITY_POLICY)

    async def get_reference_script(self) -> GetReferenceScriptResult:
        return GetReferenceScript200(body=self._script)

    @cached_property
    def _contract(self) -> bytes:
        return files("generated").joinpath("openapi.json").read_bytes()

    @cached_property
    def _plugin_contract(self) -> bytes:
        return files("generated").joinpath("plugin.openapi.json").read_bytes()

    @cached_property
    def _events_contract(self) -> bytes:
        return files("generated").joinpath("events.asyncapi.json").read_bytes()

    @cached_property
    def _script(self) -> bytes:
        script = files("fastapi_offline").joinpath("static", "redoc.standalone.js").read_bytes()
        return script.replace(REMOTE_LOGO, b"data:,")  # the page asks nobody for anything
