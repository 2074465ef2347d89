"""The audit trail, and the outbox from which the relay fills the streams."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from impl.tables.base import (
    SEVERITIES,
    SOURCES,
    json_object,
    length,
    metadata,
    moment,
    moment_now,
    one_of,
    size,
)

# Nearly all rows are the core's own and routine, and a message writes several: no index of
# severities or sources takes them.
audit_logs = Table(
    "audit_logs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid),
    Column("source", Text, nullable=False),
    Column("action", Text, nullable=False),
    json_object("details"),
    Column("trace_id", Uuid, nullable=False),
    Column("severity", Text, nullable=False, server_default=text("'info'")),
    moment_now("created_at"),
    one_of("source", SOURCES),
    one_of("severity", SEVERITIES),
    length("action", 128),
    size("details"),
    Index(None, "trace_id"),
    Index(None, "created_at"),
    Index(None, "action", "created_at"),
    Index(
        "ix_audit_logs_unusual",
        "severity",
        "created_at",
        postgresql_where=text("severity <> 'info'"),
    ),
    Index(
        "ix_audit_logs_by_others",
        "source",
        "created_at",
        postgresql_where=text("source <> 'core'"),
    ),
    Index(
        "uq_audit_logs_event_id",
        "event_id",
        unique=True,
        postgresql_where=text("event_id IS NOT NULL"),
    ),
    info={
        "about": "Everything that happened, with its `trace_id` and severity. Every event stands "
        "here too."
    },
)

# A row waits without a position; the relay that holds the stream's lock gives it the next one
# (identity order is not commit order), publishes it, and keeps it for the stream's window.
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("stream", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("position", BigInteger),
    moment("published_at"),
    moment_now("created_at"),
    UniqueConstraint("event_id"),
    length("stream", 255),
    size("body"),
    Index("ix_outbox_waiting", "stream", "id", postgresql_where=text("position IS NULL")),
    Index(
        "uq_outbox_stream_position",
        "stream",
        "position",
        unique=True,
        postgresql_where=text("position IS NOT NULL"),
    ),
    Index(
        "ix_outbox_unpublished",
        "stream",
        "position",
        postgresql_where=text("position IS NOT NULL AND published_at IS NULL"),
    ),
    info={
        "about": "Events on their way into the streams, and those that were sent within a "
        "stream's window."
    },
)

# The one order in which events are told to whoever follows them: given by the relay, whatever their
# stream, since identity order is not commit order. Append-only: the lowest row is the mark below
# which retention has removed events, the migration's own to begin with.
feed = Table(
    "feed",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False),
    moment_now("created_at"),
    info={"about": "The events of plugins in the order in which they are told."},
)

streams = Table(
    "streams",
    metadata,
    Column("name", Text, primary_key=True),
    Column("last_position", BigInteger, nullable=False, server_default=text("0")),
    Column("published_position", BigInteger, nullable=False, server_default=text("0")),
    length("name", 255),
    CheckConstraint("last_position >= 0", name="last_position_value"),
    CheckConstraint("published_position >= 0", name="published_position_value"),
    info={"about": "How far each stream is numbered and sent."},
)
