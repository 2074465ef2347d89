"""Run by Alembic, on the connection that `impl/migrate.py` opened, locked and checked."""

from alembic import context
from sqlalchemy import Connection, text

from impl.tables import metadata

VERSION_TABLE = "migrations_info"

# Made here, as Alembic's own version table has no applied_at. Alembic inserts the row, updates it
# with every revision, and deletes it on the way back to base.
VERSION_TABLE_DDL = (
    """
    CREATE TABLE IF NOT EXISTS migrations_info (
        version_num VARCHAR(32) CONSTRAINT pk_migrations_info PRIMARY KEY,
        applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE OR REPLACE FUNCTION note_applied_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.applied_at := now();
        RETURN NEW;
    END
    $$
    """,
    """
    CREATE OR REPLACE TRIGGER migrations_info_note_applied_at BEFORE UPDATE ON migrations_info
    FOR EACH ROW EXECUTE FUNCTION note_applied_at()
    """,
)


def prepare_version_table(connection: Connection) -> None:
    present = connection.scalar(text("SELECT to_regclass('migrations_info') IS NOT NULL"))
    if not present:
        for statement in VERSION_TABLE_DDL:
            connection.execute(text(statement))


def run() -> None:
    connection: Connection = context.config.attributes["connection"]
    prepare_version_table(connection)
    context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
    with context.begin_transaction():
        context.run_migrations()


run()
