"""Versions of tokens, told to all instances; and what each role of the database may do.

Roles are of the cluster: `botcore db roles` makes them, and calls `grant_to_roles` too. What is
granted here is granted to those that exist. A later migration that adds a table need not grant
(default privileges do), unless it holds what not every role may read or change: then it replaces
the function.
"""

from alembic import op
from sqlalchemy import text

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

VERSIONS = """
ALTER TABLE tokens
    ADD COLUMN version BIGINT DEFAULT 1 NOT NULL,
    ADD COLUMN changed_at TIMESTAMPTZ DEFAULT now() NOT NULL;
CREATE INDEX ix_tokens_changed ON tokens (changed_at) WHERE version > 1
"""

# That it was used is no change. The time is of the statement: a transaction may have begun long
# before, and who asks for what is new looks back a minute.
NOTE_CHANGE = """
CREATE FUNCTION note_token_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.changed_at := clock_timestamp();
    PERFORM pg_notify('botcore_tokens', '');
    RETURN NEW;
END
$$
"""
ON_CHANGE = """
CREATE TRIGGER tokens_note_change BEFORE UPDATE ON tokens FOR EACH ROW
WHEN ((OLD.kind, OLD.bot_id, OLD.plugin_id, OLD.hash, OLD.scopes, OLD.expires_at, OLD.revoked_at)
    IS DISTINCT FROM
    (NEW.kind, NEW.bot_id, NEW.plugin_id, NEW.hash, NEW.scopes, NEW.expires_at, NEW.revoked_at))
EXECUTE FUNCTION note_token_change()
"""

# The only way in which the application removes audit rows: with its owner's rights, and never one
# that must be kept.
REMOVE_OLD_AUDIT = """
CREATE FUNCTION remove_old_audit(days integer, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = "{schema}", pg_temp AS $$
    WITH removed AS (
        DELETE FROM audit_logs WHERE id IN (
            SELECT id FROM audit_logs
            WHERE created_at < now() - make_interval(days => greatest(days, 180))
            ORDER BY created_at LIMIT at_most
        ) RETURNING id
    )
    SELECT count(*) FROM removed
$$
"""

GRANT = """
CREATE FUNCTION grant_to_roles() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    own text := quote_ident(current_schema());
BEGIN
    IF to_regrole('app_readonly') IS NOT NULL THEN
        EXECUTE 'GRANT USAGE ON SCHEMA ' || own || ' TO app_readonly';
        EXECUTE 'GRANT SELECT ON ALL TABLES IN SCHEMA ' || own || ' TO app_readonly';
        EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA ' || own
            || ' GRANT SELECT ON TABLES TO app_readonly';
        -- All but what proves who somebody is.
        REVOKE SELECT ON tokens, notification_subscriptions FROM app_readonly;
        GRANT SELECT (id, kind, bot_id, plugin_id, name, scopes, created_at, expires_at,
            revoked_at, last_used_at, version, changed_at) ON tokens TO app_readonly;
        GRANT SELECT (id, bot_id, url, event_types, min_severity, owner, description,
            old_secret_until, failing_since, disabled_at, disabled_reason, deleted_at,
            created_at, updated_at) ON notification_subscriptions TO app_readonly;
    END IF;
    IF to_regrole('app_writer') IS NOT NULL THEN
        EXECUTE 'GRANT USAGE ON SCHEMA ' || own || ' TO app_writer';
        EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ' || own
            || ' TO app_writer';
        EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA ' || own
            || ' GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app_writer';
        -- What was done stays as it was written.
        REVOKE UPDATE, DELETE ON audit_logs FROM app_writer;
        GRANT EXECUTE ON FUNCTION remove_old_audit TO app_writer;
        -- What the application never does.
        REVOKE INSERT, UPDATE, DELETE ON migrations_info FROM app_writer;
        REVOKE UPDATE ON messages FROM app_writer;
        REVOKE DELETE ON bots, tokens, plugins, notification_subscriptions, notification_cursor,
            core_state, streams FROM app_writer;
    END IF;
END
$$
"""

TAKE_BACK = """
DO $$
DECLARE
    own text := quote_ident(current_schema());
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['app_readonly', 'app_writer'] LOOP
        IF to_regrole(role) IS NOT NULL THEN
            EXECUTE 'REVOKE ALL ON ALL TABLES IN SCHEMA ' || own || ' FROM ' || role;
            EXECUTE 'ALTER DEFAULT PRIVILEGES IN SCHEMA ' || own
                || ' REVOKE ALL ON TABLES FROM ' || role;
        END IF;
    END LOOP;
END
$$
"""


def upgrade() -> None:
    # One at a time: a prepared statement holds one, and asyncpg prepares them all.
    for statement in VERSIONS.strip().split(";\n"):
        op.execute(statement)
    op.execute(NOTE_CHANGE)
    op.execute(ON_CHANGE)
    schema = op.get_bind().scalar(text("SELECT current_schema()"))
    op.execute(REMOVE_OLD_AUDIT.replace("{schema}", str(schema).replace('"', '""')))
    op.execute(GRANT)
    for function in ("remove_old_audit", "grant_to_roles"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
    op.execute("SELECT grant_to_roles()")


def downgrade() -> None:
    op.execute(TAKE_BACK)
    op.execute("DROP FUNCTION grant_to_roles()")
    op.execute("DROP FUNCTION remove_old_audit(integer, integer)")
    op.execute("DROP TRIGGER tokens_note_change ON tokens")
    op.execute("DROP FUNCTION note_token_change()")
    op.execute("DROP INDEX ix_tokens_changed")
    op.execute("ALTER TABLE tokens DROP COLUMN version, DROP COLUMN changed_at")
