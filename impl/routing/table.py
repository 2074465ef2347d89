"""The routing table: rules first, by RE2 and all in one match; then the fallback."""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import re2

from generated import models


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
class RoutingTable:
    patterns: re2.Set | None
    rules: tuple[Rule, ...]
    fallback: Candidate | None

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
        if text is None or self.patterns is None:
            return []
        hits = self.patterns.Match(text) or []
        return sorted((self.rules[index] for index in hits), key=lambda rule: rule.rank)

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
    """Of several versions of a name the highest active one is routed to."""
    newest: dict[str, Candidate] = {}
    for plugin in sorted(plugins, key=lambda one: (one.healthy, version_order(one.version))):
        newest[plugin.name] = plugin
    patterns, rules = [], []
    for _, plugin in sorted(newest.items()):
        for intent in plugin.intents:
            condition = intent["activation_condition"]
            if condition["type"] == "regex":
                patterns.append(condition["value"])
                rules.append(Rule(plugin, intent["tag"], intent["priority"]))
    return RoutingTable(_compile(patterns), tuple(rules), newest.get(fallback))


def _compile(patterns: list[str]) -> re2.Set | None:
    if not patterns:
        return None
    options = re2.Options()
    options.log_errors = False
    found = re2.Set.SearchSet(options)
    for pattern in patterns:
        found.Add(pattern)
    found.Compile()
    return found


def pattern_fault(pattern: str) -> str | None:
    """Why RE2 does not take `pattern`; None where it does."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "invalid"
        return reason.decode() if isinstance(reason, bytes) else str(reason)
    return None


def version_order(version: str) -> tuple[Any, ...]:
    """The precedence of Semantic Versioning 2.0.0, section 11."""
    core, _, pre = version.partition("+")[0].partition("-")
    numbers = tuple(int(part) for part in core.split("."))
    parts = tuple(
        (0, int(part), "") if re.fullmatch(r"[0-9]+", part) else (1, 0, part)
        for part in pre.split(".")
        if part
    )
    return numbers, not pre, parts
