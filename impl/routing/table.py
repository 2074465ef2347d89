"""The routing table: rules first, by RE2 and all in one match; then the fallback."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from generated import models
from generated.runtime.edge import SCHEMA_VERSION
from impl.plugins.calls.terms import CallTerms, OutputSchemas
from impl.routing.patterns import PatternSet

USUAL = CallTerms()
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
    schema_version: str = SCHEMA_VERSION
    output_schema: object = field(default=None, hash=False)
    supports_retry: bool = True
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
    """`left_out` are plugins whose rows cannot be compiled, by id, each with the reason.

    `terms` are of all versions, those too that no message is routed to any longer.
    """

    plugins: tuple[PluginRules, ...]
    fallback: Candidate | None
    left_out: dict[UUID, str] = field(default_factory=dict)
    terms: dict[UUID, CallTerms] = field(default_factory=dict)

    def terms_of(self, plugin_id: UUID) -> CallTerms:
        """How this plugin is called; the usual terms for one that is not callable now."""
        return self.terms.get(plugin_id, USUAL)

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


def compile_table(
    plugins: Iterable[Candidate], fallback: str, schemas: OutputSchemas | None = None
) -> RoutingTable:
    """Of several versions of a name the highest active one is routed to. Never raises for a row."""
    schemas = schemas or OutputSchemas()
    newest: dict[str, Candidate] = {}
    left_out: dict[UUID, str] = {}
    terms: dict[UUID, CallTerms] = {}
    for plugin in sorted(plugins, key=lambda one: (one.healthy, version_order(one.version))):
        with _left_out_where_broken(plugin, left_out):
            terms[plugin.plugin_id] = _terms(plugin, schemas)
            newest[plugin.name] = plugin
    compiled = []
    for _, plugin in sorted(newest.items()):
        with _left_out_where_broken(plugin, left_out):
            rules = _rules(plugin)
            if rules is not None:
                compiled.append(rules)
    default = newest.get(fallback) or _default(newest.values())
    return RoutingTable(tuple(compiled), default, left_out, terms)


def _default(plugins: Iterable[Candidate]) -> Candidate | None:
    """Of those that say of themselves that they answer what nobody else does, the highest."""
    found = (plugin for plugin in plugins if plugin.is_fallback)
    return max(
        found, key=lambda one: (one.healthy, version_order(one.version), one.name), default=None
    )


@contextmanager
def _left_out_where_broken(plugin: Candidate, left_out: dict[UUID, str]) -> Iterator[None]:
    try:
        yield
    # A row may hold any JSON, and be older than a check of ours: a list of errors would lack
    # one, and the next instance could not start for it.
    except Exception as error:  # noqa: BLE001
        left_out[plugin.plugin_id] = f"{type(error).__name__}: {error}"[:200]


def _terms(plugin: Candidate, schemas: OutputSchemas) -> CallTerms:
    """Raises SchemaError."""
    output = schemas.of(plugin.plugin_id, plugin.output_schema)
    return CallTerms(plugin.schema_version, output, plugin.supports_retry)


# A plugin's status changes far more often than its patterns, and each change compiles a table.
_compiled = lru_cache(maxsize=512)(PatternSet)


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
    return PluginRules(_compiled(tuple(patterns)), tuple(rules)) if rules else None


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
