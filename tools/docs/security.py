"""Which controls hold at which operation, by what the contract says of it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tools.bundler import read
from tools.contract import Operation
from tools.docs.uses import closure, references

CONTROLS = Path(__file__).parent / "controls.yaml"
# OWASP API Security Top 10, 2023.
ITEMS = {
    "API1": "Broken Object Level Authorization",
    "API2": "Broken Authentication",
    "API3": "Broken Object Property Level Authorization",
    "API4": "Unrestricted Resource Consumption",
    "API5": "Broken Function Level Authorization",
    "API6": "Unrestricted Access to Sensitive Business Flows",
    "API7": "Server Side Request Forgery",
    "API8": "Security Misconfiguration",
    "API9": "Improper Inventory Management",
    "API10": "Unsafe Consumption of APIs",
}
# An item that is no matter of an operation: it makes no flow that is worth an abuse (API6), has
# nobody called (API7, API10), names no object (API1), or asks for no credentials (API5).
NOT_EVERYWHERE = {"API1", "API5", "API6", "API7", "API10"}

# What the contract does not say: whom an operation has called.
CALLS_PLUGIN = {"addDialogMessage", "registerPlugin"}
CALLS_MODEL = {"addDialogMessage", "explainRouting"}
CALLS_WEBHOOK = {"resendDelivery", "testSubscription"}
# Its URLs are for the plugin, the core asks none of them.
PASSED_ON = {"addDialogMessage", "explainRouting"}
JOINS = {"createBot", "registerPlugin", "createSubscription"}
URLS = {"HttpUrl", "PluginBaseUrl"}
OTHERS_EVENTS = {"listPluginEvents", "streamPluginEvents"}


@cache
def controls() -> dict[str, Any]:
    """By name: `item`, `what`, `where` and `tests`."""
    found: dict[str, Any] = read(CONTROLS)
    return found


def row(operation: Operation) -> dict[str, list[str]]:
    """The names of the controls that hold at an operation, by item."""
    found: dict[str, list[str]] = {item: [] for item in ITEMS}
    for name in holding(operation):
        found[controls()[name]["item"]].append(name)
    return found


def holding(operation: Operation) -> Iterator[str]:
    yield from _authorization(operation)
    yield from _content(operation)
    yield from _consumption(operation)
    yield from _flows(operation)
    yield from _calls(operation)
    yield from ("errors", "start", "declared")


def _authorization(operation: Operation) -> Iterator[str]:
    needs = operation.spec["security"]
    if not needs:
        yield "open"
        return
    yield "token"
    if _makes_secrets(operation):
        yield "issue"
    yield "scope" if any(scopes for need in needs for scopes in need.values()) else "kind"
    owner = operation.spec.get("x-owner")
    if owner:
        yield "owner" if owner["by"] == "result" else "self"
    elif all("AdminKey" in need for need in needs):
        yield "operator"
    else:
        yield "own_rows"


def _content(operation: Operation) -> Iterator[str]:
    yield "strict"
    if operation.id in OTHERS_EVENTS:
        yield "payload"
    if _makes_secrets(operation):
        yield "shown_once"


def _consumption(operation: Operation) -> Iterator[str]:
    if operation.body_schema:
        yield "body"
    if operation.spec.get("x-rate-limit"):
        yield "limit"
    names = {item["name"] for item in operation.parameters("query")}
    if "max_seconds" in names:
        yield "stream"
    elif "cursor" in names:
        yield "page"
    yield "deadline"


def _flows(operation: Operation) -> Iterator[str]:
    limits = {limit["by"] for limit in operation.spec.get("x-rate-limit", ())}
    if "user" in limits or "x-idempotency" in operation.spec:
        yield "once"
    if operation.id in JOINS or _makes_secrets(operation):
        yield "joining"


def _calls(operation: Operation) -> Iterator[str]:
    if operation.id in PASSED_ON:
        yield "not_fetched"
    elif _takes_url(operation) or operation.id in CALLS_WEBHOOK:
        yield "guard"
    if operation.id in CALLS_PLUGIN:
        yield "answer"
    if operation.id in CALLS_MODEL:
        yield "model"
    if operation.id in CALLS_WEBHOOK:
        yield "receiver"


def _makes_secrets(operation: Operation) -> bool:
    """Whether a success holds what is shown once."""
    schemas = operation.document["components"]["schemas"]
    return any(
        {"token", "secret", "invocation_token"} & set(schemas[name].get("properties", ()))
        for status, response in operation.responses().items()
        if status < 300
        for name in references(response)
    )


def _takes_url(operation: Operation) -> bool:
    if not operation.body_schema:
        return False
    schemas = operation.document["components"]["schemas"]
    return bool(URLS & closure(schemas, {operation.body_schema}))
