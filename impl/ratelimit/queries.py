"""The master copy of own limits: those of bots, users and plugins that an operator set."""

from dataclasses import dataclass
from uuid import UUID

from generated.runtime.limits import Partition
from impl.db import Executor

# The newest known row is read too: where it is gone, so is history.
READ_SINCE = """
SELECT partition, subject_id, quota, window_seconds, version
FROM rate_limits WHERE version >= $1 ORDER BY version
"""


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """One subject's; without a quota it is the contract's default again."""

    partition: Partition
    subject_id: UUID
    quota: int | None
    window_seconds: int | None
    version: int


async def read_since(executor: Executor, version: int) -> list[OwnLimit]:
    """Of that version and later, in order."""
    return [OwnLimit(**row) for row in await executor.fetch(READ_SINCE, version)]
