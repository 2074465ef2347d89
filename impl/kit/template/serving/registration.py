"""Makes the plugin known to the core, and keeps it alive there by heartbeats."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import aiohttp

Json = dict[str, Any]

TIMEOUT = aiohttp.ClientTimeout(total=10)
LONGEST_PAUSE = 5.0
WRONG_KEY = " Is BOTCORE_REGISTRY_KEY the registry key of this core?"

log = logging.getLogger("plugin")


class RefusedError(Exception):
    """The core answered 4xx, and will again. `hint` says what may mend it."""

    def __init__(self, status: int, answer: Any, hint: str = "") -> None:
        problem = answer if isinstance(answer, dict) else {}
        told = f"the core refused it: {status} {problem.get('code')}: {problem.get('detail')}{hint}"
        faults = [
            f"  {fault.get('pointer')}: {fault.get('message')}"
            for fault in problem.get("errors") or []
        ]
        super().__init__("\n".join([told, *faults]))
        self.status = status


class Registration:
    """`use` is called with each registration's answer, `ready` when the core took a heartbeat."""

    def __init__(
        self,
        manifest: Json,
        *,
        core_url: str,
        registry_key: str,
        base_url: str,
        use: Callable[[Json], None],
        ready: Callable[[], None],
    ) -> None:
        self._url = f"{core_url.rstrip('/')}/api/v1/plugins"
        self._key = registry_key
        self._use, self._ready = use, ready
        self._pause = float((manifest.get("telemetry") or {}).get("heartbeat_interval_seconds", 30))
        self._body = {
            "name": manifest["name"],
            "version": manifest["version"],
            "base_url": base_url,
            "manifest": manifest,
            "scopes": manifest["auth"].get("scopes", []),
        }

    async def run(self) -> None:
        """For ever. Raises RefusedError: a mistake that waiting does not mend."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            while True:
                key = {"X-Registry-Key": self._key}
                registered = await self._post(session, "register", self._body, key)
                log.info("registered as %s", registered["plugin_id"])
                self._use(registered)
                await self._beat(session, registered)

    async def _beat(self, session: aiohttp.ClientSession, registered: Json) -> None:
        """Until the token is good no more."""
        plugin_id, token = registered["plugin_id"], registered["token"]
        body = {"plugin_id": plugin_id, "status": "active"}
        while True:
            headers = {"Authorization": f"Bearer {token}"}
            try:
                await self._post(session, f"{plugin_id}/heartbeat", body, headers)
            except RefusedError as error:
                if error.status not in (401, 404):
                    raise
                log.warning("%s; registering again", error)
                await asyncio.sleep(1)
                return
            self._ready()
            await asyncio.sleep(self._pause)

    async def _post(
        self, session: aiohttp.ClientSession, path: str, body: Json, headers: dict[str, str]
    ) -> Json:
        """The answer, however long the core is away."""
        pause, told = 0.1, ""
        while True:
            try:
                async with session.post(
                    f"{self._url}/{path}", json=body, headers=headers, allow_redirects=False
                ) as response:
                    answer: Json = await response.json(content_type=None)
                    if response.status in (200, 201):
                        return answer
                    if 400 <= response.status < 500 and response.status != 429:
                        is_key = response.status == 401 and "X-Registry-Key" in headers
                        raise RefusedError(response.status, answer, WRONG_KEY if is_key else "")
                    reason = f"status {response.status}"
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                reason = type(error).__name__
            if reason != told:  # once for each reason
                log.warning("the core at %s is away (%s); trying on", self._url, reason)
                told = reason
            await asyncio.sleep(pause)
            pause = min(pause * 1.3, LONGEST_PAUSE)
