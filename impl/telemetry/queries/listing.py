"""Pages of events, the newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from generated import models
from impl.db import Executor

_CONDITIONS = {
    "plugin_id": "plugin_id = {}",
    "event_type": "event_type = {}",
    "dialog_id": "dialog_id = {}",
    "from_": "occurred_at >= {}",
    "to": "occurred_at < {}",
}
# Written out, not passed: only so does a plan that is kept use the index without the routine.
_SEVERITIES = {name: f"severity = '{name}'" for name in ("info", "warning", "critical")}


@dataclass(frozen=True, slots=True)
class Filters:
    """All that are given must fit."""

    plugin_id: UUID | None = None
    event_type: str | None = None
    dialog_id: UUID | None = None
    from_: datetime | None = None
    to: datetime | None = None  # this moment itself is not included
    severity: models.Severity | None = None


Place = tuple[datetime, UUID]  # of an event in the order: when it occurred, and its id


async def list_events(
    executor: Executor, filters: Filters, *, reader: UUID | None, after: Place | None, limit: int
) -> list[dict[str, Any]]:
    """Each a PluginEventRecordV1. `reader` is the plugin that may see its own payloads alone."""
    sql, values = statement(filters, reader, after)
    return [dict(row) for row in await executor.fetch(sql, *values, limit)]


def statement(
    filters: Filters, reader: UUID | None, after: Place | None
) -> tuple[str, tuple[object, ...]]:
    """The SQL of what is asked for and no more, so that each filter finds its index."""
    given = {name: getattr(filters, name) for name in _CONDITIONS}
    values: list[object] = [reader, *(value for value in given.values() if value is not None)]
    asked = [_CONDITIONS[name] for name, value in given.items() if value is not None]
    conditions = [text.format(f"${place}") for place, text in enumerate(asked, start=2)]
    if filters.severity is not None:
        conditions.append(_SEVERITIES[filters.severity])
    if after is not None:
        values += after
        conditions.append(f"(occurred_at, id) < (${len(values) - 1}, ${len(values)})")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"""
    SELECT id AS event_id, plugin_id, dialog_id, event_type, source, severity,
        CASE WHEN $1::uuid IS NULL OR plugin_id = $1 THEN payload END AS payload,
        occurred_at, created_at AS received_at
    FROM plugin_events {where} ORDER BY occurred_at DESC, id DESC LIMIT ${len(values) + 1}
    """  # noqa: S608  # constants of our own
    return sql, tuple(values)
