"""The routing table: rules first, by RE2 and all in one match; then the fallback."""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from generated import models
from impl.routing.patterns import PatternSet

CONDITIONS = frozenset({"classifier", "custom", "regex"})


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
    output_schema: Any = field(default=None, hash=False)
    schema_version: str = "v1alpha"
    is_fallback: bool = False

    @property
    def healthy(self) -> bool:
        return self.status == "active"


@dataclass(frozen=True, slots=True)
class Rule:
    """One regex intent of one plugin."""

    plugin: Candidate
    tag: str
    priority: int

    @property
    def rank(self) -> tuple[int, bool, str, str]:
        """The least wins: priority, then health, then an order that never changes."""
        return -self.priority, not self.plugin.healthy, self.plugin.name, self.tag


@dataclass(frozen=True, slots=True)
class Decision:
    """Who answers, and why; `reasons` is stored with the call."""

    plugin: Candidate
    intent: str | None
    reasons: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PluginRules:
    """The regex intents of one plugin; a set of its own, so that none can harm another."""

    patterns: PatternSet
    rules: tuple[Rule, ...]

    def fired(self, text: bytes) -> list[Rule]:
        return [self.rules[index] for index in self.patterns.hits(text)]


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """`left_out` are plugins whose rules cannot be compiled, by id, each with the reason."""

    plugins: tuple[PluginRules, ...]
    fallback: Candidate | None
    left_out: dict[UUID, str] = field(default_factory=dict)

    def route(self, payload: models.MessagePayloadV1) -> Decision | None:
        """Who answers `payload`; None where nobody can, not even the fallback."""
        started = time.perf_counter_ns()
        fired = self._fired(payload)
        if fired:
            return self._decision("regex", fired[0].plugin, fired, started)
        if self.fallback is None:
            return None
        return self._decision("fallback", self.fallback, fired, started)

    def _fired(self, payload: models.MessagePayloadV1) -> list[Rule]:
        text = getattr(payload, "text", None)
        if text is None:
            return []
        encoded = text.encode()
        found = (rule for plugin in self.plugins for rule in plugin.fired(encoded))
        return sorted(found, key=lambda rule: rule.rank)

    @staticmethod
    def _decision(stage: str, plugin: Candidate, fired: list[Rule], started: int) -> Decision:
        reasons = {
            "stage": stage,
            "plugin": plugin.name,
            "version": plugin.version,
            "manifest_hash": plugin.manifest_hash,
            "candidates": [
                {"plugin": rule.plugin.name, "intent": rule.tag, "priority": rule.priority}
                for rule in fired[:20]
            ],
            "microseconds": (time.perf_counter_ns() - started) // 1000,
        }
        return Decision(plugin, fired[0].tag if fired else None, reasons)


def compile_table(plugins: Iterable[Candidate], fallback: str) -> RoutingTable:
    """Of several versions of a name the highest active one is routed to. Never raises for a row."""
    newest: dict[str, Candidate] = {}
    for plugin in sorted(plugins, key=lambda one: (one.healthy, version_order(one.version))):
        newest[plugin.name] = plugin
    compiled, left_out = [], {}
    for _, plugin in sorted(newest.items()):
        try:
            rules = _rules(plugin)
        # A row may hold any JSON, and be older than a check of ours: a list of errors would lack
        # one, and the next instance could not start for it.
        except Exception as error:  # noqa: BLE001
            left_out[plugin.plugin_id] = f"{type(error).__name__}: {error}"[:200]
            continue
        if rules is not None:
            compiled.append(rules)
    return RoutingTable(
        tuple(compiled), newest.get(fallback) or _default(newest.values()), left_out
    )


def _default(plugins: Iterable[Candidate]) -> Candidate | None:
    """Of those that say of themselves that they answer what nobody else does, the highest."""
    found = (plugin for plugin in plugins if plugin.is_fallback)
    return max(
        found, key=lambda one: (one.healthy, version_order(one.version), one.name), default=None
    )


def _rules(plugin: Candidate) -> PluginRules | None:
    """Raises for intents that are not of a manifest."""
    patterns, rules = [], []
    for intent in plugin.intents:
        condition, tag, priority = (
            intent["activation_condition"],
            intent["tag"],
            intent["priority"],
        )
        if condition["type"] not in CONDITIONS:
            raise ValueError("unknown type of condition")
        if not isinstance(tag, str) or not isinstance(priority, int):
            raise TypeError("a tag or a priority of another type")
        if condition["type"] == "regex":
            patterns.append(condition["value"])
            rules.append(Rule(plugin, tag, priority))
    return PluginRules(PatternSet(patterns), tuple(rules)) if rules else None


def version_order(version: str) -> tuple[Any, ...]:
    """The precedence of Semantic Versioning 2.0.0, section 11."""
    core, _, pre = version.partition("+")[0].partition("-")
    if not re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20}){2}", core):
        return (), False, ()  # of a bad row: below every version
    numbers = tuple(int(part) for part in core.split("."))
    parts = tuple(
        (0, int(part), "") if re.fullmatch(r"[0-9]+", part) else (1, 0, part)
        for part in pre.split(".")
        if part
    )
    return numbers, not pre, parts
