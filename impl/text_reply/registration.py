"""Being known to the core: the registration, and the heartbeats that keep it alive."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Never

import structlog

from generated.models import PluginRegistrationRequestV1, PluginRegistrationResponseV1
from impl.text_reply.core_api import CoreApi, CoreRefusedError, CoreUnavailableError, backoff
from impl.text_reply.figures import Figures
from impl.text_reply.manifest import MANIFEST

log = structlog.get_logger()

RENEW_AFTER = 0.8  # of the token's life


class Registration:
    def __init__(
        self,
        api: CoreApi,
        *,
        base_url: str,
        registry_key: str,
        heartbeat_seconds: float,
        figures: Figures,
        on_registered: Callable[[PluginRegistrationResponseV1], None],
        announce_ready: Callable[[], None],
    ) -> None:
        self._api = api
        self._request = PluginRegistrationRequestV1(
            name=MANIFEST.name,
            version=MANIFEST.version,
            base_url=base_url,
            manifest=MANIFEST.model_dump(mode="json"),
            scopes=MANIFEST.auth.scopes,
        )
        self._registry_key = registry_key
        self._heartbeat_seconds = heartbeat_seconds
        self._figures = figures
        self._on_registered = on_registered
        self._announce_ready = announce_ready
        self._status = ""

    async def run(self) -> Never:
        """Register, and again whenever the token is refused or ages. Raises CoreRefusedError."""
        while True:
            registered = await self._register()
            await self._beat(registered)

    async def _register(self) -> PluginRegistrationResponseV1:
        pauses, told = backoff(), ""
        while True:
            try:
                registered = await self._api.register(self._request, self._registry_key)
            except CoreUnavailableError as error:
                if str(error) != told:  # once for each reason
                    told = str(error)
                    log.warning("core_unavailable", during="registration", reason=told)
                await asyncio.sleep(next(pauses))
            else:
                self._on_registered(registered)
                log.info("registered", plugin_id=str(registered.plugin_id))
                return registered

    async def _beat(self, registered: PluginRegistrationResponseV1) -> None:
        """Give signs of life until the token is refused, or it is time for a new one."""
        renewal = time.monotonic() + self._seconds_to_renewal(registered)
        pauses, accepted = backoff(), False
        while (left := renewal - time.monotonic()) > 0:
            pause = self._heartbeat_seconds
            try:
                await self._heartbeat(registered)
                pauses, accepted = backoff(), True
            except CoreUnavailableError as error:
                log.warning("core_unavailable", during="heartbeat", reason=str(error))
                pause = min(pause, next(pauses))
            except CoreRefusedError as error:
                if error.status not in (401, 404):
                    raise
                log.warning("token_refused", status=error.status, code=error.code)
                if not accepted:  # a core that refuses its newest token is not to be hammered
                    await asyncio.sleep(pause)
                return
            await asyncio.sleep(min(pause, left))

    async def _heartbeat(self, registered: PluginRegistrationResponseV1) -> None:
        body = self._figures.heartbeat(registered.plugin_id)
        ack = await self._api.heartbeat(body, registered.token)
        if ack.status != self._status:
            self._status = ack.status
            log.info("status", status=ack.status)
        self._announce_ready()

    def _seconds_to_renewal(self, registered: PluginRegistrationResponseV1) -> float:
        """By the core's clock alone; never more often than the heartbeats."""
        life: timedelta = registered.expires_at - registered.issued_at
        return max(life.total_seconds() * RENEW_AFTER, self._heartbeat_seconds)
