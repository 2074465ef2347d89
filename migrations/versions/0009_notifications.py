"""Webhooks and what is sent to them, failures in a row, and the triggers whose condition holds."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Events from before the migration are nobody's: there was no subscription.
STATEMENTS = """
CREATE TABLE notification_subscriptions (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    bot_id UUID,
    url TEXT NOT NULL,
    event_types TEXT[] DEFAULT '{}' NOT NULL,
    min_severity TEXT DEFAULT 'warning' NOT NULL,
    owner TEXT,
    description TEXT,
    salt UUID DEFAULT gen_random_uuid() NOT NULL,
    old_salt UUID,
    old_secret_until TIMESTAMPTZ,
    failing_since TIMESTAMPTZ,
    disabled_at TIMESTAMPTZ,
    disabled_reason TEXT,
    deleted_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_notification_subscriptions PRIMARY KEY (id),
    CONSTRAINT ck_notification_subscriptions_min_severity_value
        CHECK (min_severity IN ('info', 'warning', 'critical')),
    CONSTRAINT ck_notification_subscriptions_disabled_reason_value
        CHECK (disabled_reason IN ('operator', 'gone', 'failing')),
    CONSTRAINT ck_notification_subscriptions_disabled_reason_given
        CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    CONSTRAINT ck_notification_subscriptions_deleted_at_value
        CHECK (deleted_at IS NULL OR disabled_at IS NOT NULL),
    CONSTRAINT ck_notification_subscriptions_url_length
        CHECK (char_length(url) BETWEEN 1 AND 2048),
    CONSTRAINT ck_notification_subscriptions_owner_length
        CHECK (char_length(owner) BETWEEN 1 AND 256),
    CONSTRAINT ck_notification_subscriptions_description_length
        CHECK (char_length(description) BETWEEN 1 AND 256),
    CONSTRAINT fk_notification_subscriptions_bot_id FOREIGN KEY (bot_id) REFERENCES bots (id)
);
CREATE UNIQUE INDEX uq_notification_subscriptions_bot_id
    ON notification_subscriptions (bot_id) WHERE bot_id IS NOT NULL AND deleted_at IS NULL;
CREATE TABLE notification_deliveries (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    subscription_id UUID NOT NULL,
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    severity TEXT NOT NULL,
    body JSONB NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    next_attempt_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    claim UUID,
    last_status INTEGER,
    last_error TEXT,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    finished_at TIMESTAMPTZ,
    CONSTRAINT pk_notification_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_notification_deliveries_subscription_id_event_id
        UNIQUE (subscription_id, event_id),
    CONSTRAINT ck_notification_deliveries_severity_value
        CHECK (severity IN ('info', 'warning', 'critical')),
    CONSTRAINT ck_notification_deliveries_status_value
        CHECK (status IN ('pending', 'delivered', 'failed')),
    CONSTRAINT ck_notification_deliveries_attempts_value CHECK (attempts >= 0),
    CONSTRAINT ck_notification_deliveries_event_type_length
        CHECK (char_length(event_type) BETWEEN 1 AND 128),
    CONSTRAINT ck_notification_deliveries_last_error_length
        CHECK (char_length(last_error) BETWEEN 1 AND 256),
    CONSTRAINT ck_notification_deliveries_body_size CHECK (octet_length(body::text) <= 65536),
    CONSTRAINT fk_notification_deliveries_subscription_id
        FOREIGN KEY (subscription_id) REFERENCES notification_subscriptions (id)
);
CREATE INDEX ix_notification_deliveries_finished
    ON notification_deliveries (finished_at) WHERE status <> 'pending';
CREATE INDEX ix_notification_deliveries_pending
    ON notification_deliveries (subscription_id, next_attempt_at) WHERE status = 'pending';
CREATE INDEX ix_notification_deliveries_subscription_id_created_at_id
    ON notification_deliveries (subscription_id, created_at, id);
CREATE TABLE notification_cursor (
    id SMALLINT DEFAULT 1 NOT NULL,
    outbox_id BIGINT NOT NULL,
    CONSTRAINT pk_notification_cursor PRIMARY KEY (id),
    CONSTRAINT ck_notification_cursor_id_value CHECK (id = 1)
);
CREATE TABLE plugin_failures (
    plugin_id UUID NOT NULL,
    in_a_row INTEGER NOT NULL,
    CONSTRAINT pk_plugin_failures PRIMARY KEY (plugin_id),
    CONSTRAINT ck_plugin_failures_in_a_row_value CHECK (in_a_row > 0)
);
CREATE TABLE trigger_states (
    trigger_id TEXT NOT NULL,
    since TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_trigger_states PRIMARY KEY (trigger_id),
    CONSTRAINT ck_trigger_states_trigger_id_length
        CHECK (char_length(trigger_id) BETWEEN 1 AND 64)
);
INSERT INTO notification_cursor (outbox_id) SELECT coalesce(max(id), 0) FROM outbox
"""

WAY_BACK = """
DROP TABLE trigger_states;
DROP TABLE plugin_failures;
DROP TABLE notification_cursor;
DROP TABLE notification_deliveries;
DROP TABLE notification_subscriptions
"""


def upgrade() -> None:
    _execute(STATEMENTS)


def downgrade() -> None:
    _execute(WAY_BACK)


def _execute(statements: str) -> None:
    # One at a time: a prepared statement holds one, and asyncpg prepares them all.
    for statement in statements.strip().split(";\n"):
        op.execute(statement)
