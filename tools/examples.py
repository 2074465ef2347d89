"""Every example and default of the contract, against the schema beside it. Nothing is fetched."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tools.bundler import Bundle, error_codes, load
from tools.contract import CONTRACT, Json, Parts, in_example, walk

DOCUMENTS = ("openapi.yaml", "plugin.openapi.yaml", "events.asyncapi.yaml")
BASE = "urn:contract"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return bool(_RFC3339.fullmatch(value) and datetime.fromisoformat(value))


# jsonschema checks a date-time only with a further package.
formats = FormatChecker()
formats.checkers["date-time"] = (_is_date_time, ValueError)


def findings(folder: Path = CONTRACT) -> list[str]:
    """Every example that its schema refuses, as `file: what is wrong`."""
    errors = error_codes(folder)
    found: list[str] = []
    for name in DOCUMENTS:
        bundle = load(name, folder)
        found += _refused(bundle)
        found += _wrong_problems(bundle, errors)
    return list(dict.fromkeys(found))


def _refused(bundle: Bundle) -> Iterator[str]:
    resource = DRAFT202012.create_resource(bundle.document)
    registry: Registry[Any] = Registry().with_resource(BASE, resource)
    for place, schema, value in examples(bundle):
        reference = {"$ref": f"{BASE}#{_pointer(schema)}"}
        validator = Draft202012Validator(reference, registry=registry, format_checker=formats)
        for error in validator.iter_errors(value):
            yield f"{bundle.place(place)}: {error.json_path}: {error.message}"


def _pointer(parts: Parts) -> str:
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(f"/{part}" for part in escaped)


def examples(bundle: Bundle) -> Iterator[tuple[Parts, Parts, object]]:
    """Each example with its place and its schema's: of bodies, parameters, headers, schemas."""
    for parts, node in walk(bundle.document):
        if in_example(parts):
            continue
        if "schema" in node:
            schema = (*parts, "schema")
            if "example" in node:
                yield (*parts, "example"), schema, node["example"]
            for name, example in _named(node).items():
                yield (*parts, "examples", name), schema, example["value"]
        elif isinstance(node.get("examples"), list):
            for index, value in enumerate(node["examples"]):
                yield (*parts, "examples", str(index)), parts, value
        if "default" in node and parts[-1:] != ("properties",):
            yield (*parts, "default"), parts, node["default"]


def _named(node: Json) -> Json:
    named = node.get("examples", {})
    return named if isinstance(named, dict) else {}


def _wrong_problems(bundle: Bundle, errors: dict[str, Json]) -> Iterator[str]:
    """A problem's example tells its code's own status and title."""
    for parts, node in walk(bundle.document):
        if parts[-1:] != ("application/problem+json",):
            continue
        for name, example in _named(node).items():
            value, place = example["value"], bundle.place((*parts, "examples", name))
            error = errors.get(value["code"], {})
            for member in ("status", "title"):
                if value[member] != error.get(member):
                    yield f"{place}: {member} is not that of {value['code']}"
            if value["type"] != f"urn:botcore:problem:{value['code']}":
                yield f"{place}: type is not that of {value['code']}"
