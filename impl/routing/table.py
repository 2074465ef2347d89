"""The routing table: compiled of the plugins' rows when they change, never per message."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from impl.plugins.calls.terms import CallTerms, OutputSchemas
from impl.routing.candidate import Candidate, Rule, Stage, Weighed
from impl.routing.classifier.port import Meanings, meanings_of
from impl.routing.conditions import ConditionError, compile_condition
from impl.routing.pattern_sets import Patterned, PatternSets, check_alone, compile_together
from impl.routing.patterns import command

USUAL = CallTerms()
CONDITIONS = frozenset({"classifier", "custom", "regex"})


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """`left_out` are plugins whose rows cannot be compiled, whole or in part, each with the reason.

    `conditions` are in the order of their rank, `classes` the classifier's rules by their tag.
    `terms` are of all versions, those too that no message is routed to any longer. `version` is
    the catalogue's: a digest of the rows.
    """

    patterns: PatternSets[Rule] = field(default_factory=PatternSets)
    conditions: tuple[Rule, ...] = ()
    classes: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    meanings: Meanings = field(default_factory=Meanings)
    fallback: Candidate | None = None
    left_out: dict[UUID, str] = field(default_factory=dict)
    terms: dict[UUID, CallTerms] = field(default_factory=dict)
    version: str = ""

    def terms_of(self, plugin_id: UUID) -> CallTerms:
        """How this plugin is called; the usual terms for one that is not callable now."""
        return self.terms.get(plugin_id, USUAL)


def compile_table(
    plugins: Iterable[Candidate],
    fallback: str,
    schemas: OutputSchemas | None = None,
    version: str = "",
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
    rules: dict[UUID, list[Rule]] = {}
    for _, plugin in sorted(newest.items()):
        with _left_out_where_broken(plugin, left_out):
            rules[plugin.plugin_id] = _rules(plugin, left_out)
    default = newest.get(fallback) or _default(newest.values())
    routed = [plugin for plugin in newest.values() if plugin.plugin_id in rules]
    return RoutingTable(
        patterns=compile_together(_patterned(found) for found in rules.values()),
        conditions=_conditions(rules.values()),
        classes=_classes(rules.values()),
        meanings=meanings_of(intent for plugin in routed for intent in plugin.intents),
        fallback=default,
        left_out=left_out,
        terms=terms,
        version=version,
    )


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
    except Exception as error:  # noqa: BLE001  # see above
        left_out[plugin.plugin_id] = f"{type(error).__name__}: {error}"[:200]


def _terms(plugin: Candidate, schemas: OutputSchemas) -> CallTerms:
    """Raises SchemaError."""
    output = schemas.of(plugin.plugin_id, plugin.output_schema)
    return CallTerms(plugin.schema_version, output, plugin.supports_retry)


def _rules(plugin: Candidate, left_out: dict[UUID, str]) -> list[Rule]:
    """Raises for intents that are not of a manifest."""
    meanings_of(plugin.intents)
    found = []
    for intent in plugin.intents:
        try:
            found.append(_rule(plugin, intent))
        except ConditionError as error:  # 0.1 took any text: the plugin's other intents go on
            left_out[plugin.plugin_id] = f"the condition of {intent['tag']}: {error}"[:200]
    check_alone(_patterned(found).patterns)
    return found


def _rule(plugin: Candidate, intent: dict[str, Any]) -> Rule:
    condition, tag, priority = intent["activation_condition"], intent["tag"], intent["priority"]
    kind, threshold = condition["type"], condition.get("threshold")
    if kind not in CONDITIONS:
        raise ValueError("unknown type of condition")
    if not isinstance(tag, str) or not isinstance(priority, int):
        raise TypeError("a tag or a priority of another type")
    if not isinstance(threshold, int | float | None):
        raise TypeError("a threshold of another type")
    if kind == "custom":
        compiled = compile_condition(condition["value"])
        return Rule(plugin, tag, priority, "custom", threshold, condition=compiled)
    if kind == "classifier":
        return Rule(plugin, tag, priority, "classifier", threshold)
    pattern = condition["value"]
    name = command(pattern)
    stage: Stage = "regex" if name is None else "command"
    return Rule(plugin, tag, priority, stage, threshold, command=name, pattern=pattern)


def _patterned(rules: Iterable[Rule]) -> Patterned[Rule]:
    found = [(rule.pattern, rule) for rule in rules if rule.pattern is not None]
    return Patterned(tuple(pattern for pattern, _ in found), tuple(rule for _, rule in found))


def _conditions(plugins: Iterable[list[Rule]]) -> tuple[Rule, ...]:
    """In the order in which they would win: the first has its turn whatever the others take."""
    found = (rule for rules in plugins for rule in rules if rule.stage == "custom")
    return tuple(sorted(found, key=lambda rule: Weighed(rule).rank))


def _classes(plugins: Iterable[list[Rule]]) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, list[Rule]] = defaultdict(list)
    for rule in (rule for rules in plugins for rule in rules if rule.stage == "classifier"):
        found[rule.tag].append(rule)
    return {tag: tuple(rules) for tag, rules in found.items()}


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
