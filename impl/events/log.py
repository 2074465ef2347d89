"""Events join the statement that makes them true.

A statement has a CTE of facts, one row for each event with the payload's members as its columns,
and then `published(…)`. So the audit row, the plugin's event and the outbox row are committed with
the change, or not at all. The event's id comes from `Event.new_id`.
"""

from generated.runtime.events import BODY, Event


def _kept(name: str) -> str:
    return f"""
, {name}_row AS (
    INSERT INTO plugin_events
        (id, plugin_id, source, event_type, severity, payload, dialog_id, occurred_at)
    SELECT event_id, plugin_id, source, event_type, severity, payload, dialog_id, occurred_at
    FROM {name} WHERE plugin_id IS NOT NULL
)
"""  # noqa: S608  # a name of our own


def _told(name: str) -> str:
    return f"""
, {name}_audit AS (
    INSERT INTO audit_logs (event_id, source, action, details, trace_id, severity)
    SELECT event_id, source, event_type, payload, trace_id, severity FROM {name}
), {name}_outbox AS (
    INSERT INTO outbox (event_id, stream, body) SELECT event_id, stream, {BODY} FROM {name}
)
"""  # noqa: S608  # names of our own


def published(
    event: Event, facts: str, *, event_id: str, trace_id: str = "trace_id", named: str = "event"
) -> str:
    """SQL: the CTEs, after the one named `facts`, that publish one event for each of its rows.

    `event_id` and `trace_id` are expressions, a parameter or a column of `facts`. A statement that
    publishes two kinds names the second's CTEs otherwise.
    """
    rows = event.rows(facts, event_id=event_id, trace_id=trace_id)
    return f", {named} AS ({rows}){_kept(named)}{_told(named)}"


def told(event: Event, facts: str, *, event_id: str, trace_id: str, occurred_at: str) -> str:
    """As `published`, for an event that the statement itself puts into `plugin_events`."""
    rows = event.rows(facts, event_id=event_id, trace_id=trace_id, occurred_at=occurred_at)
    return f", event AS ({rows}){_told('event')}"
