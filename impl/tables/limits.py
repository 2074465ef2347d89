"""The master copy of the rate limits that differ from the contract's defaults."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from impl.tables.base import metadata, moment_now, one_of

PARTITIONS = ("bot", "user", "plugin")

# A row without a quota says "the default again", for whoever holds an older version of it. Versions
# are in the order of commits (a lock sees to it), so what is new is what is above a known one.
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("partition", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("quota", Integer),
    Column("window_seconds", Integer),
    Column("version", BigInteger, nullable=False),
    moment_now("updated_at"),
    PrimaryKeyConstraint("partition", "subject_id"),
    UniqueConstraint("version"),
    one_of("partition", PARTITIONS),
    CheckConstraint("quota BETWEEN 1 AND 1000000", name="quota_value"),
    CheckConstraint("window_seconds BETWEEN 1 AND 86400", name="window_seconds_value"),
    CheckConstraint("(quota IS NULL) = (window_seconds IS NULL)", name="both"),
    info={
        "about": "The limits that differ from the contract's defaults; Redis is filled from here."
    },
)
