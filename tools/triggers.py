"""`triggers.yaml`: what the core does by itself, and the rules that it keeps."""

from collections.abc import Iterator
from pathlib import Path

import jsonschema

from tools.bundler import Bundle, read
from tools.contract import CONTRACT, Json, operations
from tools.events import messages

FILE = "triggers.yaml"
SCHEMA = "triggers.schema.yaml"


def triggers(folder: Path = CONTRACT) -> dict[str, Json]:
    """Each trigger by its id."""
    return dict(read(folder.resolve() / FILE))


def running(folder: Path = CONTRACT) -> dict[str, Json]:
    """Those that this version runs, without further names of theirs."""
    found = triggers(folder).items()
    return {id_: item for id_, item in found if not {"pending", "same_as"} & item.keys()}


def constant_name(id_: str) -> str:
    return id_.replace("-", "_").upper()


def triggers_context(folder: Path = CONTRACT) -> Json:
    """What `triggers.py.j2` is rendered with."""
    return {"triggers": running(folder), "names": triggers(folder), "constant": constant_name}


def triggers_fit(folder: Path, bundles: dict[str, Bundle]) -> Iterator[str]:
    """Each trigger is of the schema's form, and tells by events that there are."""
    schema = read(folder.resolve() / SCHEMA)
    found = triggers(folder)
    faults = list(jsonschema.Draft202012Validator(schema).iter_errors(found))
    yield from (f"{FILE}: {error.json_path}: {error.message}" for error in faults)
    if not faults:
        for rule in (_known_events, _told_severity, _known_names, _figures_once, _workers_events):
            yield from (f"{FILE}: {text}" for text in rule(found, bundles))


def _known_events(found: dict[str, Json], bundles: dict[str, Bundle]) -> Iterator[str]:
    known = {message.name for message in messages(bundles["events.asyncapi.yaml"].document)}
    for id_, item in found.items():
        for event in item["events"]:
            if event not in known and "pending" not in item:
                yield f"{id_}: {event} is no message of events.asyncapi.yaml"


def _told_severity(found: dict[str, Json], bundles: dict[str, Bundle]) -> Iterator[str]:
    """By the event that tells that it fired, where the contract fixes its severity."""
    document = bundles["events.asyncapi.yaml"].document
    fixed = {message.name: message.fixed.get("severity") for message in messages(document)}
    for id_, item in found.items():
        told = fixed.get(item["events"][0])
        if told not in (None, item["severity"]):
            yield f"{id_}: is {item['severity']}, but {item['events'][0]} is {told}"


def _known_names(found: dict[str, Json], bundles: dict[str, Bundle]) -> Iterator[str]:
    for id_, item in found.items():
        other = item.get("same_as")
        if other is not None and (other not in found or "same_as" in found[other] or other == id_):
            yield f"{id_}: {other} is no trigger that it could be another name of"
        elif other is not None and {"settings", "constants", "pending"} & item.keys():
            yield f"{id_}: its figures are those of {other}"


def _figures_once(found: dict[str, Json], bundles: dict[str, Bundle]) -> Iterator[str]:
    names = [
        name
        for item in found.values()
        for part in ("settings", "constants")
        for name in item.get(part, {})
    ]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is declared twice"


def _workers_events(found: dict[str, Json], bundles: dict[str, Bundle]) -> Iterator[str]:
    """What no operation publishes the core publishes by itself: then some trigger says when."""
    emitted = {
        event
        for name in ("openapi.yaml", "plugin.openapi.yaml")
        for operation in operations(bundles[name].document)
        for event in operation.spec.get("x-emits", ())
    }
    told = {event for item in found.values() for event in item["events"]}
    for message in messages(bundles["events.asyncapi.yaml"].document):
        if message.name not in emitted | told:
            yield f"no trigger and no operation publishes {message.name}"
