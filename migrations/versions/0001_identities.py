"""Who there is: bots, users, plugins and their tokens.

Frozen: it imports nothing of impl/tables, which moves on. `tests/integration/tables` proves that
all migrations together build what the metadata there says.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE bots (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    revoked_at TIMESTAMPTZ,
    CONSTRAINT pk_bots PRIMARY KEY (id),
    CONSTRAINT uq_bots_name UNIQUE (name),
    CONSTRAINT ck_bots_name_length CHECK (char_length(name) BETWEEN 1 AND 64)
);

CREATE TABLE users (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    telegram_id BIGINT NOT NULL,
    role TEXT DEFAULT 'user' NOT NULL,
    locale TEXT,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_telegram_id UNIQUE (telegram_id),
    CONSTRAINT ck_users_role_value CHECK (role IN ('user', 'admin', 'service')),
    CONSTRAINT ck_users_locale_length CHECK (char_length(locale) BETWEEN 1 AND 35)
);
CREATE INDEX ix_users_role ON users (role);

CREATE TABLE bot_users (
    bot_id UUID NOT NULL,
    user_id UUID NOT NULL,
    display_name TEXT NOT NULL,
    locale TEXT,
    metadata JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_bot_users PRIMARY KEY (bot_id, user_id),
    CONSTRAINT ck_bot_users_display_name_length
        CHECK (char_length(display_name) BETWEEN 1 AND 256),
    CONSTRAINT ck_bot_users_locale_length CHECK (char_length(locale) BETWEEN 1 AND 35),
    CONSTRAINT ck_bot_users_metadata_size CHECK (octet_length(metadata::text) <= 65536),
    CONSTRAINT fk_bot_users_bot_id FOREIGN KEY(bot_id) REFERENCES bots (id),
    CONSTRAINT fk_bot_users_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_bot_users_user_id ON bot_users (user_id);

CREATE TABLE plugins (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    intents JSONB DEFAULT '[]' NOT NULL,
    status TEXT DEFAULT 'registering' NOT NULL,
    base_url TEXT NOT NULL,
    manifest JSONB NOT NULL,
    manifest_hash TEXT NOT NULL,
    last_heartbeat TIMESTAMPTZ,
    disabled_at TIMESTAMPTZ,
    heartbeat_interval_sec INTEGER DEFAULT 30 NOT NULL,
    supported_schema_versions TEXT[] DEFAULT '{}' NOT NULL,
    scopes TEXT[] DEFAULT '{}' NOT NULL,
    metadata JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    updated_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_plugins PRIMARY KEY (id),
    CONSTRAINT uq_plugins_name_version UNIQUE (name, version),
    CONSTRAINT ck_plugins_status_value
        CHECK (status IN ('active', 'disabled', 'degraded', 'registering')),
    CONSTRAINT ck_plugins_heartbeat_interval_sec_value CHECK (heartbeat_interval_sec > 0),
    CONSTRAINT ck_plugins_name_length CHECK (char_length(name) BETWEEN 1 AND 128),
    CONSTRAINT ck_plugins_version_length CHECK (char_length(version) BETWEEN 1 AND 128),
    CONSTRAINT ck_plugins_base_url_length CHECK (char_length(base_url) BETWEEN 1 AND 2048),
    CONSTRAINT ck_plugins_manifest_hash_length
        CHECK (char_length(manifest_hash) BETWEEN 1 AND 128),
    CONSTRAINT ck_plugins_intents_size CHECK (octet_length(intents::text) <= 65536),
    CONSTRAINT ck_plugins_manifest_size CHECK (octet_length(manifest::text) <= 65536),
    CONSTRAINT ck_plugins_metadata_size CHECK (octet_length(metadata::text) <= 65536)
);
CREATE INDEX ix_plugins_status ON plugins (status);

CREATE TABLE tokens (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    bot_id UUID,
    plugin_id UUID,
    hash TEXT NOT NULL,
    scopes TEXT[] DEFAULT '{}' NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    expires_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    CONSTRAINT pk_tokens PRIMARY KEY (id),
    CONSTRAINT ck_tokens_kind_value CHECK (kind IN ('bot', 'plugin', 'admin', 'registry')),
    CONSTRAINT ck_tokens_subject
        CHECK (
            (kind = 'bot') = (bot_id IS NOT NULL) AND (kind = 'plugin') = (plugin_id IS NOT NULL)
        ),
    CONSTRAINT ck_tokens_id_length CHECK (char_length(id) BETWEEN 16 AND 16),
    CONSTRAINT ck_tokens_hash_length CHECK (char_length(hash) BETWEEN 1 AND 255),
    CONSTRAINT fk_tokens_bot_id FOREIGN KEY(bot_id) REFERENCES bots (id),
    CONSTRAINT fk_tokens_plugin_id FOREIGN KEY(plugin_id) REFERENCES plugins (id)
);
CREATE INDEX ix_tokens_bot_id ON tokens (bot_id);
CREATE INDEX ix_tokens_plugin_id ON tokens (plugin_id);
"""


def upgrade() -> None:
    # One at a time: a prepared statement holds one, and asyncpg prepares them all.
    for statement in TABLES.strip().split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    for table in ("tokens", "plugins", "bot_users", "users", "bots"):
        op.execute(f"DROP TABLE {table}")
