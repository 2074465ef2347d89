"""The contract's own rules, beyond OpenAPI's: what breaks one is named with its file.

What the edge can answer must be declared, and what is declared must be bounded; else a client
that trusts the contract is surprised.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.bundler import Bundle, error_codes, load, read
from tools.contract import CONTRACT, Operation, in_example, operations, walk
from tools.event_rules import EVENT_RULES
from tools.extensions import FOLDER, extensions_enforced, extensions_fit
from tools.metric_rules import metrics_make_sense
from tools.operation_rules import OPERATION_RULES
from tools.promise_rules import PROMISE_RULES
from tools.schema_rules import SCHEMA_RULES
from tools.triggers import triggers_fit

HTTP = ("openapi.yaml", "plugin.openapi.yaml")
EVENTS = "events.asyncapi.yaml"
# What no document refers to, and the tools read.
ALONE = {"errors.yaml", "triggers.yaml", "triggers.schema.yaml"}
# What the edge answers where no operation is named.
CODES_WITHOUT_OPERATION = {"not_found"}
# The shapes of secrets that work somewhere; ours are told by the word EXAMPLE in them.
_SECRET = re.compile(
    r"bc_[a-z]+_(?!.*EXAMPLE)|whsec_(?!.*EXAMPLE)|sk-[A-Za-z0-9]{20}|gh[pousr]_[A-Za-z0-9]{36}|AKIA[A-Z0-9]{16}"
    r"|xox[abprs]-|eyJ[A-Za-z0-9_-]{10,}\.|-----BEGIN|https?://[^/@\s]+:[^/@\s]+@"
)

OF_OPERATIONS = [*OPERATION_RULES, *PROMISE_RULES]

Bundles = dict[str, Bundle]


def findings(folder: Path = CONTRACT) -> list[str]:
    """Every broken rule of the contract in `folder`, each as `file: what is wrong`."""
    bundles = {name: load(name, folder) for name in (*HTTP, EVENTS)}
    found = [text for rule in CONTRACT_RULES for text in rule(folder, bundles)]
    for bundle in bundles.values():
        found += [text for rule in SCHEMA_RULES for text in rule(bundle)]
    found += [text for rule in EVENT_RULES for text in rule(bundles[EVENTS])]
    for name in HTTP:
        errors = error_codes(folder)
        for operation in operations(bundles[name].document):
            place = bundles[name].place(("paths", operation.path, operation.method))
            found += [
                f"{place}: {text}" for rule in OF_OPERATIONS for text in rule(operation, errors)
            ]
    return list(dict.fromkeys(found))  # a schema of two documents is said once


def one_tag_a_path(folder: Path, bundles: Bundles) -> Iterator[str]:
    """A path is one endpoint of one router."""
    for name in HTTP:
        tags: dict[str, set[str]] = {}
        for operation in operations(bundles[name].document):
            tags.setdefault(operation.path, set()).update(operation.spec.get("tags", []))
        for path, found in tags.items():
            if len(found) > 1:
                yield f"{bundles[name].place(('paths', path))}: several tags {sorted(found)}"


def every_file_used(folder: Path, bundles: Bundles) -> Iterator[str]:
    used = {path for bundle in bundles.values() for path in bundle.files}
    for path in sorted(folder.resolve().rglob("*.yaml")):
        if path not in used and path.name not in ALONE and path.parent.name != FOLDER:
            yield f"{path.relative_to(folder.resolve())}: no document refers to it"


def events_are_declared(folder: Path, bundles: Bundles) -> Iterator[str]:
    """What an operation emits is a message; what no operation or worker emits is none."""
    messages = set(bundles[EVENTS].document["components"]["messages"])
    for bundle, operation in _operations(bundles):
        for event in operation.spec.get("x-emits", []):
            if event not in messages:
                place = bundle.place(("paths", operation.path, operation.method))
                yield f"{place}: x-emits: {event} is not in {EVENTS}"


def one_quota_a_partition(folder: Path, bundles: Bundles) -> Iterator[str]:
    """All operations take from one bucket, which has one size."""
    quotas: dict[str, tuple[int, int]] = {}
    for bundle, operation in _operations(bundles):
        for limit in operation.spec.get("x-rate-limit", []):
            figures = (limit["quota"], limit["window"])
            if quotas.setdefault(limit["by"], figures) != figures:
                place = bundle.place(("paths", operation.path, operation.method))
                yield f"{place}: x-rate-limit: another quota for {limit['by']} elsewhere"


def _operations(bundles: Bundles) -> Iterator[tuple[Bundle, Operation]]:
    for name in HTTP:
        for operation in operations(bundles[name].document):
            yield bundles[name], operation


def every_code_used(folder: Path, bundles: Bundles) -> Iterator[str]:
    used = {
        code
        for name in HTTP
        for operation in operations(bundles[name].document)
        for code in operation.spec.get("x-error-codes", [])
    }
    for code in error_codes(folder):
        if code not in used | CODES_WITHOUT_OPERATION:
            yield f"errors.yaml: no operation answers {code}"


def codes_complete(folder: Path, bundles: Bundles) -> Iterator[str]:
    for code, error in read(folder / "errors.yaml").items():
        if set(error) != {"by", "status", "title", "description"}:
            yield f"errors.yaml: {code} needs by, status, title and description, no more"
        elif error["by"] not in {"edge", "handler"} or not 400 <= error["status"] <= 599:
            yield f"errors.yaml: {code} has no such by or status"


def no_secret_in_examples(folder: Path, bundles: Bundles) -> Iterator[str]:
    for bundle in bundles.values():
        for parts, node in walk(bundle.document):
            for key, value in node.items():
                if in_example((*parts, key)) and _holds_secret(value):
                    yield f"{bundle.place((*parts, key))}: looks like a secret that works"


def _holds_secret(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and _SECRET.search(text) for text in texts)


CONTRACT_RULES: list[Callable[[Path, Bundles], Iterator[str]]] = [
    extensions_fit,
    extensions_enforced,
    events_are_declared,
    one_quota_a_partition,
    one_tag_a_path,
    every_file_used,
    every_code_used,
    codes_complete,
    metrics_make_sense,
    triggers_fit,
    no_secret_in_examples,
]
