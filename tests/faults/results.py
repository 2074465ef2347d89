"""What a run found: rows for a person, JSON for machines, a page for the docs."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.faults.checker import Findings
from tests.faults.log import Log, percentile

Verdict = Literal["PASS", "FAIL", "NOT RUN"]
COLUMNS = (
    "row", "rounds", "requests", "acknowledged", "lost", "doubled", "p99 ms", "verdict",
)  # fmt: skip
SHOWN = 12
ABOUT = """\
Written by `{command}`; do not edit. Each row breaks something on purpose, on the real
`botcore serve` and `botcore worker` with a real PostgreSQL and Valkey, and holds what the clients
were told against the database and the streams. `acknowledged` are the messages that a bot was told
are kept, or signs of life; `lost` is what of them is not there, `doubled` what was done or told
twice."""


@dataclass
class Row:
    """One fault and what came of it. `not_run` says why it could not be tried: that is no pass."""

    group: str
    name: str
    rounds: int = 0
    requests: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    p99_ms: float | None = None
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_run: str | None = None

    def take(self, found: Findings, log: Log) -> None:
        """What a checker found, and what the bots did."""
        self.faults += found.texts
        self.lost += len(found.lost)
        self.doubled += len(found.doubled)
        self.requests, self.acknowledged = log.requests, len(log.acknowledged)
        self.p99_ms = percentile(log.times(), 0.99)

    @property
    def verdict(self) -> Verdict:
        if self.faults or self.lost or self.doubled:
            return "FAIL"
        return "PASS" if self.not_run is None and self.requests else "NOT RUN"

    @property
    def cells(self) -> tuple[str, ...]:
        p99 = "-" if self.p99_ms is None else f"{self.p99_ms:.0f}"
        counts = (self.rounds, self.requests, self.acknowledged, self.lost, self.doubled)
        return (f"{self.group}: {self.name}", *map(str, counts), p99, self.verdict)

    def document(self) -> dict[str, Any]:
        return {
            "group": self.group,
            "row": self.name,
            "rounds": self.rounds,
            "requests": self.requests,
            "acknowledged": self.acknowledged,
            "lost": self.lost,
            "doubled": self.doubled,
            "p99_ms": None if self.p99_ms is None else round(self.p99_ms, 1),
            "seconds": round(self.seconds, 1),
            "verdict": self.verdict,
            "faults": self.faults,
            "notes": self.notes,
            "not_run": self.not_run,
        }


def exit_code(rows: Sequence[Row]) -> int:
    """0: every row passed. 1: one did not. 2: one could not be tried, or there was none."""
    verdicts = {row.verdict for row in rows}
    if "FAIL" in verdicts:
        return 1
    return 0 if verdicts == {"PASS"} else 2


def table(rows: Sequence[Row]) -> str:
    cells = [COLUMNS, *(row.cells for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in cells]  # fmt: skip
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def remarks(rows: Sequence[Row]) -> str:
    """Figures and faults, each under its row's name."""
    lines = []
    for row in rows:
        lines += [f"· {row.name}: {note}" for note in row.notes]
        lines += [f"✗ {row.name}: {fault}" for fault in row.faults[:SHOWN]]
        if len(row.faults) > SHOWN:
            lines.append(f"✗ {row.name}: and {len(row.faults) - SHOWN} more in build/faults.json")
        if row.not_run is not None:
            lines.append(f"? {row.name}: not run: {row.not_run}")
    return "\n".join(lines)


def write_json(rows: Sequence[Row], folder: Path, **run: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    document = {**run, "exit_code": exit_code(rows), "rows": [row.document() for row in rows]}
    path = folder / "faults.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return path


def page(
    rows: Sequence[Row], old: str, *, command: str, seed: int, day: str, whole: bool = True
) -> str:
    """docs/RELIABILITY.md of a long run: a section a group. Of other groups `old` has the run, and
    where these are not whole groups, of their other rows too.
    """
    sections = {part.partition("\n")[0]: part.strip() for part in old.split("\n## ")[1:]}
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    for group in dict.fromkeys(row.group for row in rows):
        of_group = [row for row in rows if row.group == group]
        if whole:
            sections[group] = _section(of_group, f"Run of {day}, seed {seed}, {machine}.")
        else:
            sections[group] = _again(sections[group], of_group, day)
    about = ABOUT.format(command=command)
    return (
        "\n\n".join(
            ["# Reliability", about, *(f"## {sections[name]}" for name in sorted(sections))]
        )
        + "\n"
    )


def _section(rows: Sequence[Row], run: str) -> str:
    head = "| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS)
    lines = [_line(row) for row in rows]
    notes = [note for row in rows for note in _notes(row)]
    parts = [rows[0].group, run, "\n".join([head, *lines]), "\n".join(notes)]
    return "\n\n".join(part for part in parts if part)


def _again(section: str, rows: Sequence[Row], day: str) -> str:
    """The section with these rows in place of what it has of them."""
    lines = section.split("\n")
    for row in rows:
        start, names = f"| {row.cells[0]} |", (f"- {row.name}: ", f"- **{row.name} did not hold**")
        lines = [_line(row) if line.startswith(start) else line
                 for line in lines if not line.startswith(names)]  # fmt: skip
        lines += [*_notes(row), f"- {row.name}: run by itself, {day}"]
    return "\n".join(lines)


def _line(row: Row) -> str:
    return "| " + " | ".join(row.cells) + " |"


def _notes(row: Row) -> list[str]:
    failures = [f"- **{row.name} did not hold**: {fault}" for fault in row.faults[:SHOWN]]
    return [*(f"- {row.name}: {note}" for note in row.notes), *failures]
