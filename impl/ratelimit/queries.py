"""The master copy of own limits: those of bots, users and plugins that an operator set."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from generated.runtime.limits import Partition
from impl.db import Executor

# The newest known row is read too: where it is gone, so is history.
READ_SINCE = """
SELECT partition, subject_id, quota, window_seconds, version
FROM rate_limits WHERE version >= $1 ORDER BY version
"""

_SUBJECTS: dict[Partition, str] = {
    "bot": "bots WHERE",
    "user": "users WHERE",
    "plugin": "plugins WHERE deleted_at IS NULL AND",
}

READ = {
    partition: f"""
    SELECT quota, window_seconds, updated_at
    FROM (SELECT id FROM {subjects} id = $1) AS subject
    LEFT JOIN rate_limits ON partition = '{partition}' AND subject_id = $1
    """  # noqa: S608  # constants of our own
    for partition, subjects in _SUBJECTS.items()
}

LIST = """
SELECT partition AS subject, subject_id, quota, window_seconds, updated_at
FROM rate_limits WHERE quota IS NOT NULL ORDER BY updated_at DESC, version DESC
"""

# Of two changes the second gets its version after the first has committed: who has read up to a
# version will never find a smaller one that is new.
LOCK_VERSIONS = "SELECT pg_advisory_xact_lock(hashtextextended('botcore.limits', 0))"

SET = """
INSERT INTO rate_limits (partition, subject_id, quota, window_seconds, version)
SELECT $1, $2, $3, $4, coalesce(max(version), 0) + 1 FROM rate_limits
ON CONFLICT (partition, subject_id) DO UPDATE SET quota = excluded.quota,
    window_seconds = excluded.window_seconds, version = excluded.version, updated_at = now()
WHERE (rate_limits.quota, rate_limits.window_seconds)
    IS DISTINCT FROM (excluded.quota, excluded.window_seconds)
RETURNING partition, subject_id, quota, window_seconds, version
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A bot, a user or a plugin."""

    partition: Partition
    id: UUID

    def described(self) -> dict[str, object]:
        """As the audit trail names it."""
        return {f"{self.partition}_id": self.id}


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """One subject's; without a quota it is the contract's default again."""

    partition: Partition
    subject_id: UUID
    quota: int | None
    window_seconds: int | None
    version: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What an operator set for a subject; without a quota, nothing that still holds."""

    quota: int | None
    window_seconds: int | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An own limit that holds."""

    subject: Partition
    subject_id: UUID
    quota: int
    window_seconds: int
    updated_at: datetime


async def read_since(executor: Executor, version: int) -> list[OwnLimit]:
    """Of that version and later, in order."""
    return [OwnLimit(**row) for row in await executor.fetch(READ_SINCE, version)]


async def read(executor: Executor, subject: Subject) -> Setting | None:
    """None where there is no such subject."""
    row = await executor.fetchrow(READ[subject.partition], subject.id)
    return None if row is None else Setting(**row)


async def list_own(executor: Executor) -> list[Listed]:
    """What was set last comes first."""
    return [Listed(**row) for row in await executor.fetch(LIST)]


async def lock_versions(executor: Executor) -> None:
    """Until the transaction ends. Before every `store`, in a statement of its own."""
    await executor.execute(LOCK_VERSIONS)


async def store(
    executor: Executor, subject: Subject, quota: int | None, window_seconds: int | None
) -> OwnLimit | None:
    """None where that is what holds already."""
    row = await executor.fetchrow(SET, subject.partition, subject.id, quota, window_seconds)
    return None if row is None else OwnLimit(**row)
