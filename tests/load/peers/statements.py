"""The floor's three statements. pgbench runs them too."""

HISTORY = """
SELECT coalesce(jsonb_agg(jsonb_build_object(
    'sender_type', sender_type, 'payload', payload, 'created_at', created_at,
    'message_id', message_id, 'plugin_id', plugin_id) ORDER BY seq), '[]')::text
FROM (SELECT * FROM messages WHERE dialog_id = $1 ORDER BY seq DESC LIMIT 10) AS newest
"""

# Of an event: its row, its audit entry, its way to the stream.
EVENT = """plugin_event AS (
    INSERT INTO plugin_events
        (id, plugin_id, source, event_type, payload, dialog_id, occurred_at)
    VALUES ({event_id}, {plugin_id}, 'core', '{name}', {payload}, {dialog_id}, {at})
), audit AS (
    INSERT INTO audit_logs (event_id, source, action, details, trace_id)
    VALUES ({event_id}, 'core', '{name}', {payload}, {trace_id})
)
INSERT INTO outbox (event_id, stream, body) VALUES ({event_id}, {stream}, {body})"""

_STARTED = EVENT.format(
    name="plugin_invocation_started", event_id="$10", plugin_id="$6", payload="$11",
    dialog_id="$1", at="$12", trace_id="$5", stream="$13", body="$14",
)  # fmt: skip
INTAKE = f"""
WITH dialog AS (
    INSERT INTO dialogs (id, bot_id, user_id, last_message_at) VALUES ($1, $2, $3, now())
    ON CONFLICT (id) DO UPDATE SET updated_at = now(), last_message_at = now()
), key AS (
    INSERT INTO message_keys (dialog_id, message_id, fingerprint, invocation_id)
    VALUES ($1, $4, $15, $7)
), message AS (
    INSERT INTO messages (dialog_id, sender_type, payload, message_id, trace_id)
    VALUES ($1, 'user', $8, $4, $5)
), call AS (
    INSERT INTO plugin_calls (plugin_id, dialog_id, user_id, invocation_id, message_id, trace_id,
        request_payload, routing, status, lease_until, deadline_at)
    VALUES ($6, $1, $3, $7, $4, $5, $9, $16, 'in_progress', now() + interval '30 s',
        now() + interval '300 s')
), {_STARTED}
"""

_COMPLETED = EVENT.format(
    name="plugin_invocation_completed", event_id="$9", plugin_id="$2", payload="$10",
    dialog_id="$1", at="$11", trace_id="$5", stream="$12", body="$13",
)  # fmt: skip
OUTCOME = f"""
WITH call AS (
    UPDATE plugin_calls SET status = 'succeeded', response_payload = $6, latency_ms = $7,
        finished_at = now(), lease_until = NULL
    WHERE plugin_id = $2 AND invocation_id = $3
), reply AS (
    INSERT INTO messages (dialog_id, sender_type, plugin_id, payload, trace_id)
    VALUES ($1, 'plugin', $2, $8, $5)
), key AS (
    UPDATE message_keys SET response = $14 WHERE dialog_id = $1 AND message_id = $4
), {_COMPLETED}
"""
