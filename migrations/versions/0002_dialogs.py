"""Dialogs, their messages, and the plugin calls that answer them."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE dialogs (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    bot_id UUID NOT NULL,
    user_id UUID NOT NULL,
    status TEXT DEFAULT 'active' NOT NULL,
    reset_version INTEGER DEFAULT 0 NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    last_message_at TIMESTAMPTZ,
    CONSTRAINT pk_dialogs PRIMARY KEY (id),
    CONSTRAINT ck_dialogs_status_value CHECK (status IN ('active', 'archived')),
    CONSTRAINT ck_dialogs_reset_version_value CHECK (reset_version >= 0),
    CONSTRAINT fk_dialogs_bot_id FOREIGN KEY(bot_id) REFERENCES bots (id),
    CONSTRAINT fk_dialogs_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_dialogs_bot_id_created_at ON dialogs (bot_id, created_at);
CREATE INDEX ix_dialogs_user_id_status ON dialogs (user_id, status);

CREATE TABLE messages (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    dialog_id UUID NOT NULL,
    sender_type TEXT NOT NULL,
    plugin_id UUID,
    payload JSONB NOT NULL,
    llm_usage JSONB,
    message_id TEXT,
    trace_id UUID NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_messages PRIMARY KEY (id),
    CONSTRAINT ck_messages_sender_type_value CHECK (sender_type IN ('user', 'core', 'plugin')),
    CONSTRAINT ck_messages_message_id_length CHECK (char_length(message_id) BETWEEN 1 AND 128),
    CONSTRAINT ck_messages_payload_size CHECK (octet_length(payload::text) <= 65536),
    CONSTRAINT ck_messages_llm_usage_size CHECK (octet_length(llm_usage::text) <= 65536),
    CONSTRAINT fk_messages_dialog_id
        FOREIGN KEY(dialog_id) REFERENCES dialogs (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_messages_dialog_id_message_id ON messages (dialog_id, message_id)
    WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX uq_messages_dialog_id_seq ON messages (dialog_id, seq);

CREATE TABLE message_keys (
    dialog_id UUID NOT NULL,
    message_id TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    invocation_id UUID NOT NULL,
    response BYTEA,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_message_keys PRIMARY KEY (dialog_id, message_id),
    CONSTRAINT ck_message_keys_message_id_length
        CHECK (char_length(message_id) BETWEEN 1 AND 128),
    CONSTRAINT ck_message_keys_fingerprint_length
        CHECK (octet_length(fingerprint) BETWEEN 16 AND 64),
    CONSTRAINT fk_message_keys_dialog_id
        FOREIGN KEY(dialog_id) REFERENCES dialogs (id) ON DELETE CASCADE
);
CREATE INDEX ix_message_keys_created_at ON message_keys (created_at);

CREATE TABLE plugin_calls (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    plugin_id UUID NOT NULL,
    dialog_id UUID NOT NULL,
    invocation_id UUID NOT NULL,
    message_id TEXT,
    user_id UUID,
    reset_version INTEGER DEFAULT 0 NOT NULL,
    request_payload JSONB NOT NULL,
    response_payload JSONB,
    routing JSONB,
    latency_ms INTEGER,
    status TEXT DEFAULT 'queued' NOT NULL,
    error_code TEXT,
    trace_id UUID NOT NULL,
    attempt INTEGER DEFAULT 1 NOT NULL,
    lease_until TIMESTAMPTZ,
    deadline_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    started_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    finished_at TIMESTAMPTZ,
    CONSTRAINT pk_plugin_calls PRIMARY KEY (id),
    CONSTRAINT uq_plugin_calls_plugin_id_invocation_id UNIQUE (plugin_id, invocation_id),
    CONSTRAINT ck_plugin_calls_status_value
        CHECK (
            status IN ('queued', 'in_progress', 'succeeded', 'failed', 'timeout', 'rejected')
        ),
    CONSTRAINT ck_plugin_calls_reset_version_value CHECK (reset_version >= 0),
    CONSTRAINT ck_plugin_calls_latency_ms_value CHECK (latency_ms >= 0),
    CONSTRAINT ck_plugin_calls_attempt_value CHECK (attempt >= 0),
    CONSTRAINT ck_plugin_calls_message_id_length
        CHECK (char_length(message_id) BETWEEN 1 AND 128),
    CONSTRAINT ck_plugin_calls_error_code_length
        CHECK (char_length(error_code) BETWEEN 1 AND 128),
    CONSTRAINT ck_plugin_calls_request_payload_size
        CHECK (octet_length(request_payload::text) <= 65536),
    CONSTRAINT ck_plugin_calls_response_payload_size
        CHECK (octet_length(response_payload::text) <= 65536),
    CONSTRAINT ck_plugin_calls_routing_size CHECK (octet_length(routing::text) <= 65536),
    CONSTRAINT fk_plugin_calls_plugin_id FOREIGN KEY(plugin_id) REFERENCES plugins (id),
    CONSTRAINT fk_plugin_calls_dialog_id FOREIGN KEY(dialog_id) REFERENCES dialogs (id)
);
CREATE INDEX ix_plugin_calls_dialog_id_created_at ON plugin_calls (dialog_id, created_at);
CREATE INDEX ix_plugin_calls_lease_until ON plugin_calls (lease_until)
    WHERE status = 'in_progress';
CREATE INDEX ix_plugin_calls_status_started_at ON plugin_calls (status, started_at);
"""

# A statement-level trigger: an insert of many rows costs one update a dialog. It runs at the end
# of the statement, so it also finds a dialog that the same statement created.
FUNCTION = """
CREATE FUNCTION note_last_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE dialogs SET last_message_at = latest.created_at
    FROM (
        SELECT dialog_id, max(created_at) AS created_at FROM inserted GROUP BY dialog_id
    ) AS latest
    WHERE dialogs.id = latest.dialog_id
        AND (dialogs.last_message_at IS NULL OR dialogs.last_message_at < latest.created_at);
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER messages_note_last_message AFTER INSERT ON messages
REFERENCING NEW TABLE AS inserted
FOR EACH STATEMENT EXECUTE FUNCTION note_last_message()
"""


def upgrade() -> None:
    # One at a time: a prepared statement holds one, and asyncpg prepares them all.
    for statement in TABLES.strip().split(";\n"):
        op.execute(statement)
    op.execute(FUNCTION)
    op.execute(TRIGGER)


def downgrade() -> None:
    for table in ("plugin_calls", "message_keys", "messages", "dialogs"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION note_last_message()")
