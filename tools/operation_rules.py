"""What every operation of the contract declares: no less than its edge can answer, no more."""

from collections.abc import Callable, Iterator
from typing import Any

from tools.contract import Json, Operation, deref
from tools.steps import LOCATIONS, own_parameters, takes_preferences

DEMANDED = ("operationId", "summary", "description", "tags", "x-error-codes", "security")
PROBLEM = "application/problem+json"
EVENT_STREAM = "text/event-stream"
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
EVERY_ANSWER = {"X-Trace-Id", "X-Schema-Version"}
# Beside those, by status and by code.
HEADERS_OF_STATUS = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}
HEADERS_OF_CODE = {"message_in_flight": "Retry-After"}

ALWAYS = {"method_not_allowed", "not_acceptable", "internal_error"}
OF_CREDENTIALS = {"missing_credentials", "invalid_credentials"}
OF_SCOPES = {"insufficient_scope"}
OF_VERSION = {"unsupported_schema_version"}
OF_BODY = {
    "invalid_json",
    "invalid_utf8",
    "duplicate_key",
    "body_too_large",
    "unsupported_media_type",
}
OF_VALUES = {"validation_failed"}

Errors = dict[str, Json]


def demanded_members(op: Operation, errors: Errors) -> Iterator[str]:
    for name in DEMANDED:
        if name not in op.spec or (op.spec[name] in ("", None, []) and name != "security"):
            yield f"lacks {name}"
    if len(op.spec.get("tags", [])) != 1:
        yield "needs exactly one tag"


def statuses_are_those_of_codes(op: Operation, errors: Errors) -> Iterator[str]:
    codes = op.spec.get("x-error-codes", [])
    for code in codes:
        if code not in errors:
            yield f"x-error-codes: {code} is not in errors.yaml"
    declared = {int(status) for status in op.spec["responses"]}
    possible = {errors[code]["status"] for code in codes if code in errors}
    for status in sorted(possible - declared):
        yield f"x-error-codes answers {status}, which responses lacks"
    for status in sorted(declared - possible):
        if not 200 <= status <= 299:
            yield f"no code of x-error-codes has status {status}"
    if not any(200 <= status <= 299 for status in declared):
        yield "declares no success"


def problems_only(op: Operation, errors: Errors) -> Iterator[str]:
    for status, response in op.responses().items():
        content = response.get("content", {})
        if status < 400:
            continue
        if list(content) != [PROBLEM]:
            yield f"{status} is not {PROBLEM} alone"
        elif content[PROBLEM]["schema"] != PROBLEM_SCHEMA:
            yield f"{status} is not a Problem"


def headers_declared(op: Operation, errors: Errors) -> Iterator[str]:
    for status, response in op.responses().items():
        for name in sorted(_demanded_headers(op, errors, status)):
            header = response.get("headers", {}).get(name)
            if header is None:
                yield f"{status} lacks the header {name}"
            elif not deref(op.document, header).get("required"):
                yield f"{status}: the header {name} is not required"


def _demanded_headers(op: Operation, errors: Errors, status: int) -> set[str]:
    of_codes = {
        header
        for code, header in HEADERS_OF_CODE.items()
        if code in op.spec.get("x-error-codes", []) and errors[code]["status"] == status
    }
    of_status = {HEADERS_OF_STATUS[status]} if status in HEADERS_OF_STATUS else set()
    return EVERY_ANSWER | of_codes | of_status


def examples_given(op: Operation, errors: Errors) -> Iterator[str]:
    contents = {f"{status}": response for status, response in op.responses().items()}
    if "requestBody" in op.spec:
        contents["requestBody"] = op.spec["requestBody"]
    for name, holder in contents.items():
        for media, content in holder.get("content", {}).items():
            if not content.get("examples"):
                yield f"{name}: {media} has no examples"


def edge_codes_declared(op: Operation, errors: Errors) -> Iterator[str]:
    """An error of the edge that is not declared would be a 500; one it cannot raise misleads."""
    declared = set(op.spec.get("x-error-codes", []))
    for codes, reason, possible in _edge_codes(op):
        for code in sorted(codes - declared if possible else codes & declared):
            yield f"x-error-codes {'lacks' if possible else 'holds'} {code}, but {reason}"


def _edge_codes(op: Operation) -> Iterator[tuple[set[str], str, bool]]:
    needs: list[dict[str, Any]] = op.spec.get("security", [])
    scoped = any(scopes for need in needs for scopes in need.values())
    versioned = any(item["name"] == "X-Schema-Version" for item in op.parameters("header"))
    takes_body = "requestBody" in op.spec
    reads = takes_body or any(own_parameters(op, location) for location in LOCATIONS)
    yield ALWAYS, "every operation answers it", True
    yield OF_CREDENTIALS, _because(needs, "credentials"), bool(needs)
    yield OF_SCOPES, _because(scoped, "scopes"), scoped
    yield OF_VERSION, _because(versioned, "X-Schema-Version"), versioned
    yield OF_BODY, _because(takes_body, "a body"), takes_body
    if reads:
        yield OF_VALUES, "it takes values", True


def _because(takes: object, what: str) -> str:
    return f"it takes {what if takes else 'no ' + what.removeprefix('a ')}"


def preferences_applied(op: Operation, errors: Errors) -> Iterator[str]:
    """Who takes preferences has a success that tells which one it honoured, and nobody else."""
    told = [
        status
        for status, response in op.responses().items()
        if "Preference-Applied" in response.get("headers", {})
    ]
    if takes_preferences(op) and not any(status < 300 for status in told):
        yield "it takes Prefer, but no success has the header Preference-Applied"
    if told and not takes_preferences(op):
        yield f"{told[0]} has the header Preference-Applied, but it takes no Prefer"


def scopes_of_each_way(op: Operation, errors: Errors) -> Iterator[str]:
    """Whoever may be one of several is asked for a scope as the others are, or nobody is."""
    ways = op.spec.get("security", [])
    free = [" and ".join(way) for way in ways if not any(way.values())]
    if free and len(free) < len(ways):
        yield f"asks no scope of {', '.join(free)}, and of others one"


def streams_end(op: Operation, errors: Errors) -> Iterator[str]:
    """Each event is told alone, so its stream must end by itself, and go on elsewhere."""
    told = [
        status
        for status, response in op.responses().items()
        if EVENT_STREAM in response.get("content", {})
    ]
    if not told:
        return
    if op.method != "get" or told != [200]:
        yield f"{EVENT_STREAM} is the 200 of a GET, and nothing else"
    elif list(op.responses()[200]["content"]) != [EVENT_STREAM]:
        yield f"200 is not {EVENT_STREAM} alone"
    seconds = [item for item in op.parameters("query") if item["name"] == "max_seconds"]
    if not seconds or "maximum" not in seconds[0]["schema"]:
        yield "its stream has no end: it takes no max_seconds with a maximum"
    if not any(item["name"] == "Last-Event-ID" for item in op.parameters("header")):
        yield "its stream cannot go on: it takes no Last-Event-ID"


OPERATION_RULES: list[Callable[[Operation, Errors], Iterator[str]]] = [
    demanded_members,
    statuses_are_those_of_codes,
    problems_only,
    headers_declared,
    examples_given,
    edge_codes_declared,
    preferences_applied,
    streams_end,
    scopes_of_each_way,
]
