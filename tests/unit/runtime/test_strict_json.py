"""JSON means one thing: what others would read otherwise, or cannot keep, is refused."""

import json
import math
import time
from typing import Any
from unittest import mock

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generated.errors import DuplicateKey, InvalidJson, InvalidUtf8, ValidationFailed
from generated.runtime import strict_json
from generated.runtime.problems import ProblemError

SENTINEL = "zq7-never-echoed"


def refusal(body: bytes) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        strict_json.parse(body)
    return caught.value


def fault(body: bytes) -> tuple[str, str]:
    """Pointer and code of the one refused value."""
    error = refusal(body)
    assert isinstance(error, ValidationFailed)
    (only,) = error.errors
    return only.pointer, only.code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b'{"a": NaN}',
        b'{"a": [1, -Infinity]}',
        b"{} {}",
        b"{}x",
        b"[1,]",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a" 1}',
        b'{"a": 01}',
        b'{"a": +1}',
        b'{"a": .5}',
        b'{"a": 1.}',
        b'{"a": 0x1}',
        b'{"a": "\\x41"}',
        b'{"a": "\\u12"}',
        b'{"a": "',
        b'{"a": "\x01"}',
        b'{"a": "\x00"}',
        b'"line\nbreak"',
        b"\x00",
        b"\xef\xbb\xbf{}",
        b"// comment\n{}",
        b"tru",
    ],
)
def test_what_is_no_json_is_invalid_json(body: bytes) -> None:
    assert isinstance(refusal(body), InvalidJson)


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"\xff", 0),
        (b'{"a": "\xe9"}', 7),
        (b'{"a": "\xc0\xaf"}', 7),  # overlong
        (b'{"a": "\xed\xa0\x80"}', 7),  # a surrogate in UTF-8's clothes
        (b'{"a": "\xf4\x90\x80\x80"}', 7),  # beyond U+10FFFF
        ('{"a": "ü"}'.encode("utf-16"), 0),
    ],
)
def test_what_is_no_utf8_is_invalid_utf8(body: bytes, offset: int) -> None:
    error = refusal(body)
    assert isinstance(error, InvalidUtf8)
    assert f"offset {offset} " in error.detail


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "b": 2, "\\u0061": 3}',
        b'{"deep": [{"x": {"a": 1, "a": 2}}]}',
        b'[{"": 1, "": 2}]',
    ],
)
def test_a_key_twice_is_refused_however_it_is_written(body: bytes) -> None:
    assert isinstance(refusal(body), DuplicateKey)


def test_a_duplicate_key_is_named_only_where_it_is_plain() -> None:
    assert "(user_id)" in refusal(b'{"user_id": 1, "user_id": 2}').detail
    assert "<b>" not in refusal(b'{"<b>": 1, "<b>": 2}').detail


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"1e400", ""),
        (b'{"a": 1e400}', "/a"),
        (b'{"a": -1E+400}', "/a"),
        (b'{"a": [0, 1' + b"0" * 400 + b".5]}", "/a/1"),
        (b"9223372036854775808", ""),
        (b'{"a": -9223372036854775809}', "/a"),
        (b'{"a": 18446744073709551616}', "/a"),
        (b'{"a": ' + b"9" * 5000 + b"}", "/a"),
        (b'{"a": -' + b"9" * 5000 + b"}", "/a"),
    ],
)
def test_a_number_beyond_64_bits_is_refused(body: bytes, pointer: str) -> None:
    assert fault(body) == (pointer, "number_out_of_range")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"9223372036854775807", 2**63 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"1e308", 1e308),
        (b"1e-400", 0.0),
        (b"-0", 0),
        (b"0.1", 0.1),
    ],
)
def test_a_number_at_the_edge_is_kept(body: bytes, value: float) -> None:
    assert strict_json.parse(body) == value


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (rb'"\u0000"', ""),
        (rb'{"a": "x\u0000y"}', "/a"),
        (rb'{"a": "\ud800"}', "/a"),
        (rb'{"a": "\uDFFF"}', "/a"),
        (rb'{"a": ["\ude00\ud83d"]}', "/a/0"),
        (rb'{"a": {"k\u0000": 1}}', "/a/k\x00"),
        (rb'{"\udc00": 1}', "/?"),
        (rb'{"a/b~c": "\ud800"}', "/a~1b~0c"),
    ],
)
def test_a_character_that_cannot_be_kept_is_refused(body: bytes, pointer: str) -> None:
    assert fault(body) == (pointer, "character_forbidden")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"\ud83d\ude00"', "😀"),
        ("😀".join('""').encode(), "😀"),
        (rb'"\\u0000 and \\ud800"', r"\u0000 and \ud800"),
        (rb'"12345678901234567890 and 1e999"', "12345678901234567890 and 1e999"),
        (b'"\x7f"', "\x7f"),
    ],
)
def test_what_only_looks_suspicious_is_kept(body: bytes, value: str) -> None:
    assert strict_json.parse(body) == value


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + closing * depth


@pytest.mark.parametrize("depth", [1, 31, 32])
def test_depth_32_is_kept(depth: int) -> None:
    assert strict_json.parse(nested(depth)) is not None
    assert strict_json.parse(b'{"a":' * depth + b"1" + b"}" * depth) is not None


@pytest.mark.parametrize("depth", [33, 100, 900, 5_000, 100_000])
def test_depth_33_is_refused_and_no_depth_crashes(depth: int) -> None:
    for body in (nested(depth), b'{"a":' * depth + b"1" + b"}" * depth):
        error = refusal(body)
        assert isinstance(error, ValidationFailed)
        many = depth > strict_json.MAX_VALUES
        assert {item.code for item in error.errors} == {"too_many_values" if many else "too_deep"}


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(list(strict_json.parse(b"[" + b",".join([b"[]"] * 1000) + b"]"))) == 1000  # type: ignore[call-overload]  # any JSON to mypy; these are lists


