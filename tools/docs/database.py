"""The tables, from SQLAlchemy's metadata."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import Constraint, Identity

from tools.docs.markdown import code, listed

COLUMNS = ("Column", "Type", "Null", "Default", "Refers to", "Description")


@dataclass(frozen=True)
class TableText:
    """A table: what it is for, rows of COLUMNS, and its constraints and indexes by name."""

    name: str
    about: str
    columns: list[tuple[str, ...]]
    constraints: list[tuple[str, str]]
    indexes: list[tuple[str, str]]


def tables(metadata: MetaData) -> list[TableText]:
    return [_table(table) for _, table in sorted(metadata.tables.items())]


def _table(table: Table) -> TableText:
    return TableText(
        name=table.name,
        about=table.info.get("about", ""),
        columns=[_column(column) for column in table.columns],
        constraints=sorted(_constraints(table)),
        indexes=sorted((code(str(index.name)), _index(index)) for index in table.indexes),
    )


def _column(column: Column[Any]) -> tuple[str, ...]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # the library's
    targets = sorted(key.target_fullname for key in column.foreign_keys)
    return (
        code(column.name),
        code(column.type.compile(dialect).lower()),
        "yes" if column.nullable else "",
        _default(column),
        listed(targets),
        column.doc or "",
    )


def _default(column: Column[Any]) -> str:
    default = column.server_default
    if isinstance(default, Identity):
        return "counted"
    return "" if default is None else code(str(getattr(default, "arg", "")))


def _constraints(table: Table) -> Iterator[tuple[str, str]]:
    for constraint in table.constraints:
        text = _constraint(constraint)
        if text:
            yield code(str(constraint.name)), text


def _constraint(constraint: Constraint) -> str:
    if isinstance(constraint, CheckConstraint):
        return f"check {code(str(constraint.sqltext))}"
    if isinstance(constraint, PrimaryKeyConstraint):
        return f"primary key {_names(constraint.columns)}"
    if isinstance(constraint, UniqueConstraint):
        return f"unique {_names(constraint.columns)}"
    if isinstance(constraint, ForeignKeyConstraint):
        gone = f", on delete {constraint.ondelete.lower()}" if constraint.ondelete else ""
        return f"{_names(constraint.columns)} refers to {_target(constraint)}{gone}"
    return ""


def _target(constraint: ForeignKeyConstraint) -> str:
    return listed(sorted(element.target_fullname for element in constraint.elements))


def _names(columns: Any) -> str:
    return listed(column.name for column in columns)


def _index(index: Index) -> str:
    where = index.dialect_options["postgresql"]["where"]
    said = "unique index" if index.unique else "index"
    kind = index.dialect_options["postgresql"]["using"]
    way = f" by {kind}" if kind else ""
    only = "" if where is None else f" where {code(str(where))}"
    return f"{said} on {_expressions(index)}{way}{only}"


def _expressions(index: Index) -> str:
    return listed(getattr(item, "name", None) or str(item) for item in index.expressions)
