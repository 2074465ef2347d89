"""What happened: events, the audit trail, and the outbox that feeds the streams."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE plugin_events (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    plugin_id UUID NOT NULL,
    source TEXT NOT NULL,
    event_type TEXT NOT NULL,
    severity TEXT DEFAULT 'info' NOT NULL,
    payload JSONB DEFAULT '{}' NOT NULL,
    dialog_id UUID,
    occurred_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_plugin_events PRIMARY KEY (id),
    CONSTRAINT ck_plugin_events_source_value
        CHECK (source IN ('user', 'core', 'plugin', 'system')),
    CONSTRAINT ck_plugin_events_event_type_value
        CHECK (
            event_type IN (
                'plugin_registered', 'plugin_heartbeat', 'plugin_heartbeat_missed',
                'plugin_invocation_started', 'plugin_invocation_completed',
                'plugin_failed', 'plugin_timeout', 'plugin_recovered', 'plugin_disabled',
                'llm_unavailable'
            )
            OR starts_with(event_type, 'plugin_custom_')
        ),
    CONSTRAINT ck_plugin_events_event_type_length
        CHECK (char_length(event_type) BETWEEN 1 AND 128),
    CONSTRAINT ck_plugin_events_severity_value
        CHECK (severity IN ('info', 'warning', 'critical')),
    CONSTRAINT ck_plugin_events_payload_size CHECK (octet_length(payload::text) <= 65536),
    CONSTRAINT fk_plugin_events_plugin_id FOREIGN KEY(plugin_id) REFERENCES plugins (id)
);
CREATE INDEX ix_plugin_events_plugin_id_occurred_at ON plugin_events (plugin_id, occurred_at);

CREATE TABLE audit_logs (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id UUID,
    source TEXT NOT NULL,
    action TEXT NOT NULL,
    details JSONB DEFAULT '{}' NOT NULL,
    trace_id UUID NOT NULL,
    severity TEXT DEFAULT 'info' NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_audit_logs PRIMARY KEY (id),
    CONSTRAINT ck_audit_logs_source_value
        CHECK (source IN ('user', 'core', 'plugin', 'system')),
    CONSTRAINT ck_audit_logs_severity_value CHECK (severity IN ('info', 'warning', 'critical')),
    CONSTRAINT ck_audit_logs_action_length CHECK (char_length(action) BETWEEN 1 AND 128),
    CONSTRAINT ck_audit_logs_details_size CHECK (octet_length(details::text) <= 65536)
);
CREATE INDEX ix_audit_logs_created_at ON audit_logs (created_at);
CREATE INDEX ix_audit_logs_trace_id ON audit_logs (trace_id);
CREATE UNIQUE INDEX uq_audit_logs_event_id ON audit_logs (event_id) WHERE event_id IS NOT NULL;

CREATE TABLE outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id UUID NOT NULL,
    stream TEXT NOT NULL,
    body JSONB NOT NULL,
    position BIGINT,
    published_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT uq_outbox_event_id UNIQUE (event_id),
    CONSTRAINT ck_outbox_stream_length CHECK (char_length(stream) BETWEEN 1 AND 255),
    CONSTRAINT ck_outbox_body_size CHECK (octet_length(body::text) <= 65536)
);
CREATE INDEX ix_outbox_unpublished ON outbox (stream, position)
    WHERE position IS NOT NULL AND published_at IS NULL;
CREATE INDEX ix_outbox_waiting ON outbox (stream, id) WHERE position IS NULL;
CREATE UNIQUE INDEX uq_outbox_stream_position ON outbox (stream, position)
    WHERE position IS NOT NULL;

CREATE TABLE streams (
    name TEXT NOT NULL,
    last_position BIGINT DEFAULT 0 NOT NULL,
    published_position BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT pk_streams PRIMARY KEY (name),
    CONSTRAINT ck_streams_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    CONSTRAINT ck_streams_last_position_value CHECK (last_position >= 0),
    CONSTRAINT ck_streams_published_position_value CHECK (published_position >= 0)
);
"""


def upgrade() -> None:
    # One at a time: a prepared statement holds one, and asyncpg prepares them all.
    for statement in TABLES.strip().split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    for table in ("streams", "outbox", "audit_logs", "plugin_events"):
        op.execute(f"DROP TABLE {table}")
