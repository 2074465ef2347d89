"""What a comparison found, as a person and a program read it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

# missing: sent as the table says, and not in the stream. extra: in the stream, of no row.
# out_of_order: another place's event. unequal: not what the table has. gap: positions of no row.
Kind: TypeAlias = Literal["missing", "extra", "out_of_order", "unequal", "gap"]

SHOWN = 20  # of each kind, in each stream
TOLD: dict[Kind, str] = {
    "missing": "missing in the stream",
    "extra": "in the stream alone",
    "out_of_order": "out of order",
    "unequal": "unequal",
    "gap": "gaps in the positions",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """At an entry's id or a range of positions."""

    kind: Kind
    at: str
    detail: str = ""

    def line(self) -> str:
        return f"{self.kind} {self.at}" + (f": {self.detail}" if self.detail else "")


@dataclass
class Report:
    """Of one stream: `agree` entries are as the table has them, from `first` to `last`."""

    stream: str
    first: int = 0
    last: int = 0
    agree: int = 0
    counts: Counter[Kind] = field(default_factory=Counter)
    shown: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference, times: int = 1) -> None:
        self.counts[difference.kind] += times
        if sum(each.kind == difference.kind for each in self.shown) < SHOWN:
            self.shown.append(difference)

    @property
    def differs(self) -> bool:
        return any(self.counts.values())

    def lines(self) -> list[str]:
        if not self.differs:
            what = f"{self.first} to {self.last}" if self.agree else "nothing to compare"
            return [f"✓ {self.stream}: {self.agree} entries agree ({what})"]
        told = ", ".join(f"{count} {TOLD[kind]}" for kind, count in sorted(self.counts.items()))
        lines = [f"✗ {self.stream}: {told}; {self.agree} agree"]
        lines += [f"    {each.line()}" for each in self.shown]
        hidden = sum(self.counts.values()) - len(self.shown)
        return [*lines, f"    … and {hidden} more"] if hidden > 0 else lines

    def as_json(self) -> dict[str, Any]:
        return {
            "stream": self.stream,
            "first": self.first,
            "last": self.last,
            "agree": self.agree,
            "differences": dict(sorted(self.counts.items())),
            "shown": [
                {"kind": each.kind, "at": each.at, "detail": each.detail} for each in self.shown
            ],
        }
