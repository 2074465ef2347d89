from sqlalchemy import Column, Table, Text, UniqueConstraint

from impl.tables.base import length, metadata, moment, moment_now, uuid_key

bots = Table(
    "bots",
    metadata,
    uuid_key(),
    Column("name", Text, nullable=False),
    moment_now("created_at"),
    moment("revoked_at"),
    UniqueConstraint("name"),
    length("name", 64),
    info={"about": "The programs that speak for people."},
)
