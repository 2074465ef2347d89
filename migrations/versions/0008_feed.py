"""The one order of the events of plugins, for those who follow them."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What the relay has not numbered yet it will tell itself. The first row is the mark below which
# nothing is kept.
STATEMENTS = """
CREATE TABLE feed (
    position BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id UUID NOT NULL,
    created_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    CONSTRAINT pk_feed PRIMARY KEY (position)
);
INSERT INTO feed (position, event_id, created_at) OVERRIDING SYSTEM VALUE
    VALUES (0, '00000000-0000-0000-0000-000000000000', '-infinity');
INSERT INTO feed (event_id, created_at)
    SELECT id, created_at FROM plugin_events WHERE NOT EXISTS (
        SELECT FROM outbox WHERE outbox.event_id = plugin_events.id AND position IS NULL
    ) ORDER BY created_at, id
"""


def upgrade() -> None:
    # One at a time: a prepared statement holds one, and asyncpg prepares them all.
    for statement in STATEMENTS.strip().split(";\n"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE feed")
