"""Tokens of every kind; what is kept of one is its public id and an argon2id hash."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Table, Text, text

from impl.tables.base import (
    length,
    metadata,
    moment,
    moment_now,
    one_of,
    reference,
    words,
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    reference("bot_id", "bots.id", nullable=True),
    reference("plugin_id", "plugins.id", nullable=True),
    Column("name", Text),
    Column("hash", Text, nullable=False),
    words("scopes"),
    moment_now("created_at"),
    moment("expires_at"),
    moment("revoked_at"),
    moment("last_used_at"),
    # A trigger counts changes, and tells them: caches know by it which row they have read.
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    moment_now("changed_at"),
    one_of("kind", ("bot", "plugin", "admin", "registry")),
    CheckConstraint(
        "(kind = 'bot') = (bot_id IS NOT NULL) AND (kind = 'plugin') = (plugin_id IS NOT NULL)",
        name="subject",
    ),
    length("id", 16, least=16),
    length("hash", 255),
    length("name", 64),
    Index(None, "bot_id"),
    Index(None, "plugin_id"),
    Index("ix_tokens_changed", "changed_at", postgresql_where=text("version > 1")),
    info={"about": "Tokens of every kind: the public id and the hash of the secret."},
)
