"""SQL of the comparison: pages of the outbox, by position."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from impl.db import Executor
from impl.events.queries import ERASED

NAMES = "SELECT name FROM streams ORDER BY name"

# `oldest` is what the table still has: what is older has left it, and cannot be compared.
BOUNDS = """
SELECT last_position AS assigned, published_position AS published, (
    SELECT min(position) FROM outbox WHERE stream = $1 AND position IS NOT NULL) AS oldest
FROM streams WHERE name = $1
"""

PAGE = """
SELECT position, event_id, body FROM outbox
WHERE stream = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4
"""

# `kept`: its entry must be there. What was erased has none once it waits no more to be taken out.
PRESENT = f"""
SELECT position, NOT {ERASED} AS kept, published_at IS NULL AS waits FROM outbox
WHERE stream = $1 AND position = ANY($2::bigint[])
"""  # noqa: S608  # a constant of our own

PLACE = "SELECT position FROM outbox WHERE event_id = $2 AND stream = $1"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one stream: positions given, known to be sent, and the oldest that the table has."""

    assigned: int = 0
    published: int = 0
    oldest: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Without a body it was erased."""

    position: int
    event_id: UUID
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Present:
    """Positions of rows: of those whose entry must be there, of those whose must not, of all."""

    kept: frozenset[int]
    gone: frozenset[int]
    all: frozenset[int]


async def names(executor: Executor) -> list[str]:
    return [row["name"] for row in await executor.fetch(NAMES)]


async def bounds(executor: Executor, stream: str) -> Bounds:
    row = await executor.fetchrow(BOUNDS, stream)
    return Bounds() if row is None else Bounds(**row)


async def page(executor: Executor, stream: str, after: int, upto: int, limit: int) -> list[Row]:
    return [Row(**row) for row in await executor.fetch(PAGE, stream, after, upto, limit)]


async def present(executor: Executor, stream: str, positions: list[int]) -> Present:
    rows = await executor.fetch(PRESENT, stream, positions)
    return Present(
        kept=frozenset(row["position"] for row in rows if row["kept"]),
        gone=frozenset(row["position"] for row in rows if not (row["kept"] or row["waits"])),
        all=frozenset(row["position"] for row in rows),
    )


async def place(executor: Executor, stream: str, event_id: UUID) -> int | None:
    """The position of an event in this stream; None where it is not one of it."""
    position: int | None = await executor.fetchval(PLACE, stream, event_id)
    return position
