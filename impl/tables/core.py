"""What all processes of the core know of it together."""

from sqlalchemy import CheckConstraint, Column, Float, SmallInteger, Table, Text, text

from impl.tables.base import metadata, moment, moment_now, one_of

REASONS = ("redis", "lag")

# Of the one row: workers look in turns, and each moment is of the database's clock.
core_state = Table(
    "core_state",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False, server_default=text("1")),
    moment_now("looked_at"),
    moment_now("watched_since"),
    moment_now("redis_seen_at"),
    Column("lag_seconds", Float, nullable=False, server_default=text("0")),
    moment("late_since"),
    moment("well_since"),
    moment("degraded_since"),
    Column("degraded_reason", Text),
    CheckConstraint("id = 1", name="one"),
    CheckConstraint("lag_seconds >= 0", name="lag_seconds_value"),
    one_of("degraded_reason", REASONS),
    CheckConstraint("(degraded_since IS NULL) = (degraded_reason IS NULL)", name="degraded"),
    info={"about": "One row: whether the core is degraded, and what the workers last saw."},
)
