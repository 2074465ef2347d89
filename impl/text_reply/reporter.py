"""Events on their way to the core, in the background: no answer waits for one."""

import asyncio
from datetime import UTC, datetime
from typing import Never
from uuid import UUID, uuid4

import structlog

from generated.models import PluginEventV1, PluginRegistrationResponseV1, Severity
from impl.text_reply.core_api import CoreApi, CoreRefusedError, CoreUnavailableError, backoff

log = structlog.get_logger()

WAITING = 100  # what comes while so many wait is dropped: the core has been away for long
_NOBODY = UUID(int=0)  # until the core says who we are


class Reporter:
    """Sends each event until the core has it; the core knows one that it gets twice by its id."""

    def __init__(self, api: CoreApi) -> None:
        self._api = api
        self._events: asyncio.Queue[PluginEventV1] = asyncio.Queue(WAITING)
        self._registered: PluginRegistrationResponseV1 | None = None
        self._known = asyncio.Event()

    def use(self, registered: PluginRegistrationResponseV1) -> None:
        self._registered = registered
        self._known.set()

    def report(self, event_type: str, severity: Severity, payload: dict[str, str]) -> None:
        event = PluginEventV1(
            event_id=uuid4(),
            plugin_id=_NOBODY,
            event_type=event_type,
            severity=severity,
            payload=payload,
            occurred_at=datetime.now(UTC),
        )
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            log.warning("event_dropped", event_type=event_type)

    async def run(self) -> Never:
        while True:
            await self._send(await self._events.get())

    async def _send(self, event: PluginEventV1) -> None:
        pauses = backoff()
        while True:
            registered = await self._wait_for_registration()
            try:
                await self._api.report(
                    event.model_copy(update={"plugin_id": registered.plugin_id}), registered.token
                )
            except CoreUnavailableError as error:
                log.warning("core_unavailable", during="event", reason=str(error))
                await asyncio.sleep(next(pauses))
            except CoreRefusedError as error:
                if error.status not in (401, 404):  # what is told may be lost, answers may not
                    log.warning("event_refused", status=error.status, code=error.code)
                    return
                # A heartbeat learns the same, and then there is a new token.
                if self._registered is registered:
                    self._known.clear()
            else:
                return

    async def _wait_for_registration(self) -> PluginRegistrationResponseV1:
        while True:
            await self._known.wait()
            if self._registered is not None:
                return self._registered
