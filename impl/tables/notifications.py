"""Webhooks, what is sent to them, and how far the events were looked through for them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from impl.tables.base import (
    SEVERITIES,
    length,
    metadata,
    moment,
    moment_now,
    one_of,
    reference,
    size,
    uuid_key,
    words,
)

# A secret is made of its salt and the core's own key: what stands here signs nothing.
notification_subscriptions = Table(
    "notification_subscriptions",
    metadata,
    uuid_key(),
    reference("bot_id", "bots.id", nullable=True),  # whose callback it is
    Column("url", Text, nullable=False),
    words("event_types"),
    Column("min_severity", Text, nullable=False, server_default=text("'warning'")),
    Column("owner", Text),
    Column("description", Text),
    Column("salt", Uuid, nullable=False, server_default=text("gen_random_uuid()")),
    Column("old_salt", Uuid),
    moment("old_secret_until"),
    moment("failing_since"),
    moment("disabled_at"),
    Column("disabled_reason", Text),
    moment("deleted_at"),
    moment_now("created_at"),
    moment_now("updated_at"),
    one_of("min_severity", SEVERITIES),
    one_of("disabled_reason", ("operator", "gone", "failing")),
    CheckConstraint(
        "(disabled_at IS NULL) = (disabled_reason IS NULL)", name="disabled_reason_given"
    ),
    CheckConstraint("deleted_at IS NULL OR disabled_at IS NOT NULL", name="deleted_at_value"),
    length("url", 2048),
    length("owner", 256),
    length("description", 256),
    Index(
        "uq_notification_subscriptions_bot_id",
        "bot_id",
        unique=True,
        postgresql_where=text("bot_id IS NOT NULL AND deleted_at IS NULL"),
    ),
    info={"about": "Webhooks, what each is sent, and whether it takes it."},
)

# Whoever claims a delivery moves `next_attempt_at` beyond the attempt's end: one whose worker died
# is due again then.
notification_deliveries = Table(
    "notification_deliveries",
    metadata,
    uuid_key(),
    reference("subscription_id", "notification_subscriptions.id"),
    Column("event_id", Uuid, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment_now("next_attempt_at"),
    Column("claim", Uuid),
    Column("last_status", Integer),
    Column("last_error", Text),
    moment_now("created_at"),
    moment("finished_at"),
    UniqueConstraint("subscription_id", "event_id"),
    one_of("severity", SEVERITIES),
    one_of("status", ("pending", "delivered", "failed")),
    CheckConstraint("attempts >= 0", name="attempts_value"),
    length("event_type", 128),
    length("last_error", 256),
    size("body"),
    Index(
        "ix_notification_deliveries_pending",
        "subscription_id",
        "next_attempt_at",
        postgresql_where=text("status = 'pending'"),
    ),
    Index(None, "subscription_id", "created_at", "id"),
    Index(
        "ix_notification_deliveries_finished",
        "finished_at",
        postgresql_where=text("status <> 'pending'"),
    ),
    info={"about": "Each notification on its way to each webhook; its id is the `webhook-id`."},
)

notification_cursor = Table(
    "notification_cursor",
    metadata,
    Column("id", SmallInteger, primary_key=True, server_default=text("1")),
    Column("outbox_id", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="id_value"),
    info={"about": "Up to which row of `outbox` every event was looked at; one row."},
)

plugin_failures = Table(
    "plugin_failures",
    metadata,
    Column("plugin_id", Uuid, primary_key=True),
    Column("in_a_row", Integer, nullable=False),
    CheckConstraint("in_a_row > 0", name="in_a_row_value"),
    info={"about": "How many calls of a plugin failed by its own fault since one succeeded."},
)

trigger_states = Table(
    "trigger_states",
    metadata,
    Column("trigger_id", Text, primary_key=True),
    moment_now("since"),
    length("trigger_id", 64),
    info={"about": "The triggers whose condition holds, since when; a row goes when it ends."},
)
