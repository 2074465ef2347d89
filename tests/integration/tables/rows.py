"""One row for every table, with nothing given that has a default."""

import asyncpg

STATEMENTS = (
    "INSERT INTO bots (name) VALUES ('bot')",
    "INSERT INTO users (telegram_id) VALUES (7)",
    """INSERT INTO bot_users (bot_id, user_id, display_name)
       SELECT bots.id, users.id, 'Anna' FROM bots, users""",
    """INSERT INTO plugins (name, version, base_url, manifest, manifest_hash)
       VALUES ('echo', '1.0.0', 'http://localhost:1', '{}', 'abc')""",
    """INSERT INTO tokens (id, kind, bot_id, hash)
       SELECT 'abcdefghijklmnop', 'bot', id, 'hash' FROM bots""",
    """INSERT INTO dialogs (bot_id, user_id) SELECT bots.id, users.id FROM bots, users""",
    """INSERT INTO messages (dialog_id, sender_type, payload, trace_id)
       SELECT id, 'user', '{"type": "text", "text": "hello"}', gen_random_uuid() FROM dialogs""",
    """INSERT INTO message_keys (dialog_id, message_id, fingerprint, invocation_id)
       SELECT id, 'm1', sha256('x'), gen_random_uuid() FROM dialogs""",
    """INSERT INTO plugin_calls (plugin_id, dialog_id, invocation_id, request_payload, trace_id)
       SELECT plugins.id, dialogs.id, gen_random_uuid(), '{}', gen_random_uuid()
       FROM plugins, dialogs""",
    """INSERT INTO plugin_events (plugin_id, source, event_type)
       SELECT id, 'core', 'plugin_registered' FROM plugins""",
    """INSERT INTO audit_logs (source, action, trace_id)
       VALUES ('core', 'plugin_registered', gen_random_uuid())""",
    """INSERT INTO outbox (event_id, stream, body)
       VALUES (gen_random_uuid(), 'plugin:events', '{}')""",
    """INSERT INTO classifier_models (catalogue_version, claimed_until) VALUES ('v1', now())""",
    "INSERT INTO feed (event_id) SELECT id FROM plugin_events",
    """INSERT INTO rate_limits (partition, subject_id, version)
       VALUES ('bot', gen_random_uuid(), 1)""",
    "INSERT INTO streams (name) VALUES ('plugin:events')",
    "INSERT INTO notification_subscriptions (url) VALUES ('https://hooks.example.com/')",
    """INSERT INTO notification_deliveries (subscription_id, event_id, event_type, severity, body)
       SELECT id, gen_random_uuid(), 'plugin_disabled', 'warning', '{}'
       FROM notification_subscriptions""",
    "INSERT INTO plugin_failures (plugin_id, in_a_row) SELECT id, 1 FROM plugins",
    "INSERT INTO erasures (user_id) VALUES (gen_random_uuid())",
    "INSERT INTO trigger_states (trigger_id) VALUES ('TR-010')",
)


async def fill(connection: asyncpg.Connection) -> None:
    for statement in STATEMENTS:
        await connection.execute(statement)
