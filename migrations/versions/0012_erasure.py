"""Users can be erased: at once for everybody, then what is left of them, a little at a time."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UP = (
    "ALTER TABLE users ALTER telegram_id DROP NOT NULL",
    "CREATE INDEX ix_users_erased ON users (id) WHERE telegram_id IS NULL",
    "ALTER TABLE dialogs ADD COLUMN erased_at TIMESTAMPTZ, ADD COLUMN emptied_at TIMESTAMPTZ",
    "CREATE INDEX ix_dialogs_erased ON dialogs (erased_at) WHERE erased_at IS NOT NULL",
    """
    CREATE TABLE erasures (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        user_id UUID NOT NULL,
        bot_id UUID,
        erased_at TIMESTAMPTZ DEFAULT now() NOT NULL,
        CONSTRAINT pk_erasures PRIMARY KEY (id),
        CONSTRAINT uq_erasures_user_id_bot_id UNIQUE NULLS NOT DISTINCT (user_id, bot_id),
        CONSTRAINT fk_erasures_bot_id FOREIGN KEY (bot_id) REFERENCES bots (id)
    )
    """,
)

# What is erased must not come back: what a worker had still to remove goes here.
_GONE = "(SELECT id FROM dialogs WHERE erased_at IS NOT NULL)"
DOWN = (
    "DROP TABLE erasures",
    f"DELETE FROM plugin_calls WHERE dialog_id IN {_GONE}",  # noqa: S608  # constants of our own
    f"DELETE FROM plugin_events WHERE dialog_id IN {_GONE}",  # noqa: S608  # the same
    "DELETE FROM dialogs WHERE erased_at IS NOT NULL",
    "DELETE FROM users WHERE telegram_id IS NULL",
    "ALTER TABLE dialogs DROP COLUMN erased_at, DROP COLUMN emptied_at",
    "DROP INDEX ix_users_erased",
    "ALTER TABLE users ALTER telegram_id SET NOT NULL",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
