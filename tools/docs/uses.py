"""Where each schema is used."""

from collections.abc import Iterator
from typing import Any

from tools.contract import Json, Operation, deref, operations, walk
from tools.events import messages

PREFIX = "#/components/schemas/"
Uses = dict[str, list[str]]


def references(node: Any) -> set[str]:
    """The schemas that `node` refers to by itself."""
    found = (item.get("$ref", "") for _, item in walk(node))
    return {ref.removeprefix(PREFIX) for ref in found if str(ref).startswith(PREFIX)}


def users(documents: list[Json]) -> Uses:
    """For each schema the operations and messages that hold it, at whatever depth."""
    found: Uses = {}
    for document in documents:
        schemas = document["components"]["schemas"]
        for name, direct in _entrances(document):
            for schema in sorted(closure(schemas, direct)):
                found.setdefault(schema, []).append(name)
    return found


def _entrances(document: Json) -> Iterator[tuple[str, set[str]]]:
    if "paths" in document:
        for operation in operations(document):
            yield operation.id, _direct(operation)
    if "channels" in document:
        for message in messages(document):
            yield message.name, references(message.spec)


def _direct(operation: Operation) -> set[str]:
    parameters = [
        item for place in ("path", "query", "header") for item in operation.parameters(place)
    ]
    found = references([operation.spec.get("requestBody", {}), parameters])
    for response in operation.responses().values():
        headers = [deref(operation.document, item) for item in response.get("headers", {}).values()]
        found |= references([response, headers])
    return found


def closure(schemas: Json, names: set[str]) -> set[str]:
    found, waiting = set(names), list(names)
    while waiting:
        fresh = references(schemas[waiting.pop()]) - found
        found |= fresh
        waiting += sorted(fresh)
    return found
