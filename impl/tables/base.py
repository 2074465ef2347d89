"""What the tables share: their metadata, how constraints are named, and the recurring columns."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    MetaData,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

MAX_JSONB_BYTES = 65_536
SEVERITIES = ("info", "warning", "critical")
SOURCES = ("user", "core", "plugin", "system")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def uuid_key() -> Column[UUID]:
    return Column("id", Uuid, primary_key=True, server_default=func.gen_random_uuid())


def reference(column: str, target: str, *, nullable: bool = False) -> Column[UUID]:
    return Column(column, Uuid, ForeignKey(target), nullable=nullable)


def moment(column: str) -> Column[datetime]:
    return Column(column, DateTime(timezone=True))


def moment_now(column: str) -> Column[datetime]:
    return Column(column, DateTime(timezone=True), nullable=False, server_default=func.now())


def words(column: str) -> Column[list[str]]:
    return Column(column, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def json_object(column: str) -> Column[object]:
    return Column(column, JSONB, nullable=False, server_default=text("'{}'"))


def length(column: str, most: int, least: int = 1) -> CheckConstraint:
    return CheckConstraint(
        f"char_length({column}) BETWEEN {least} AND {most}", name=f"{column}_length"
    )


def size(column: str) -> CheckConstraint:
    return CheckConstraint(
        f"octet_length({column}::text) <= {MAX_JSONB_BYTES}", name=f"{column}_size"
    )


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_value")
