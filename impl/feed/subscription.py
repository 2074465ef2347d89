"""What one reader waits for: bounded, so that one who reads slowly costs nobody but itself."""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from impl.feed.events import Event
from impl.telemetry.queries.listing import Filters

End = Literal["client", "database", "max_seconds", "slow", "stopping", "token"]
# Of frames that wait for one reader. They are shared with the others'.
MOST_BYTES = 1024 * 1024


@dataclass(slots=True, eq=False)
class Subscription:
    """`position` is that of the last event which this reader was told, or which did not fit."""

    token_id: str
    reader: UUID | None
    filters: Filters
    position: int = 0
    end: End | None = None
    _waiting: deque[bytes] = field(default_factory=deque)
    _bytes: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, event: Event) -> None:
        if self.end is not None or event.position <= self.position:
            return
        frame = event.frame(self.reader)
        self._bytes += len(frame)
        if self._bytes > MOST_BYTES:
            self.stop("slow")
            return
        self._waiting.append(frame)
        self._changed.set()

    def stop(self, end: End) -> None:
        """Whoever waits is told at once; what waits is told when the reader comes back."""
        if self.end is None:
            self.end = end
        self._waiting.clear()
        self._changed.set()

    async def take(self, seconds: float) -> bytes:
        """All that waits, or nothing after `seconds` or where it was stopped."""
        if not self._waiting and self.end is None:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
        # Something may have come at the last moment: nothing means that there is nothing.
        taken = b"".join(self._waiting)
        self._waiting.clear()
        self._bytes = 0
        return taken
