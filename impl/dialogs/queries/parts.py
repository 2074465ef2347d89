"""What several of the statements say alike."""

# One message of a history, as plugins and bots read it.
MESSAGE = """jsonb_build_object(
    'sender_type', sender_type, 'payload', payload, 'created_at', created_at,
    'message_id', message_id, 'plugin_id', plugin_id)"""
