"""The events' document against AsyncAPI's own JSON Schema, which checks more than redocly does."""

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

from tools.bundler import load
from tools.contract import CONTRACT, ROOT
from tools.redocly import install

SCHEMAS = ROOT / "node_modules" / "@asyncapi" / "specs" / "schemas"


def findings(folder: Path = CONTRACT) -> list[str]:
    """What AsyncAPI does not allow in `events.asyncapi.yaml` of the contract in `folder`."""
    install()
    bundle = load("events.asyncapi.yaml", folder)
    errors = _validator(bundle.document["asyncapi"]).iter_errors(bundle.document)
    # Of a value that may be one of several things, what it lacks of the likeliest.
    found = [best_match([error]) for error in errors]
    return [f"{bundle.name}: {error.json_path}: {error.message[:300]}" for error in found]


@cache
def _validator(version: str) -> Draft7Validator:
    return Draft7Validator(json.loads((SCHEMAS / f"{version}.json").read_text()))
