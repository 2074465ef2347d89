"""What was tried and what came of it: a table for a person, JUnit and JSON for machines."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from impl.kit import junit

COLUMNS = ("statuses", "headers", "schema", "scopes", "owner", "limit", "idempotency", "events")


@dataclass(frozen=True)
class Result:
    """One case. `fault` is None where it held; `untried` says why it was not tried."""

    operation: str
    column: str
    case: str
    fault: str | None = None
    untried: str | None = None


@dataclass
class Results:
    cases: list[Result] = field(default_factory=list)
    seconds: float = 0.0

    def add(
        self, operation: str, column: str, case: str, faults: Iterable[str] = (), untried: str = ""
    ) -> None:
        fault = "; ".join(dict.fromkeys(faults))
        self.cases.append(Result(operation, column, case, fault or None, untried or None))

    @property
    def failures(self) -> list[Result]:
        return [case for case in self.cases if case.fault is not None]

    @property
    def untried(self) -> list[Result]:
        return [case for case in self.cases if case.untried is not None]

    def cell(self, operation: str, column: str) -> str:
        """`-` where the contract promises nothing, `3✓`, `2✓ 1✗`, `1✓ 2·` (not tried)."""
        found = [
            case for case in self.cases if (case.operation, case.column) == (operation, column)
        ]
        failed = sum(case.fault is not None for case in found)
        untried = sum(case.untried is not None for case in found)
        counts = ((len(found) - failed - untried, "✓"), (failed, "✗"), (untried, "·"))
        return " ".join(f"{count}{mark}" for count, mark in counts if count) or "-"


def table(results: Results, operations: Sequence[str]) -> str:
    rows: list[tuple[str, ...]] = [("operation", *COLUMNS)]
    rows += [(name, *(results.cell(name, column) for column in COLUMNS)) for name in operations]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def summary(results: Results) -> str:
    lines = [f"✗ {case.operation} · {case.column} · {case.case}: {case.fault}"
             for case in results.failures]  # fmt: skip
    reasons = sorted({str(case.untried) for case in results.untried})
    lines += [f"· not tried: {reason}" for reason in reasons]
    held = len(results.cases) - len(results.failures) - len(results.untried)
    counts = f"{held} held, {len(results.failures)} failed, {len(results.untried)} not tried"
    return "\n".join([*lines, f"{len(results.cases)} cases in {results.seconds:.0f} s: {counts}"])


def write(results: Results, url: str, folder: Path) -> None:
    """`conform.json` and `conform.xml` (JUnit) in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "url": url,
        "seconds": round(results.seconds, 1),
        "failed": len(results.failures),
        "cases": [asdict(case) for case in results.cases],
    }
    (folder / "conform.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    cases = [
        junit.TestCase(f"{case.operation}.{case.column}", case.case, case.fault, case.untried)
        for case in results.cases
    ]
    junit.write(folder / "conform.xml", "contract", cases, results.seconds)
