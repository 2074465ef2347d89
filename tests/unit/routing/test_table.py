"""Who answers: the rank of the rules, and that no row harms another."""

from dataclasses import replace
from uuid import uuid4

import pytest

from impl.plugins.calls.terms import CallTerms, OutputSchemas
from impl.routing.candidate import Candidate
from impl.routing.decision import Decision
from impl.routing.table import RoutingTable, compile_table
from tests.stack import regex_intent
from tests.unit.routing.tables import Tables, candidate, custom_intent, decide


def routed(table: RoutingTable, text: str) -> str | None:
    decision = decide(Tables(table), text)
    return decision.plugin.name if isinstance(decision, Decision) else None


def test_of_equal_priority_the_healthy_plugin_answers_and_then_the_name_decides() -> None:
    go = [regex_intent("go", "go", 5)]
    names = ["a", "b", "c"]
    sick = [candidate(name, go, "degraded" if name == "a" else "active") for name in names]
    assert routed(compile_table(sick, "none"), "go") == "b"
    well = [candidate(name, go) for name in names]
    assert routed(compile_table(well, "none"), "go") == "a"
    first = candidate("z", [regex_intent("go", "go", 6)], "degraded")
    assert routed(compile_table([*well, first], "none"), "go") == "z"


GOOD = regex_intent("go", "go")
CONDITION = {"type": "regex", "value": "x"}
BAD = {
    "no list": None,
    "a number": 7,
    "bare tags": ["go"],
    "no condition": [GOOD, {"tag": "x", "priority": 0}],
    "no priority": [{"tag": "x", "activation_condition": CONDITION}],
    "priority of another type": [
        {"tag": "x", "activation_condition": CONDITION, "priority": "high"}
    ],
    "unknown condition": [
        GOOD,
        {"tag": "x", "activation_condition": {"type": "psychic"}, "priority": 0},
    ],
    "no pattern": [regex_intent("x", "(((")],
    "a threshold of another type": [
        {**GOOD, "activation_condition": {**CONDITION, "threshold": "high"}}
    ],
    "an expression of another type": [
        {**GOOD, "activation_condition": {"type": "custom", "value": 7}}
    ],
    "a list for a pattern": [{**GOOD, "activation_condition": {**CONDITION, "value": ["x"]}}],
    "a pattern of another type": [{**GOOD, "activation_condition": {**CONDITION, "value": 7}}],
    "too costly": [
        regex_intent(f"t{index}", "(?i)(abcdefgh|ijklmnop){1,900}") for index in range(12)
    ],
}


def test_a_condition_that_is_none_takes_no_other_intent_with_it() -> None:
    """Before 0.2 any text was taken for one."""
    old = candidate("old", [custom_intent("odd", "whatever"), GOOD])
    table = compile_table([old], "none")
    assert routed(table, "go") == "old"
    assert table.conditions == ()
    assert list(table.left_out) == [old.plugin_id]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_left_out_and_harms_no_other(name: str) -> None:
    bad = candidate("bad", BAD[name])
    table = compile_table([bad, candidate("good", [GOOD])], "bad")
    assert routed(table, "go") == "good"
    assert routed(table, "else") == "bad"
    assert set(table.left_out) == {bad.plugin_id}


def test_a_version_that_is_none_is_below_every_other() -> None:
    odd = candidate("same", [regex_intent("odd", "go")], version="latest")
    even = candidate("same", [regex_intent("even", "go")], version="0.0.1")
    decision = decide(Tables(compile_table([even, odd], "none")), "go")
    assert isinstance(decision, Decision)
    assert decision.intent == "even"


def test_the_terms_are_of_all_versions_and_usual_for_others() -> None:
    schema = {"properties": {"text": {"maxLength": 1}}}
    old = replace(candidate("a", []), output_schema=schema, supports_retry=False)
    new = candidate("a", [], version="2.0.0")
    table = compile_table([old, new], "a")
    assert table.fallback == new
    terms = table.terms_of(old.plugin_id)
    assert terms.output_schema is not None
    assert terms.output_schema.faults({"text": "ab"}) == ["/text maxLength"]
    assert not terms.supports_retry
    assert table.terms_of(new.plugin_id) == table.terms_of(uuid4()) == CallTerms()


def test_a_plugin_whose_answers_cannot_be_judged_is_not_called() -> None:
    """Of a row that an older check let in; the version before it goes on."""
    bad = replace(candidate("a", [], version="2.0.0"), output_schema={"$ref": "#"})
    old = candidate("a", [])
    table = compile_table([old, bad], "a")
    assert table.fallback == old
    assert list(table.left_out) == [bad.plugin_id]


def test_a_schema_is_compiled_again_only_where_it_changed() -> None:
    schemas = OutputSchemas()
    one = replace(candidate("a", []), output_schema={"minProperties": 1})

    def compiled(plugin: Candidate) -> object:
        return compile_table([plugin], "a", schemas).terms_of(one.plugin_id).output_schema

    first = compiled(one)
    assert compiled(replace(one, status="degraded", output_schema={"minProperties": 1})) is first
    assert compiled(replace(one, output_schema={"minProperties": 2})) is not first
