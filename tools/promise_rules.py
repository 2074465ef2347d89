"""What an operation's own extensions must agree with: its tokens, parameters, body and codes."""

from collections.abc import Callable, Iterator

from tools.contract import Json, Operation, deref
from tools.operation_rules import Errors

CHARGED = {"RateLimit", "RateLimit-Policy"}
SUBJECTS = {"bot": "BotToken", "plugin": "PluginToken"}
REPLAYED = "Idempotency-Replayed"


def _codes(op: Operation) -> list[str]:
    codes: list[str] = op.spec.get("x-error-codes", [])
    return codes


def _schemes(op: Operation) -> set[str]:
    return {name for need in op.spec.get("security", []) for name in need}


def _tokens(op: Operation) -> set[str]:
    """The schemes that prove whose the request is; a second token of some requests does not."""
    needs = [set(need) for need in op.spec.get("security", [])]
    common = set.intersection(*needs) if needs else set()
    return {name for name in common or _schemes(op) if name in SUBJECTS.values()}


def limits_agree(op: Operation, errors: Errors) -> Iterator[str]:
    limits: list[Json] = op.spec.get("x-rate-limit", [])
    charged = {limit["by"] for limit in limits}
    for partition, scheme in SUBJECTS.items():
        if scheme in _tokens(op) and partition not in charged:
            yield f"x-rate-limit lacks {partition}, but it takes a {scheme}"
        if partition in charged and scheme not in _tokens(op):
            yield f"x-rate-limit charges a {partition}, but it takes no {scheme}"
    if "user" in charged and "user_id" not in _members(op):
        yield "x-rate-limit charges a user, but its body has no user_id"
    if bool(limits) != ("rate_limited" in _codes(op)):
        yield f"x-error-codes {'lacks' if limits else 'holds'} rate_limited"
    for status, response in op.responses().items():
        if status == 429 or (limits and status < 300):
            always = status == 429 or _always_charged(op)
            headers = _required_headers(op, response) if always else response.get("headers", {})
            for name in sorted(CHARGED - set(headers)):
                yield f"{status} lacks the header {name}"


def _always_charged(op: Operation) -> bool:
    """Or some of its callers have no quota: of the alternatives one is a key."""
    return all(set(need) & set(SUBJECTS.values()) for need in op.spec.get("security", []))


def _required_headers(op: Operation, response: Json) -> Iterator[str]:
    for name, header in response.get("headers", {}).items():
        if deref(op.document, header).get("required"):
            yield name


def _members(op: Operation) -> Json:
    if op.body_schema is None:
        return {}
    members: Json = op.document["components"]["schemas"][op.body_schema].get("properties", {})
    return members


def owner_agrees(op: Operation, errors: Errors) -> Iterator[str]:
    owner = op.spec.get("x-owner")
    ids = [item["name"] for item in op.parameters("path") if item["name"].endswith("_id")]
    if owner is None:
        if _tokens(op) and ids:
            yield f"x-owner is missing: whose is {ids[0]}?"
        return
    if owner["of"] not in _tokens(op):
        yield f"x-owner: it takes no {owner['of']}"
    if owner["parameter"] not in ids:
        yield f"x-owner: no parameter {owner['parameter']} in the path"
    yield from _code_with_status(op, errors, "x-owner", owner["code"], {404})
    own_id = f"{owner['of'].removesuffix('Token').lower()}_id"
    if owner["by"] == "token" and owner["parameter"] != own_id:
        yield f"x-owner: {owner['parameter']} is not the id of a {owner['of']}"


def idempotency_agrees(op: Operation, errors: Errors) -> Iterator[str]:
    promise = op.spec.get("x-idempotency")
    if promise is None:
        return
    for member in (promise["key"], *promise["fingerprint"]):
        if member not in _members(op):
            yield f"x-idempotency: the body has no {member}"
    if promise["key"] in promise["fingerprint"]:
        yield "x-idempotency: the key is no part of the fingerprint"
    yield from _code_with_status(op, errors, "x-idempotency", promise["reused"], {409, 422})
    if "in_flight" in promise:
        yield from _code_with_status(op, errors, "x-idempotency", promise["in_flight"], {409})
    for status, response in op.responses().items():
        if status < 300 and REPLAYED not in response.get("headers", {}):
            yield f"{status} lacks the header {REPLAYED}"


def _code_with_status(
    op: Operation, errors: Errors, name: str, code: str, statuses: set[int]
) -> Iterator[str]:
    if code not in _codes(op):
        yield f"{name}: {code} is not among x-error-codes"
    elif code in errors and errors[code]["status"] not in statuses:  # else another rule says so
        yield f"{name}: {code} is no {' or '.join(map(str, sorted(statuses)))}"


PROMISE_RULES: list[Callable[[Operation, Errors], Iterator[str]]] = [
    limits_agree,
    owner_agrees,
    idempotency_agrees,
]
