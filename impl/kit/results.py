"""What was checked and what came of it: a table for a person, JSON and JUnit for machines."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from impl.kit import junit
from impl.kit.plugin import Lack

Outcome = Literal["passed", "failed", "not_tried"]
MARKS: dict[Outcome, str] = {"passed": "✓", "failed": "✗", "not_tried": "·"}
WORDS: dict[Outcome, str] = {"passed": "passed", "failed": "FAILED", "not_tried": "not tried"}


@dataclass(frozen=True)
class Result:
    """One check. A failed one says what was expected, what came, and how to see it again."""

    name: str
    about: str
    outcome: Outcome
    seconds: float = 0.0
    expected: str | None = None
    came: str | None = None
    repeat: str | None = None
    reason: str | None = None  # why it was not tried
    lacks: Lack | None = None  # what the run was not given, where that is why


@dataclass(frozen=True)
class Report:
    url: str
    seed: int
    seconds: float
    results: list[Result]
    refusal: str | None = None  # of the token: then nothing that needs one says anything

    def lacking(self, what: Lack) -> list[Result]:
        """What was not tried for want of it."""
        return [result for result in self.results if result.lacks == what]

    @property
    def tried(self) -> bool:
        """Whether anything was."""
        return any(result.outcome != "not_tried" for result in self.results)

    @property
    def failures(self) -> list[Result]:
        return [result for result in self.results if result.outcome == "failed"]


def row(result: Result) -> str:
    """A line of the table."""
    why = f" ({result.reason})" if result.reason else ""
    told = f"{MARKS[result.outcome]} {WORDS[result.outcome]:<9}  {result.name:<28}  {result.about}"
    return f"{told}{why}"


def summary(report: Report) -> str:
    """What failed, with the way to see it again; how many were what, and why not tried."""
    lines = []
    for result in report.failures:
        lines += [
            f"✗ {result.name}: {result.about}",
            f"  expected: {result.expected}",
            f"  came:     {result.came}",
            f"  repeat:   {result.repeat}",
            "",
        ]
    counts = [
        f"{sum(result.outcome == outcome for result in report.results)} {word}"
        for outcome, word in WORDS.items()
    ]
    lines.append(f"{', '.join(counts)}, in {report.seconds:.1f} s")
    reasons = Counter(result.reason for result in report.results if result.reason)
    if len(reasons) == 1:
        lines.append(f"{reasons.total()} not tried: {next(iter(reasons))}")
    elif reasons:
        told = ", ".join(f"{count} ({reason})" for reason, count in reasons.most_common())
        lines.append(f"{reasons.total()} not tried: {told}")
    return "\n".join(lines)


def write_json(report: Report, path: Path) -> None:
    document = {
        "url": report.url,
        "seed": report.seed,
        "seconds": round(report.seconds, 1),
        "failed": len(report.failures),
        "checks": [asdict(result) for result in report.results],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def write_junit(report: Report, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cases = [
        junit.TestCase(
            group=result.name.partition(".")[0],
            name=f"{result.name}: {result.about}",
            fault=f"expected {result.expected}, came {result.came}" if result.expected else None,
            untried=result.reason,
            details=result.repeat,
        )
        for result in report.results
    ]
    junit.write(path, "plugin", cases, report.seconds)
