"""Tells this process of tokens that others revoked, narrowed or let end."""

import structlog

from impl.db import UNAVAILABLE, Executor
from impl.events.wire import Bell
from impl.tokens import queries
from impl.tokens.verifier import TokenVerifier

log = structlog.get_logger()


class TokenChanges:
    """Looks when `told` rings, and by itself now and then: a wake-up may be lost.

    `then` rings for whoever else holds tokens: the streams that are open.
    """

    def __init__(self, pool: Executor, verifier: TokenVerifier, told: Bell, then: Bell) -> None:
        self._pool = pool
        self._verifier = verifier
        self._told = told
        self._then = then
        self._seen: dict[str, int] = {}
        self._away = False

    async def watch(self, every_seconds: float) -> None:
        """Never ends. While the database is away nobody can revoke a token."""
        while True:
            try:
                await self.look()
            except UNAVAILABLE as error:
                if not self._away:
                    log.warning("tokens_unwatched", reason=type(error).__name__)
                self._away = True
            else:
                self._away = False
            await self._told.wait(every_seconds)

    async def look(self) -> None:
        changed = await queries.changed(self._pool)
        fresh = {key: value for key, value in changed.items() if self._seen.get(key) != value}
        self._seen = changed
        if fresh:
            self._verifier.outdate(fresh)
            self._then.ring()
