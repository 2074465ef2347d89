"""Whether the core is degraded, known to all of its processes."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE core_state (
    id SMALLINT DEFAULT 1 NOT NULL,
    looked_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    watched_since TIMESTAMPTZ DEFAULT now() NOT NULL,
    redis_seen_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    lag_seconds FLOAT DEFAULT 0 NOT NULL,
    late_since TIMESTAMPTZ,
    well_since TIMESTAMPTZ,
    degraded_since TIMESTAMPTZ,
    degraded_reason TEXT,
    CONSTRAINT pk_core_state PRIMARY KEY (id),
    CONSTRAINT ck_core_state_one CHECK (id = 1),
    CONSTRAINT ck_core_state_lag_seconds_value CHECK (lag_seconds >= 0),
    CONSTRAINT ck_core_state_degraded_reason_value CHECK (degraded_reason IN ('redis', 'lag')),
    CONSTRAINT ck_core_state_degraded CHECK ((degraded_since IS NULL) = (degraded_reason IS NULL))
)
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("INSERT INTO core_state DEFAULT VALUES")


def downgrade() -> None:
    op.execute("DROP TABLE core_state")
