"""The body reader: whatever comes is read in one way, or refused as the contract says."""

import asyncio
import json
import math
from functools import cache
from typing import Any
from uuid import UUID

import orjson
import pydantic_core
from hypothesis import strategies as st

from generated import models
from generated.errors import ERRORS
from generated.runtime import strict_json, trace
from generated.runtime.problems import MAX_ERRORS, MAX_POINTER, ProblemError
from generated.runtime.validation import read_json
from tests.fuzz.properties import Property
from tests.unit.runtime.service import GOOD, MAX_BODY, Service, message, stored

SENTINEL = "zq7-never-sent-back-as-it-came"
LONGEST_PROBLEM = 128 * 1024
# What request bodies, a plugin's answers and its manifest are read as.
MODELS = (
    models.DialogMessageCreateV1, models.DialogResetRequestV1, models.UserUpsertV1,
    models.PluginRegistrationRequestV1, models.PluginHeartbeatRequestV1, models.PluginEventV1,
    models.BotCreateV1, models.LimitChangeV1, models.SubscriptionCreateV1,
    models.RoutingExplainRequestV1, models.PluginInvocationResponseV1, models.PluginManifestV1,
    models.PluginHealthV1,
)  # fmt: skip

odd_text = st.text() | st.sampled_from(
    ["", "\x00", "\ud800", "\udfff\ud800", "\u2028", "\x1b[2J", "a" * 5000, "__proto__", "../..",
     "NaN", "1e999", '"', "\\", "\\u0000", SENTINEL, "\ufeff", "😀"]
)  # fmt: skip
odd_numbers = st.integers() | st.floats() | st.sampled_from(
    [2**63, 2**63 - 1, -(2**63), -(2**63) - 1, 2**64, 2**53 + 1, 10**30, 1e308, -0.0, 5e-324]
)  # fmt: skip
odd_scalars = st.none() | st.booleans() | odd_numbers | odd_text
odd_values = st.recursive(
    odd_scalars,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(odd_text, inner, max_size=6),
    max_leaves=40,
)


def _dumped(value: Any, *, plain: bool, indent: int | None) -> bytes:
    text = json.dumps(value, ensure_ascii=plain, indent=indent)
    return text.encode("utf-8", "surrogatepass")


documents = st.builds(
    _dumped, odd_values, plain=st.booleans(), indent=st.sampled_from([None, 0, 3])
)
tokens = st.lists(
    st.sampled_from(
        [b"{", b"}", b"[", b"]", b":", b",", b'"', b'"a"', b'"a":', b"1", b"-", b"0", b".", b"e9",
         b"1e999", b"true", b"null", b"NaN", b"Infinity", b"\\u0000", b"\\ud800", b"\\", b" ",
         b"\n", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"/**/", b"9" * 25]
    )
    | st.binary(max_size=4),
    max_size=60,
).map(b"".join)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> bytes:
    """`whole` with a piece cut out, doubled or put in."""
    content = draw(whole)
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(len(content), start + 40)))
    piece = draw(st.binary(max_size=6) | st.just(content[start:end] * 2) | tokens)
    return content[:start] + piece + content[end:]


bodies = st.binary(max_size=200) | tokens | documents | damaged(documents)


def _problem(error: ProblemError) -> None:
    """It is declared, within its bounds, and JSON that everybody reads."""
    assert ERRORS[error.code] is type(error)
    content = error.body(str(UUID(int=1)))
    assert len(content) <= LONGEST_PROBLEM
    told = json.loads(content)
    assert len(told["errors"]) <= MAX_ERRORS
    assert all(len(fault["pointer"]) <= MAX_POINTER for fault in told["errors"])
    models.Problem.model_validate_json(content, strict=True)


