"""No schema and no value hold up everybody else: the slowest of each kind end in time."""

import time
from typing import Any

import pytest

from impl.schemas.schema import TOO_COSTLY, compile_schema

# Ten times what was measured: it is about seconds against milliseconds, not about this machine.
SECONDS = 0.3
LIST = {"items": {"$ref": "#/$defs/n"}, "properties": {"a": {"$ref": "#/$defs/n"}}}
HALVES = {
    f"d{i}": {"properties": {"a": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2}}}
    for i in range(20)
}


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


SLOW: dict[str, tuple[dict[str, Any], Any]] = {
    "doubling with each level": ({"$ref": "#/$defs/d0", "$defs": {**HALVES, "d20": {}}},
                                 nested(20)),
    "different items": ({"uniqueItems": True}, [[i] for i in range(20_000)]),
    "a costly pattern, often": (
        {"items": {"pattern": r"(?s)\pL.{20}x"}}, ["aéx" * 1365] * 50
    ),
    "patterns of many names": ({"patternProperties": {"a": {}, "b": {}}},
                               {f"k{i}" * 20: 1 for i in range(9_000)}),
    "recursion": ({"$ref": "#/$defs/n", "$defs": {"n": LIST}}, [[[[1] * 20] * 20] * 20] * 20),
    "fractions": ({"items": {"multipleOf": 1e-300}}, [1e300] * 20_000),
    "formats": ({"items": {"allOf": [{"format": "ipv6"}] * 200}},
                ["2001:db8:1:1:1:1:1:1"] * 9_000),
    "names that were seen": (
        {"allOf": [{"properties": {"b": {}}}] * 100, "unevaluatedProperties": {"type": "integer"}},
        {f"r{i}": 1 for i in range(20_000)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_what_would_take_long_is_given_up(name: str) -> None:
    schema, value = SLOW[name]
    compiled = compile_schema(schema)
    started = time.process_time()
    assert compiled.faults(value) == [TOO_COSTLY]
    assert time.process_time() - started < SECONDS


def test_a_deep_value_is_no_crash() -> None:
    value: list[Any] = []
    for _ in range(5000):
        value = [value]
    compiled = compile_schema({"items": {"$ref": "#"}})
    assert compiled.faults(value) == [TOO_COSTLY]


def test_faults_name_places_and_never_values() -> None:
    compiled = compile_schema(
        {"properties": {"a": {"items": {"const": 1}}}, "required": ["b"], "maxProperties": 0}
    )
    faults = compiled.faults({"a": ["secret"] * 9})
    assert faults[0] == "maxProperties"
    assert len(faults) == 5
    assert "secret" not in "".join(faults)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("uuid", "00000000-0000-0000-0000-00000000000A", "{00000000-0000-0000-0000-000000000000}"),
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T10:15:30.123456789Z", "2024-02-29T10:15:30"),
        ("ipv4", "127.0.0.1", "127.1"),
        ("ipv6", "::1", "1"),
        ("email", "anything", None),
    ],
)
def test_some_formats_are_checked(name: str, good: str, bad: str | None) -> None:
    compiled = compile_schema({"format": name})
    assert compiled.faults(good) == []
    assert compiled.faults(3) == []
    assert bad is None or compiled.faults(bad) == ["format"]
