"""Lists for people, as a table, and for programs, as JSON."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import typer


def show(rows: Sequence[object], names: Sequence[str], *, as_json: bool) -> None:
    """Print these attributes of each row; their names are the members in JSON."""
    found = [[getattr(row, name) for name in names] for row in rows]
    if as_json:
        typer.echo(json_text([dict(zip(names, row, strict=True)) for row in found]))
    else:
        typer.echo(_table([[_title(name) for name in names], *(map(_cell, row) for row in found)]))


def json_text(value: object) -> str:
    """`value` for programs; times in ISO 8601, ids as text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def moment(value: datetime | None) -> str:
    """To the minute, in UTC, as all times of the core are."""
    return "-" if value is None else f"{value:%Y-%m-%d %H:%M}"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _table(lines: Sequence[Iterable[str]]) -> str:
    cells = [list(line) for line in lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _title(name: str) -> str:
    return name.removesuffix("_at").replace("_", " ").upper()


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, list):
        return ",".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
