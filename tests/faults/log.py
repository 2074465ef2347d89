"""What the clients did and were told: the one side of every comparison."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["invoke", "ok", "fail", "unknown"]


class Key(NamedTuple):
    """A message, by what makes it one: its id within its dialog."""

    dialog_id: str
    message_id: str


class Entry(NamedTuple):
    """`ok`: told that it is kept. `fail`: surely changed nothing. `unknown`: nobody can say."""

    at: float
    key: Key
    kind: Kind
    status: int = 0
    body: bytes = b""
    milliseconds: float = 0.0
    retry_after: str | None = None


@dataclass
class Log:
    entries: list[Entry] = field(default_factory=list)

    def note(
        self, key: Key, kind: Kind, status: int = 0, body: bytes = b"", milliseconds: float = 0.0,
        *, retry_after: str | None = None,
    ) -> None:  # fmt: skip
        at = time.monotonic()
        self.entries.append(Entry(at, key, kind, status, body, milliseconds, retry_after))

    @property
    def requests(self) -> int:
        return sum(entry.kind == "invoke" for entry in self.entries)

    @property
    def keys(self) -> set[Key]:
        return {entry.key for entry in self.entries}

    @property
    def acknowledged(self) -> set[Key]:
        """Of these a bot was told that they are kept."""
        return {entry.key for entry in self.entries if entry.kind == "ok"}

    def final_bodies(self) -> dict[Key, set[bytes]]:
        """What was sent as the final answer of each message: one body, or something is wrong."""
        found: dict[Key, set[bytes]] = defaultdict(set)
        for entry in self.entries:
            if entry.kind == "ok" and entry.status == 200:
                found[entry.key].add(entry.body)
        return found

    def times(self, since: float = 0.0, until: float = math.inf) -> list[float]:
        """Milliseconds of every request that was answered, in a span of the monotonic clock."""
        return [entry.milliseconds for entry in self.entries
                if entry.kind in ("ok", "fail") and since <= entry.at < until]  # fmt: skip

    @property
    def told(self) -> Counter[int]:
        """How often each status was the answer; 0 where none came."""
        return Counter(entry.status for entry in self.entries if entry.kind != "invoke")

    @property
    def server_errors(self) -> Counter[tuple[int, bool]]:
        """Every 5xx, by its status and whether it said when to come again."""
        return Counter((entry.status, entry.retry_after is not None)
                       for entry in self.entries if entry.status >= 500)  # fmt: skip


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that `share` of them do not exceed; None of none."""
    ordered: Sequence[float] = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] if ordered else None
