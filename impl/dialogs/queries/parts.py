"""What several of the statements say alike."""

# One message of a history, as plugins and bots read it.
MESSAGE = """jsonb_build_object(
    'sender_type', sender_type, 'payload', payload, 'created_at', created_at,
    'message_id', message_id, 'plugin_id', plugin_id)"""

# The call by which a message will be answered; `key` is the message's row of message_keys.
OPEN_CALL = """FROM plugin_calls AS call
        WHERE call.dialog_id = key.dialog_id AND call.message_id = key.message_id
            AND call.status IN ('queued', 'in_progress')"""

# Its trace, where the bot was told that the answer comes later.
QUEUED_TRACE = f"""CASE WHEN key.fingerprint IS NOT NULL AND key.response IS NULL THEN (
        SELECT call.trace_id {OPEN_CALL} AND call.queued_at IS NOT NULL LIMIT 1
    ) END"""  # constants of our own

# Whose answer is the dialog's latest, and how old that is: nothing before a reset, or older than a
# conversation. Of a dialog whose plugins all fail only the newest calls are looked at.
LAST_PLUGIN = """SELECT plugins.name AS plugin,
        extract(epoch FROM now() - recent.finished_at)::float8 AS seconds
    FROM (
        SELECT * FROM plugin_calls WHERE dialog_id = dialog.id ORDER BY created_at DESC LIMIT 20
    ) AS recent JOIN plugins ON plugins.id = recent.plugin_id
    WHERE recent.status = 'succeeded' AND recent.reset_version = dialog.reset_version
        AND recent.finished_at > now() - interval '10 minutes'
    ORDER BY recent.seq DESC LIMIT 1"""
