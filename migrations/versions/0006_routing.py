"""The bonus that a plugin asks for while it is a dialog's last one."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE plugins ADD COLUMN sticky_bonus DOUBLE PRECISION DEFAULT 0 NOT NULL,"
        " ADD CONSTRAINT ck_plugins_sticky_bonus_value CHECK (sticky_bonus BETWEEN 0 AND 1)"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE plugins DROP COLUMN sticky_bonus")
