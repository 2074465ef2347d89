"""An operation, as a person reads it."""

from typing import Any

from tools.contract import Json, Operation
from tools.docs.markdown import anchor, code, line, listed, sentence
from tools.docs.shapes import kind
from tools.operations import EDGE_HEADERS
from tools.steps import EDGE_PARAMETERS, LOCATIONS


def operation_facts(op: Operation, errors: dict[str, Json]) -> list[tuple[str, str]]:
    """What the contract says of it, each with its name; what does not apply is left out."""
    facts = [
        ("Credentials", _security(op)),
        ("Parameters", _parameters(op)),
        ("Request", _request(op)),
        ("Answers", _answers(op)),
        ("Errors", _errors(op, errors)),
        ("Limit", _limits(op)),
        ("Owner", _owner(op)),
        ("Idempotency", _idempotency(op)),
        ("Publishes", ", ".join(map(event_link, op.spec.get("x-emits", ())))),
    ]
    return [(name, text) for name, text in facts if text]


def event_link(name: str) -> str:
    return f"[`{name}`](EVENTS.md#{anchor(name)})"


def operation_link(name: str) -> str:
    return f"[`{name}`](OPERATIONS.md#{anchor(name)})"


def _security(op: Operation) -> str:
    return " or ".join(_need(need) for need in op.spec["security"])


def _need(need: dict[str, list[str]]) -> str:
    parts = (
        code(scheme) + (f" with {listed(scopes)}" if scopes else "")
        for scheme, scopes in need.items()
    )
    return " and ".join(parts)


def _parameters(op: Operation) -> str:
    found = [
        item
        for place in LOCATIONS
        for item in op.parameters(place)
        if item["name"] not in EDGE_PARAMETERS
    ]
    return ", ".join(
        f"{code(item['name'])} ({item['in']}{', required' if item.get('required') else ''})"
        for item in found
    )


def _request(op: Operation) -> str:
    return _content(op.spec.get("requestBody", {}))


def _content(holder: Json) -> str:
    return ", ".join(
        f"{kind(body['schema'])} as {code(media)}"
        for media, body in holder.get("content", {}).items()
    )


def _answers(op: Operation) -> str:
    return "; ".join(
        f"**{status}** {_answer(response)}"
        for status, response in op.responses().items()
        if status < 400
    )


def _answer(response: Json) -> str:
    headers = listed(name for name in response.get("headers", ()) if name not in EDGE_HEADERS)
    parts = (sentence(line(response["description"])), _content(response), headers)
    return ", ".join(part for part in parts if part)


def _errors(op: Operation, errors: dict[str, Json]) -> str:
    by_status: dict[int, list[str]] = {}
    for name in op.codes:
        by_status.setdefault(errors[name]["status"], []).append(name)
    return "; ".join(
        f"**{status}** {', '.join(f'[`{name}`](ERRORS.md#{anchor(name)})' for name in names)}"
        for status, names in sorted(by_status.items())
    )


def _limits(op: Operation) -> str:
    return ", ".join(
        f"{limit['quota']} requests in {limit['window']} s of one {limit['by']}"
        for limit in op.spec.get("x-rate-limit", ())
    )


def _owner(op: Operation) -> str:
    owner: dict[str, Any] = op.spec.get("x-owner", {})
    if not owner:
        return ""
    holder = code(owner["of"])
    return f"{code(owner['parameter'])} must be of the {holder}, else {code(owner['code'])}"


def _idempotency(op: Operation) -> str:
    rule: dict[str, Any] = op.spec.get("x-idempotency", {})
    if not rule:
        return ""
    kept = f", kept {rule['kept_hours']} h" if "kept_hours" in rule else ""
    first = f"{code(rule['key'])}, compared by {listed(rule['fingerprint'])}{kept}"
    other = f"another request under the same key is {code(rule['reused'])}"
    flight = f", one that is not finished {code(rule['in_flight'])}" if "in_flight" in rule else ""
    return f"{first}; {other}{flight}"
