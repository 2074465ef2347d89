"""Pages of the audit trail, the newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from generated import models
from impl.db import Executor

# Sources and severities are written out, not passed: only so does a plan that is kept use the
# indexes that leave the core's own and the routine out.
_LITERAL = {
    **{("source", name): f"source = '{name}'" for name in ("user", "core", "plugin", "system")},
    **{("severity", name): f"severity = '{name}'" for name in ("info", "warning", "critical")},
}
_PASSED = {
    "trace_id": "trace_id = {}",
    "action": "action = {}",
    "from_": "created_at >= {}",
    "to": "created_at < {}",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """All that are given must fit."""

    trace_id: UUID | None = None
    action: str | None = None
    source: models.AuditSource | None = None
    severity: models.Severity | None = None
    from_: datetime | None = None
    to: datetime | None = None  # this moment itself is not included


@dataclass(frozen=True, slots=True)
class Entry:
    id: int
    event_id: UUID | None
    source: models.AuditSource
    action: str
    details: dict[str, Any]
    trace_id: UUID
    severity: models.Severity
    created_at: datetime


async def list_entries(
    executor: Executor, filters: Filters, *, after: tuple[datetime, int] | None, limit: int
) -> list[Entry]:
    """`after` is when the last entry of the page before was made, and its id."""
    sql, values = statement(filters, after)
    rows = await executor.fetch(sql, *values, limit)
    return [Entry(**row) for row in rows]


def statement(
    filters: Filters, after: tuple[datetime, int] | None
) -> tuple[str, tuple[object, ...]]:
    """The SQL of what is asked for and no more, so that each filter finds its index."""
    conditions: list[str] = []
    values: list[object] = []
    for name in Filters.__slots__:
        value = getattr(filters, name)
        if value is None:
            continue
        if name in _PASSED:
            values.append(value)
            conditions.append(_PASSED[name].format(f"${len(values)}"))
        else:
            conditions.append(_LITERAL[name, value])
    if after is not None:
        values += after
        conditions.append(f"(created_at, id) < (${len(values) - 1}, ${len(values)})")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"""
    SELECT id, event_id, source, action, details, trace_id, severity, created_at
    FROM audit_logs {where} ORDER BY created_at DESC, id DESC LIMIT ${len(values) + 1}
    """  # noqa: S608  # constants of our own
    return sql, tuple(values)