def _same(one: Any, other: Any) -> bool:
    """As JSON has it: 1 is not true, and 1.0 may be 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def reads_in_one_way(body: bytes) -> None:
    try:
        value = strict_json.parse(body)
    except ProblemError as error:
        _problem(error)
        return
    # The models are read from the same bytes by pydantic's own parser; others use theirs.
    assert _same(value, pydantic_core.from_json(body, allow_inf_nan=False))
    assert _same(value, orjson.loads(body))
    assert _same(value, json.loads(body))
    _can_be_kept(value, 0)


def _can_be_kept(value: Any, depth: int) -> None:
    assert depth <= strict_json.MAX_DEPTH
    if isinstance(value, dict):
        for key, item in value.items():
            _can_be_kept(key, depth)
            _can_be_kept(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _can_be_kept(item, depth + 1)
    elif isinstance(value, str):
        assert "\x00" not in value
        value.encode()  # no surrogate
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, int):
        assert -(2**63) <= value < 2**63


@cache
def _members(model: Any) -> tuple[str, ...]:
    return tuple(model.model_fields)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Any, bytes]:
    """A model, and an object with members of its names and values of any kind."""
    model = draw(st.sampled_from(MODELS))
    names = st.sampled_from(_members(model)) | odd_text
    value = draw(st.dictionaries(names, odd_values, max_size=8))
    if draw(st.booleans()):
        value = json.loads(message()) | value
    return model, _dumped(value, plain=draw(st.booleans()), indent=None)


def is_of_the_model_or_refused(given: tuple[Any, bytes]) -> None:
    model, body = given
    try:
        read = read_json(model, body)
    except ProblemError as error:
        _problem(error)
        sent_back = error.body("x").decode()
        keys = SENTINEL in " ".join(fault.pointer for fault in error.errors)
        assert keys or SENTINEL not in sent_back
        return
    again = read.model_dump_json(by_alias=True).encode()
    orjson.loads(again)  # what is kept can be sent
    read_json(model, again)


headers = st.lists(
    st.tuples(
        st.sampled_from(
            ["Content-Type", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Accept",
             "X-Schema-Version", "X-Trace-Id", "traceparent", "Prefer", "X-Deadline-Ms",
             "X-Bot-Token", "Authorization", "X-Other"]
        ),
        st.sampled_from(
            ["application/json", "application/json; charset=utf-8", "text/plain", "gzip", "chunked",
             "identity", "0", "5", "-1", "9" * 30, "v1alpha", "*/*", "respond-async", "100", GOOD,
             f"Bearer {GOOD}", str(UUID(int=7)), f"00-{'a' * 32}-{'b' * 16}-01", ""]
        )
        | st.text(st.characters(max_codepoint=255), max_size=40),
    ),
    max_size=5,
)  # fmt: skip
RUNNER = asyncio.Runner()
SERVICE = Service()
SERVICE.handlers.outcome = stored()


@st.composite
def sent(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[bytes], str]:
    """The headers, body and query of a message, and the pieces in which the body comes."""
    good = st.just(message())
    body = draw(good | damaged(good) | bodies | st.integers(0, 3 * MAX_BODY).map(bytes))
    cuts = sorted(draw(st.lists(st.integers(0, len(body)), max_size=4)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    query = draw(st.just("") | st.text(st.characters(max_codepoint=255), max_size=30))
    return draw(st.just([]) | headers), pieces, query


def is_answered(given: tuple[list[tuple[str, str]], list[bytes], str]) -> None:
    more, pieces, query = given
    SERVICE.observer.failures.clear()
    answer = RUNNER.run(SERVICE.add_message(pieces, *more, query=query))
    assert SERVICE.observer.failures == []
    before_the_last = pieces[: max(SERVICE.read - 1, 0)]
    assert sum(map(len, before_the_last)) <= MAX_BODY  # read no further than the limit
    assert len(answer.content) <= LONGEST_PROBLEM
    if answer.status != 200:
        assert ERRORS[answer.code].status == answer.status


@st.composite
def traces(draw: st.DrawFn) -> dict[bytes, bytes]:
    uuid, hexadecimal = str(draw(st.uuids())), draw(st.text("0123456789abcdefABCDEF-", max_size=60))
    parent = f"00-{uuid.replace('-', '')}-{'b' * 16}-01"
    given = st.sampled_from([uuid, uuid.upper(), parent, f" {uuid}", f"{uuid}\n", hexadecimal])
    anything = st.binary(max_size=60)
    return draw(
        st.dictionaries(
            st.sampled_from([b"x-trace-id", b"traceparent"]),
            given.map(str.encode) | anything | damaged(given.map(str.encode)),
        )
    )


def is_a_trace(given: dict[bytes, bytes]) -> None:
    found, named = trace.from_headers(given)
    assert str(UUID(found)) == found
    digits = found.replace("-", "").encode()
    sent_digits = b"".join(given.values()).lower().replace(b"-", b"")
    assert not named or digits == given[b"x-trace-id"].lower().replace(b"-", b"")
    assert digits in sent_digits or UUID(found).version == 4
    several = frozenset({b"x-trace-id", b"traceparent"})
    assert trace.from_headers(given, several)[0] != found


PROPERTIES = (
    Property("body.json", bodies, reads_in_one_way),
    Property("body.models", requests(), is_of_the_model_or_refused),
    Property("body.requests", sent(), is_answered),
    Property("body.traces", traces(), is_a_trace),
)
