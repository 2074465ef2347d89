"""A schema, compiled once; a value is held against it within a budget of steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from impl.schemas import applying, scalars
from impl.schemas.form import Form, Way, read_form
from impl.schemas.run import EnoughError, Node, Rule, Run, TooCostlyError

# Measured: at most 20 ms of the slowest kinds; an answer of ordinary size takes some dozens, 6 µs.
MAX_STEPS = 20_000
MAX_FAULTS = 5
TOO_COSTLY = "too_costly"


@dataclass(frozen=True, slots=True)
class Schema:
    root: Node
    tracks: bool

    def faults(self, value: object) -> list[str]:
        """Places and keywords that do not fit, as `/text maxLength`; empty where all fits.

        `too_costly` alone: the value was not judged. Holds keys of `value`, and none of its values.
        """
        run = Run(MAX_STEPS, MAX_FAULTS, self.tracks)
        try:
            self.root.holds(value, run, run.seen())
        except EnoughError:
            pass
        except (TooCostlyError, RecursionError):
            return [TOO_COSTLY]
        return run.faults


def compile_schema(schema: object) -> Schema:
    """Raises SchemaError."""
    form = read_form(schema)
    nodes = {way: Node() for way in form.nodes}
    tracks = False
    for way, content in form.nodes.items():
        if isinstance(content, bool):
            nodes[way].rules = () if content else (_never,)
            continue
        tracks = tracks or not {"unevaluatedItems", "unevaluatedProperties"}.isdisjoint(content)
        nodes[way].rules = tuple(_rules(form, nodes, way, content))
    return Schema(nodes[()], tracks)


def _never(_value: object, run: Run, _seen: object) -> bool:
    return run.fault("false")


def _rules(form: Form, nodes: dict[Way, Node], way: Way, content: dict[str, Any]) -> Iterator[Rule]:
    """The cheap ones first; `unevaluated…` last, since it asks what the others saw."""
    yield from _scalar_rules(content)
    yield from _rules_below(nodes, way, content)
    yield from _rules_in_place(form, nodes, way, content)
    if "unevaluatedItems" in content:
        yield applying.unevaluated_items(nodes[*way, "unevaluatedItems"])
    if "unevaluatedProperties" in content:
        yield applying.unevaluated_members(nodes[*way, "unevaluatedProperties"])


def _scalar_rules(content: dict[str, Any]) -> Iterator[Rule]:
    for keyword, value in content.items():
        if keyword in scalars.BOUNDS:
            yield scalars.bound(keyword, value)
    for keyword, make in scalars.RULES.items():
        if keyword in content and (rule := make(content[keyword])):
            yield rule


def _rules_below(nodes: dict[Way, Node], way: Way, content: dict[str, Any]) -> Iterator[Rule]:
    named = {name: nodes[*way, "properties", name] for name in content.get("properties", {})}
    by_pattern = [
        (scalars.Pattern(pattern), nodes[*way, "patternProperties", pattern])
        for pattern in content.get("patternProperties", {})
    ]
    rest = nodes.get((*way, "additionalProperties"))
    if named or by_pattern or rest:
        yield applying.members(named, by_pattern, rest)
    prefix = [nodes[*way, "prefixItems", i] for i in range(len(content.get("prefixItems", [])))]
    if prefix or "items" in content:
        yield applying.items(prefix, nodes.get((*way, "items")))
    if "contains" in content:
        least, most = content.get("minContains", 1), content.get("maxContains")
        yield applying.containing(nodes[*way, "contains"], least, most)
    if "propertyNames" in content:
        yield applying.names(nodes[*way, "propertyNames"])


def _rules_in_place(
    form: Form, nodes: dict[Way, Node], way: Way, content: dict[str, Any]
) -> Iterator[Rule]:
    def listed(keyword: str) -> list[Node]:
        return [nodes[*way, keyword, index] for index in range(len(content[keyword]))]

    if way in form.targets:
        yield applying.all_of([nodes[form.targets[way]]])
    if "allOf" in content:
        yield applying.all_of(listed("allOf"))
    if "anyOf" in content:
        yield applying.any_of(listed("anyOf"))
    if "oneOf" in content:
        yield applying.one_of_them(listed("oneOf"))
    if "not" in content:
        yield applying.none_of(nodes[*way, "not"])
    if "if" in content:
        then, otherwise = nodes.get((*way, "then")), nodes.get((*way, "else"))
        yield applying.conditional(nodes[*way, "if"], then, otherwise)
    if "dependentSchemas" in content:
        names = content["dependentSchemas"]
        yield applying.dependent({name: nodes[*way, "dependentSchemas", name] for name in names})
