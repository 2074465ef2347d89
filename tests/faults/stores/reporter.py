"""A plugin that reports events of its own, and notes which of them the core has acknowledged."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aiohttp

from tests.faults.bot import Bot
from tests.faults.errors import CannotRunError

EVENT = "plugin_custom_fault"
MAY_REPORT = "telemetry:write"


@dataclass
class Reporter:
    """`rate` events a second; one that is not acknowledged is sent again with the same id.

    `statuses`: as of the others.
    """

    bot: Bot
    url: str
    plugin_id: str
    token: str
    rate: float
    acknowledged: set[str] = field(default_factory=set)
    statuses: Counter[tuple[int, bool]] = field(default_factory=Counter)

    async def run(self) -> None:
        """Until it is cancelled."""
        waiting: list[dict[str, Any]] = []
        while True:
            waiting.append(self._event())
            waiting = [event for event in waiting if not await self._send(event)]
            await asyncio.sleep(1 / self.rate)

    def require_acknowledged(self) -> None:
        """Raises CannotRunError where nothing of it came to anything."""
        if not self.acknowledged:
            raise CannotRunError(f"no event was acknowledged: {dict(self.statuses)}")

    async def _send(self, event: dict[str, Any]) -> bool:
        headers = {"Authorization": f"Bearer {self.token}"}
        place = f"{self.url}/api/v1/plugins/{self.plugin_id}/events"
        try:
            async with self.bot.session.post(place, json=event, headers=headers) as answer:
                await answer.read()
        except (aiohttp.ClientError, OSError):
            self.statuses[0, False] += 1
            return False
        self.statuses[answer.status, "Retry-After" in answer.headers] += 1
        if answer.status >= 300:
            return False
        self.acknowledged.add(event["event_id"])
        return True

    def _event(self) -> dict[str, Any]:
        return {
            "event_id": str(uuid4()), "plugin_id": self.plugin_id, "event_type": EVENT,
            "severity": "warning", "payload": {},
            "occurred_at": datetime.now(tz=UTC).isoformat(),
        }  # fmt: skip
