"""Who may answer a message, and by which intent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from generated.runtime.edge import SCHEMA_VERSION
from impl.routing.conditions import Condition

Stage = Literal["command", "regex", "custom", "classifier", "fallback", "failure", "none"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that can be called, as its row says."""

    plugin_id: UUID
    name: str
    version: str
    base_url: str
    intents: Sequence[dict[str, Any]] = field(hash=False)
    status: str
    manifest_hash: str
    schema_version: str = SCHEMA_VERSION
    output_schema: object = field(default=None, hash=False)
    supports_retry: bool = True
    is_fallback: bool = False
    sticky_bonus: float = 0.0

    @property
    def healthy(self) -> bool:
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Rule:
    """One intent of one plugin: what fires it, by its stage, and how it then ranks."""

    plugin: Candidate
    tag: str
    priority: int
    stage: Stage
    threshold: float | None = None
    command: str | None = None
    pattern: str | None = None
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A rule before a message. `score` is without the bonus; a rule that matched has 1."""

    rule: Rule
    score: float = 1.0
    bonus: float = 0.0
    threshold: float | None = None

    @property
    def total(self) -> float:
        return min(1.0, self.score + self.bonus)

    @property
    def fires(self) -> bool:
        return self.threshold is None or self.total >= self.threshold

    @property
    def rank(self) -> tuple[bool, float, int, bool, str, str]:
        """The least wins: score, priority, health, then an order that never changes."""
        rule = self.rule
        return (
            not self.fires,
            -self.total,
            -rule.priority,
            not rule.plugin.healthy,
            rule.plugin.name,
            rule.tag,
        )
