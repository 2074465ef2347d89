"""Events join the statement that makes them true.

A statement names what happened in a CTE `event` with the columns (event_id, source, event_type,
severity, stream, plugin_id, dialog_id, trace_id, payload jsonb) and ends with `EVENT_ROWS`. So the
audit row, the plugin's event and the outbox row are committed with the change, or not at all.
"""

from generated.events import STREAMS, EventType

EVENT_ROWS = """
, audit_row AS (
    INSERT INTO audit_logs (event_id, source, action, details, trace_id, severity)
    SELECT event_id, source, event_type, payload, trace_id, severity FROM event
), event_row AS (
    INSERT INTO plugin_events
        (id, plugin_id, source, event_type, severity, payload, dialog_id, occurred_at)
    SELECT event_id, plugin_id, source, event_type, severity, payload, dialog_id, now()
    FROM event WHERE plugin_id IS NOT NULL
), outbox_row AS (
    INSERT INTO outbox (event_id, stream, body)
    SELECT event_id, stream, jsonb_build_object(
        'event_id', event_id, 'event_type', event_type, 'source', source, 'severity', severity,
        'plugin_id', plugin_id, 'dialog_id', dialog_id, 'trace_id', trace_id,
        'occurred_at', now(), 'payload', payload)
    FROM event
)
"""


def stream_of(event_type: EventType, plugin_id: object = None) -> str:
    """The key of the stream that the contract binds the event to."""
    return STREAMS[event_type].replace("{plugin_id}", str(plugin_id))
