from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from impl.tables.base import (
    length,
    metadata,
    moment,
    moment_now,
    one_of,
    reference,
    size,
    uuid_key,
)

LONGEST_MESSAGE_ID = 128

# No index holds a column that changes with every message (`last_message_at`, `updated_at`):
# so the update stays within the page (HOT) and touches no index.
dialogs = Table(
    "dialogs",
    metadata,
    uuid_key(),
    reference("bot_id", "bots.id"),
    reference("user_id", "users.id"),
    Column("status", Text, nullable=False, server_default=text("'active'")),
    Column("reset_version", Integer, nullable=False, server_default=text("0")),
    moment_now("created_at"),
    moment_now("updated_at"),
    moment("last_message_at"),
    moment("erased_at"),
    moment("emptied_at"),
    one_of("status", ("active", "archived")),
    CheckConstraint("reset_version >= 0", name="reset_version_value"),
    Index(None, "user_id", "status"),
    Index(None, "bot_id", "created_at"),
    Index("ix_dialogs_erased", "erased_at", postgresql_where=text("erased_at IS NOT NULL")),
    info={
        "about": "A conversation of one user with one bot. One that is erased is nobody's: its row "
        "stays a little longer than what was said in it, so that nothing comes back."
    },
)

# `seq` orders a dialog's history: two messages of one statement share their created_at.
# plugin_id has no foreign key: the call that answered holds it, and pays for the check.
messages = Table(
    "messages",
    metadata,
    uuid_key(),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("dialog_id", Uuid, ForeignKey("dialogs.id", ondelete="CASCADE"), nullable=False),
    Column("sender_type", Text, nullable=False),
    Column("plugin_id", Uuid),
    Column("payload", JSONB, nullable=False),
    Column("llm_usage", JSONB),
    Column("message_id", Text),
    Column("trace_id", Uuid, nullable=False),
    moment_now("created_at"),
    one_of("sender_type", ("user", "core", "plugin")),
    length("message_id", LONGEST_MESSAGE_ID),
    size("payload"),
    size("llm_usage"),
    Index("uq_messages_dialog_id_seq", "dialog_id", "seq", unique=True),
    Index(
        "uq_messages_dialog_id_message_id",
        "dialog_id",
        "message_id",
        unique=True,
        postgresql_where=text("message_id IS NOT NULL"),
    ),
    info={"about": "What was said in a dialog, in the order of `seq`."},
)

# Idempotency; a key outlives a reset, which deletes the messages themselves.
message_keys = Table(
    "message_keys",
    metadata,
    Column("dialog_id", Uuid, ForeignKey("dialogs.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("invocation_id", Uuid, nullable=False),
    Column("response", LargeBinary),
    moment_now("created_at"),
    PrimaryKeyConstraint("dialog_id", "message_id"),
    length("message_id", LONGEST_MESSAGE_ID),
    CheckConstraint("octet_length(fingerprint) BETWEEN 16 AND 64", name="fingerprint_length"),
    Index(None, "created_at"),
    info={
        "about": "The idempotency of messages: each id that a dialog has seen, what it stood "
        "for, and its final answer."
    },
)
