"""Our own extensions of OpenAPI and AsyncAPI: where each may stand, and what enforces it.

What an `x-` may say is its JSON Schema in `contracts/v1alpha/extensions/`. One that has no file
there, no entry here, no enforcement or no rule of `tools/compat` fails the build.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import jsonschema

from tools.bundler import Bundle, read
from tools.compat.extensions import RULES
from tools.contract import METHODS, Json, Parts, in_example, walk


@dataclass(frozen=True)
class Extension:
    """`enforced_by` is the one place, as `module:name`, that refuses what breaks the promise."""

    place: Callable[[Parts], bool]
    enforced_by: str


def _operation(parts: Parts) -> bool:
    return len(parts) == 3 and parts[0] == "paths" and parts[2] in METHODS


def _channel(parts: Parts) -> bool:
    return len(parts) == 2 and parts[0] == "channels"


def _root(parts: Parts) -> bool:
    return not parts


EXTENSIONS = {
    "x-error-codes": Extension(_operation, "generated.runtime.edge:Endpoint"),
    "x-rate-limit": Extension(_operation, "generated.runtime.call:Call.pay"),
    "x-owner": Extension(_operation, "generated.runtime.owners:owned"),
    "x-idempotency": Extension(_operation, "generated.runtime.idempotency:idempotency"),
    "x-emits": Extension(_operation, "generated.runtime.emits:require"),
    "x-redis-stream": Extension(_channel, "impl.events.streams:append"),
    "x-metrics": Extension(_root, "generated.runtime.metrics:Family"),
}
FOLDER = "extensions"


def extensions_fit(folder: Path, bundles: dict[str, Bundle]) -> Iterator[str]:
    """Every `x-` of the contract is one of ours, stands where it may and says what it can."""
    for bundle in bundles.values():
        for parts, node in walk(bundle.document):
            if in_example(parts) or parts[-1:] == ("properties",):
                continue
            for name in (key for key in node if key.startswith("x-")):
                where = bundle.place(parts) if parts else bundle.name
                yield from (f"{where}: {text}" for text in _faults(folder, name, parts, node[name]))


def _faults(folder: Path, name: str, parts: Parts, value: object) -> Iterator[str]:
    extension = EXTENSIONS.get(name)
    if extension is None:
        yield f"unknown {name}"
    elif not extension.place(parts):
        yield f"{name} has no meaning here"
    else:
        schema = read(folder.resolve() / FOLDER / f"{name}.yaml")
        if _broken(schema) is None:  # else `extensions_enforced` tells
            for error in jsonschema.Draft202012Validator(schema).iter_errors(value):
                yield f"{name}: {error.json_path}: {error.message}"


def fits(folder: Path, name: str, value: object) -> bool:
    """Whether `value` is what the extension `name` may say."""
    schema = read(folder.resolve() / FOLDER / f"{name}.yaml")
    return _broken(schema) is None and jsonschema.Draft202012Validator(schema).is_valid(value)


def _broken(schema: Json) -> str | None:
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return error.message
    return None


def extensions_enforced(folder: Path, bundles: dict[str, Bundle]) -> Iterator[str]:
    """A schema and an enforcement for each, and a use: what nobody uses is no promise."""
    used = {key for bundle in bundles.values() for _, node in walk(bundle.document) for key in node}
    files = {path.stem for path in (folder / FOLDER).glob("*.yaml")}
    for name in sorted(files - set(EXTENSIONS)):
        yield f"{FOLDER}/{name}.yaml: nothing enforces {name}"
    for name, extension in EXTENSIONS.items():
        if name not in files:
            yield f"{FOLDER}/{name}.yaml: no such file"
            continue
        if broken := _broken(read(folder.resolve() / FOLDER / f"{name}.yaml")):
            yield f"{FOLDER}/{name}.yaml: no JSON Schema: {broken}"
        if name not in used:
            yield f"{FOLDER}/{name}.yaml: nothing uses {name}"
        if not _exists(extension.enforced_by):
            yield f"{FOLDER}/{name}.yaml: {extension.enforced_by} is not there to enforce {name}"
        if name not in RULES:
            yield f"{FOLDER}/{name}.yaml: no rule of tools/compat tells what its change breaks"


def _exists(dotted: str) -> bool:
    module, _, way = dotted.partition(":")
    try:
        found: object = import_module(module)
        for name in way.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError):
        return False
    return True
