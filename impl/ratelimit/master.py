"""The own limits in this process: what Redis is filled from, and what holds while it is away."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from generated.runtime.limits import Partition
from impl.db import Pool
from impl.ratelimit.queries import OwnLimit, read_since


@dataclass
class MasterCopy:
    """As PostgreSQL held them at the last `refresh`. An operator sets each one: they are few."""

    pool: Pool
    version: int = 0
    loaded: bool = False
    _rows: dict[tuple[Partition, UUID], OwnLimit] = field(default_factory=dict)

    async def refresh(self) -> None:
        """One short query where nothing changed. Raises what the database raises."""
        rows = await read_since(self.pool, self.version)
        if self.version and not rows:  # an older state of the database was restored
            rows = await read_since(self.pool, 0)
            self._rows, self.version = {}, 0
        self.take(rows)
        self.loaded = True

    def take(self, rows: Iterable[OwnLimit]) -> None:
        for row in rows:
            known = self._rows.get((row.partition, row.subject_id))
            if known is None or known.version <= row.version:
                self._rows[row.partition, row.subject_id] = row
            self.version = max(self.version, row.version)

    def own(self, partition: Partition, subject_id: UUID) -> tuple[int, int] | None:
        row = self._rows.get((partition, subject_id))
        if row is None or row.quota is None or row.window_seconds is None:
            return None
        return row.quota, row.window_seconds

    def since(self, version: int) -> list[OwnLimit]:
        """What is newer than `version`."""
        return [row for row in self._rows.values() if row.version > version]