def test_a_deep_string_is_not_deep() -> None:
    assert strict_json.parse(b'"' + b"[" * 100 + b'"') == "[" * 100


MIB = 1 << 20


@pytest.mark.parametrize(
    "piece",
    [b"[]", b"{}", b"0", b"[[0]]", b'{"a":0}', b'"a"', b'"\\""', b"1e999", b"99999999999999999999"],
)
def test_too_many_values_are_refused_before_any_is_made(piece: bytes) -> None:
    body = b"[" + b",".join([piece] * (MIB // (len(piece) + 1))) + b"]"
    with mock.patch.object(strict_json, "_decode", side_effect=AssertionError):
        assert fault(body) == ("", "too_many_values")


def test_too_many_members_are_refused() -> None:
    body = "{" + ",".join(f'"{n:x}":0' for n in range(strict_json.MAX_VALUES + 1)) + "}"
    assert fault(body.encode()) == ("", "too_many_values")


def test_the_most_values_are_kept() -> None:
    most = strict_json.MAX_VALUES
    numbers = b"[" + b",".join([b"0"] * most) + b"]"
    assert len(list(strict_json.parse(numbers))) == most  # type: ignore[call-overload]  # any JSON to mypy; these are lists
    assert fault(numbers[:-1] + b",0]") == ("", "too_many_values")
    assert strict_json.parse(numbers[:-1] + b",0]", max_values=most + 1)


@pytest.mark.parametrize("text", [",[{" * 10_000, '\\"' * 10_000 + "," * 30_000, "ü\\," * 30_000])
def test_what_a_string_holds_is_no_value(text: str) -> None:
    body = json.dumps({"a": text, text: "a"}).encode()
    assert strict_json.parse(body) == {"a": text, text: "a"}


@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 500_000, b'["' + b",\\" * 500_000, b'["a' * 300_000]
)
def test_a_string_without_an_end_is_passed_over_once(body: bytes) -> None:
    started = time.perf_counter()
    refusal(body)
    assert time.perf_counter() - started < 20  # again for each of its signs: hours


def test_every_fault_is_told_with_its_place() -> None:
    error = refusal(rb'{"a": 1e999, "b": [{"c": "\u0000"}, 99999999999999999999]}')
    assert {(item.pointer, item.code) for item in error.errors} == {
        ("/a", "number_out_of_range"),
        ("/b/0/c", "character_forbidden"),
        ("/b/1", "number_out_of_range"),
    }


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "%s" NaN}',
        b'{"a": "%s", "a": 1}',
        b'{"a": "%s\\u0000"}',
        b'{"a": "%s\xff"}',
        b'{"a": "%s',
        b'{"%s": 1, "%s"}',
    ],
)
def test_no_refusal_echoes_the_input(body: bytes) -> None:
    error = refusal(body.replace(b"%s", SENTINEL.encode()))
    assert SENTINEL.encode() not in error.body("t")


clean_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
clean_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | clean_text,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(clean_text, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=200, deadline=None)
@given(clean_values, st.booleans(), st.sampled_from([None, 2]))
def test_what_is_clean_round_trips(value: Any, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(value, allow_nan=False, ensure_ascii=ascii_only, indent=indent).encode()
    assert strict_json.parse(body) == value


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | clean_values.map(lambda value: json.dumps(value).encode()[:-1]))
def test_any_bytes_are_parsed_or_refused_and_what_is_parsed_can_be_stored(body: bytes) -> None:
    try:
        value = strict_json.parse(body)
    except ProblemError:
        return
    orjson.dumps(value)
    assert not isinstance(value, float) or math.isfinite(value)


BLANKS = st.text(" \t\r\n\x0b\x0c\xa0\u2028\ufeff", max_size=3)
VALUES = st.sampled_from(
    ["{}", "[1]", '{"a": 1}', '"x"', "1", "-0.5", "true", "null", "", "x", "1 2",
     "1234567890123456789", '{"a": -1234567890123456789}']
)  # fmt: skip


@given(BLANKS, VALUES, BLANKS)
def test_blanks_around_a_value_are_those_of_json(before: str, value: str, after: str) -> None:
    """Against the standard library's own way from one end of a text to the other."""
    text = before + value + after
    try:
        expected = json.JSONDecoder().decode(text)
    except json.JSONDecodeError as error:
        where = f"{error.msg.lower()} at line {error.lineno}, column {error.colno}"
        assert refusal(text.encode()).detail == f"The body is not JSON: {where}."
    else:
        assert strict_json.parse(text.encode()) == expected


@pytest.mark.parametrize("blank", ["", " ", "\r\n"])
@pytest.mark.parametrize("number", ["1e999", "9223372036854775808", "1" * 400])
def test_a_number_out_of_range_is_refused_wherever_it_stands(blank: str, number: str) -> None:
    assert fault(f'{blank}{{"a": {number}}}'.encode()) == fault(f'{{"a": {number}}}'.encode())
    assert fault(f"{blank}{number}".encode())[0] == ""


def test_no_text_holds_more_values_than_its_length() -> None:
    """So a short one is not counted."""
    assert strict_json.parse(b"[1,2,3]", max_values=7) == [1, 2, 3]
    for most in (2, 3):
        with pytest.raises(ValidationFailed):
            strict_json.parse(b"[1,2,3]", max_values=most - 1)
