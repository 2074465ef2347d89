"""One line of the doctor's report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

# unchecked: what it depends on is not there. It is no pass.
Status: TypeAlias = Literal["good", "warning", "failed", "unchecked"]
SIGNS: dict[Status, str] = {"good": "✓", "warning": "!", "failed": "✗", "unchecked": "·"}


@dataclass(frozen=True, slots=True)
class Finding:
    """`advice`: what to do; empty where all is well."""

    check: str
    status: Status
    found: str
    advice: str = ""

    def lines(self) -> list[str]:
        line = f"{SIGNS[self.status]} {self.check:<11} {self.found}"
        return [line, f"{'':<13} → {self.advice}"] if self.advice else [line]


def good(check: str, found: str) -> Finding:
    return Finding(check, "good", found)


def warning(check: str, found: str, advice: str) -> Finding:
    return Finding(check, "warning", found, advice)


def failed(check: str, found: str, advice: str) -> Finding:
    return Finding(check, "failed", found, advice)


def unchecked(check: str, why: str) -> Finding:
    return Finding(check, "unchecked", f"not looked at: {why}")


def all_good(findings: Sequence[Finding]) -> bool:
    return all(finding.status == "good" for finding in findings)
