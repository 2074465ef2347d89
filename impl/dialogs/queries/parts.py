"""What several of the statements say alike."""

# One message of a history, as plugins and bots read it.
MESSAGE = """jsonb_build_object(
    'sender_type', sender_type, 'payload', payload, 'created_at', created_at,
    'message_id', message_id, 'plugin_id', plugin_id)"""

# The columns of a call's event; payloads stay in `plugin_calls`, streams and audit carry ids only.
CALL_EVENT = """
    SELECT $1::uuid AS event_id, 'core' AS source, $2::text AS event_type, $3::text AS severity,
        $4::text AS stream, plugin_id, dialog_id, trace_id, jsonb_build_object(
            'plugin_id', plugin_id, 'invocation_id', invocation_id, 'dialog_id', dialog_id,
            'request_payload', NULL, 'response_payload', NULL, 'status', status,
            'error_code', error_code, 'started_at', started_at, 'finished_at', finished_at
        ) AS payload
    FROM call
"""
