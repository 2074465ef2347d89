from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from impl.tables.base import (
    json_object,
    length,
    metadata,
    moment_now,
    one_of,
    reference,
    size,
    uuid_key,
)

# BCP 47 asks implementations for 35 characters.
LONGEST_LOCALE = 35

users = Table(
    "users",
    metadata,
    uuid_key(),
    Column("telegram_id", BigInteger),  # none: erased, and the row goes with the last dialog
    Column("role", Text, nullable=False, server_default=text("'user'")),
    Column("locale", Text),
    moment_now("created_at"),
    moment_now("updated_at"),
    UniqueConstraint("telegram_id"),
    one_of("role", ("user", "admin", "service")),
    length("locale", LONGEST_LOCALE),
    Index(None, "role"),
    Index("ix_users_erased", "id", postgresql_where=text("telegram_id IS NULL")),
    info={"about": "The people behind the messages. Who is erased has no `telegram_id`."},
)

# Membership: a bot may use only the users that it has registered, and sees its own words for them.
bot_users = Table(
    "bot_users",
    metadata,
    reference("bot_id", "bots.id"),
    reference("user_id", "users.id"),
    Column("display_name", Text, nullable=False),
    Column("locale", Text),
    json_object("metadata"),
    moment_now("created_at"),
    moment_now("updated_at"),
    PrimaryKeyConstraint("bot_id", "user_id"),
    length("display_name", 256),
    length("locale", LONGEST_LOCALE),
    size("metadata"),
    Index(None, "user_id"),
    info={"about": "Whom each bot has registered, in its own words. A bot may use nobody else."},
)

# What a repeated request is answered with, and what is to be done again in a restored backup. The
# user's own row is gone by then.
erasures = Table(
    "erasures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("user_id", Uuid, nullable=False),
    reference("bot_id", "bots.id", nullable=True),
    moment_now("erased_at"),
    UniqueConstraint("user_id", "bot_id", postgresql_nulls_not_distinct=True),
    info={"about": "Who was erased: one bot's part of a user, or all of them."},
)
