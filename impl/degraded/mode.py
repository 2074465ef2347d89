"""The mode as an instance of the API tells it: what the workers found, and what it sees itself."""

import structlog

from impl.db import UNAVAILABLE, Pool
from impl.degraded import queries
from impl.degraded.gate import Gate
from impl.degraded.queries import Known, Rules

log = structlog.get_logger()


class Mode:
    def __init__(self, pool: Pool, gate: Gate, rules: Rules) -> None:
        self._pool = pool
        self._gate = gate
        self._rules = rules
        self._known = Known(watched=False, degraded=False, lag_seconds=0)

    @property
    def degraded(self) -> bool:
        """Without a worker that looks, the lag is this instance's own to judge."""
        late = not self._known.watched and self._known.lag_seconds > self._rules.lag
        return self._gate.away or self._known.degraded or late

    async def refresh(self) -> None:
        """Once a second, never for a request. While the database is away, what was known stays."""
        try:
            self._known = await queries.read(self._pool, self._rules)
        except UNAVAILABLE as error:
            log.warning("mode_not_read", reason=type(error).__name__)
