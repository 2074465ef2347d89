"""The contract for people: `docs/TRIGGERS.md`, `DEGRADED.md` and `CONTRACTS/`, made from it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jinja2

from impl.tables import metadata
from tools.bundler import error_codes, load, read
from tools.contract import CONTRACT, Json, Operation, operations
from tools.docs.database import COLUMNS, tables
from tools.docs.degraded import degraded
from tools.docs.markdown import anchor, code, line, listed, sentence, table
from tools.docs.operation_facts import event_link, operation_facts, operation_link
from tools.docs.security import ITEMS, controls, row
from tools.docs.shapes import HEAD, bounds, kind, named, rows
from tools.docs.uses import users
from tools.events import ENVELOPE, Message, messages
from tools.extensions import EXTENSIONS, FOLDER
from tools.triggers import triggers

TEMPLATES = Path(__file__).parent.parent / "templates" / "docs"
HEADER = (
    "<!-- Generated from contracts/v1alpha by `make generate`."
    " Do not edit: change the contract. -->"
)
SOURCES = ("openapi.yaml", "plugin.openapi.yaml", "events.asyncapi.yaml")
# Each document, and the file that it becomes below docs/.
DOCUMENTS = {
    "TRIGGERS.md.j2": "TRIGGERS.md",
    "DEGRADED.md.j2": "DEGRADED.md",
    "README.md.j2": "CONTRACTS/README.md",
    "OPERATIONS.md.j2": "CONTRACTS/OPERATIONS.md",
    "SCHEMAS.md.j2": "CONTRACTS/SCHEMAS.md",
    "ERRORS.md.j2": "CONTRACTS/ERRORS.md",
    "EVENTS.md.j2": "CONTRACTS/EVENTS.md",
    "METRICS.md.j2": "CONTRACTS/METRICS.md",
    "EXTENSIONS.md.j2": "CONTRACTS/EXTENSIONS.md",
    "DATABASE.md.j2": "CONTRACTS/DATABASE.md",
    "SECURITY.md.j2": "CONTRACTS/SECURITY.md",
}

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=False,  # noqa: S701  # it is Markdown that is written, from our own contract  # nosec B701
)
_templates.filters |= {
    "anchor": anchor,
    "bounds": bounds,
    "code": code,
    "event_link": event_link,
    "kind": kind,
    "line": line,
    "listed": listed,
    "named": named,
    "operation_link": operation_link,
    "sentence": sentence,
}


def write_documents(folder: Path, contract: Path = CONTRACT) -> None:
    """Writes every document of the contract below `folder`."""
    context = _context(contract)
    for template, name in DOCUMENTS.items():
        text = _templates.get_template(template).render(header=HEADER, table=table, **context)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _context(contract: Path) -> dict[str, Any]:
    core, plugin, events = (load(name, contract).document for name in SOURCES)
    documents = [core, plugin, events]
    errors = error_codes(contract)
    return {
        "core": core,
        "parts": [(core, ""), (plugin, ", which a plugin serves")],
        "tags": tags,
        "operations": operations(core),
        "degraded": degraded,
        "events": events,
        "messages": messages(events),
        "envelope": events["components"]["schemas"][ENVELOPE],
        "sources": _sources(documents),
        "triggers": triggers(contract),
        "errors": errors,
        "answered_by": _answered_by(documents),
        "facts": lambda operation: operation_facts(operation, errors),
        "schemas": _schemas(documents),
        "users": users(documents),
        "message_names": {message.name for message in messages(events)},
        "member_rows": lambda schema: list(rows(_whole(documents), schema)),
        "payload_rows": _payload_rows,
        "head": HEAD,
        "tables": tables(metadata),
        "columns": COLUMNS,
        "extensions": _extensions(contract),
        "items": ITEMS,
        "controls": controls(),
        "security_row": row,
    }


def tags(document: Json) -> list[tuple[Json, list[Operation]]]:
    """Each tag with its operations."""
    found = operations(document)
    return [(tag, [op for op in found if op.tag == tag["name"]]) for tag in document["tags"]]


def _whole(documents: list[Json]) -> Json:
    return {"components": {"schemas": _schemas(documents)}}


def _schemas(documents: list[Json]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for document in documents:
        found |= document["components"]["schemas"]
    return dict(sorted(found.items()))


def _payload_rows(message: Message) -> list[tuple[str, ...]]:
    return list(rows(message.document, message.spec["payload"] | _resolved(message)))


def _resolved(message: Message) -> Json:
    return dict(message.document["components"]["schemas"][message.payload])


def _sources(documents: list[Json]) -> dict[str, list[str]]:
    """The operations that publish each event."""
    return _operations_by(documents, lambda op: op.spec.get("x-emits", ()))


def _answered_by(documents: list[Json]) -> dict[str, list[str]]:
    """The operations that answer with each code."""
    return _operations_by(documents, lambda op: op.codes)


def _operations_by(
    documents: list[Json], names: Callable[[Operation], Iterable[str]]
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for document in documents:
        for operation in operations(document) if "paths" in document else ():
            for name in names(operation):
                found.setdefault(name, []).append(operation.id)
    return found


def _extensions(contract: Path) -> list[tuple[str, Json, str]]:
    """Each extension with its schema and what enforces it."""
    return [
        (name, read(contract / FOLDER / f"{name}.yaml"), extension.enforced_by)
        for name, extension in sorted(EXTENSIONS.items())
    ]
