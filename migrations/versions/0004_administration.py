"""What operators need: rate limits of their own, deleted plugins, named keys, pages of events."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Columns first: each takes its table for a moment only. The indexes hold up writers while they are
# built, and nobody who reads.
STATEMENTS = """
ALTER TABLE plugins ADD COLUMN deleted_at TIMESTAMPTZ,
    ADD CONSTRAINT ck_plugins_deleted_at_value
        CHECK (deleted_at IS NULL OR disabled_at IS NOT NULL);
ALTER TABLE tokens ADD COLUMN name TEXT,
    ADD CONSTRAINT ck_tokens_name_length CHECK (char_length(name) BETWEEN 1 AND 64);
ALTER TABLE plugin_events ADD COLUMN fingerprint BYTEA,
    ADD CONSTRAINT ck_plugin_events_fingerprint_length
        CHECK (octet_length(fingerprint) BETWEEN 16 AND 64);
CREATE TABLE rate_limits (
    partition TEXT NOT NULL,
    subject_id UUID NOT NULL,
    quota INTEGER,
    window_seconds INTEGER,
    version BIGINT NOT NULL,
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_rate_limits PRIMARY KEY (partition, subject_id),
    CONSTRAINT uq_rate_limits_version UNIQUE (version),
    CONSTRAINT ck_rate_limits_partition_value CHECK (partition IN ('bot', 'user', 'plugin')),
    CONSTRAINT ck_rate_limits_quota_value CHECK (quota BETWEEN 1 AND 1000000),
    CONSTRAINT ck_rate_limits_window_seconds_value CHECK (window_seconds BETWEEN 1 AND 86400),
    CONSTRAINT ck_rate_limits_both CHECK ((quota IS NULL) = (window_seconds IS NULL))
);
CREATE INDEX ix_plugin_events_occurred_at_id ON plugin_events (occurred_at, id);
CREATE INDEX ix_plugin_events_dialog_id_occurred_at ON plugin_events (dialog_id, occurred_at);
CREATE INDEX ix_plugin_events_event_type_occurred_at ON plugin_events (event_type, occurred_at);
CREATE INDEX ix_plugin_events_unusual ON plugin_events (severity, occurred_at)
    WHERE severity <> 'info';
CREATE INDEX ix_audit_logs_action_created_at ON audit_logs (action, created_at);
CREATE INDEX ix_audit_logs_unusual ON audit_logs (severity, created_at) WHERE severity <> 'info';
CREATE INDEX ix_audit_logs_by_others ON audit_logs (source, created_at) WHERE source <> 'core'
"""

WAY_BACK = """
DROP INDEX ix_audit_logs_by_others;
DROP INDEX ix_audit_logs_unusual;
DROP INDEX ix_audit_logs_action_created_at;
DROP INDEX ix_plugin_events_unusual;
DROP INDEX ix_plugin_events_event_type_occurred_at;
DROP INDEX ix_plugin_events_dialog_id_occurred_at;
DROP INDEX ix_plugin_events_occurred_at_id;
DROP TABLE rate_limits;
ALTER TABLE plugin_events DROP COLUMN fingerprint;
ALTER TABLE tokens DROP COLUMN name;
ALTER TABLE plugins DROP COLUMN deleted_at
"""


def upgrade() -> None:
    _execute(STATEMENTS)


def downgrade() -> None:
    _execute(WAY_BACK)


def _execute(statements: str) -> None:
    # One at a time: a prepared statement holds one, and asyncpg prepares them all.
    for statement in statements.strip().split(";\n"):
        op.execute(statement)
