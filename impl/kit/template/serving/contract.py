"""The contract: what of a request, an answer or a manifest breaks it."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from multidict import CIMultiDictProxy

from .problems import Json, fault

MOST_FAULTS = 50
LONGEST_MESSAGE = 120
INTEGER = re.compile(r"-?[0-9]{1,9}", re.ASCII)
# What is no reason to refuse a call, or has a status of its own.
READ_BEFORE = {"X-Trace-Id", "traceparent", "X-Schema-Version"}
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

formats = FormatChecker(formats=("uuid",))


@formats.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    if isinstance(value, str):
        parts = MOMENT.fullmatch(value)
        if parts is None or parts[2] > "60":
            return False
        datetime.fromisoformat(f"{parts[1]}:{min(parts[2], '59')}{parts[4].upper()}")
    return True


class Contract:
    """Of the text of plugin.openapi.json."""

    def __init__(self, text: str) -> None:
        document = json.loads(text)
        self._components = document["components"]
        self.paths = {
            path: {method.upper() for method in item} for path, item in document["paths"].items()
        }
        self._request = self._validator("PluginInvocationRequestV1")
        self._response = self._validator("PluginInvocationResponseV1")
        self._manifest = self._validator("PluginManifestV1")
        self._headers = {
            item["name"]: (item, self._checked(item["schema"]))
            for item in map(self._parameter, document["paths"]["/invoke"]["post"]["parameters"])
            if item["in"] == "header" and item["name"] not in READ_BEFORE
        }

    def _parameter(self, node: Json) -> Json:
        found: Json = self._components["parameters"][node["$ref"].rpartition("/")[2]]
        return found

    def _validator(self, name: str) -> Draft202012Validator:
        return self._checked({"$ref": f"#/components/schemas/{name}"})

    def _checked(self, schema: Json) -> Draft202012Validator:
        whole = {**schema, "components": self._components}
        return Draft202012Validator(whole, format_checker=formats)

    def header_faults(self, headers: CIMultiDictProxy[str]) -> list[Json]:
        """Of a call; each header that the contract names may be there once."""
        found = []
        for name, (spec, validator) in self._headers.items():
            given = headers.getall(name, [])
            if not given and spec["required"]:
                found.append(fault("header", f"/{name}", "missing", "It is required"))
            elif len(given) > 1:
                found.append(fault("header", f"/{name}", "given_twice", "Give it once"))
            elif given and not validator.is_valid(_typed(spec["schema"], given[0])):
                found.append(fault("header", f"/{name}", "invalid", "It breaks the contract"))
        return found

    def request_faults(self, body: object) -> list[Json]:
        """At most 50, as the contract's InvalidValueV1; none repeats a value."""
        found: dict[str, Json] = {}
        for error in self._request.iter_errors(body):
            for pointer, code in _places(error):
                found[pointer] = fault("body", pointer, code, "It breaks the contract")
        return list(found.values())[:MOST_FAULTS]

    def response_faults(self, answer: object) -> list[str]:
        return [
            f"{error.json_path}: {_said(error)}" for error in self._response.iter_errors(answer)
        ]

    def manifest_faults(self, manifest: object) -> list[str]:
        return [
            f"{error.json_path}: {error.message}" for error in self._manifest.iter_errors(manifest)
        ]


def _said(error: Any) -> str:
    """Without a long value: what is answered to a person stands in no log."""
    if len(error.message) <= LONGEST_MESSAGE:
        return str(error.message)
    return f"{error.validator} {error.validator_value}"[:LONGEST_MESSAGE]


def _typed(schema: Json, text: str) -> int | str:
    is_integer = schema.get("type") == "integer" and INTEGER.fullmatch(text)
    return int(text) if is_integer else text


def _places(error: Any) -> Iterator[tuple[str, str]]:
    code = (
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(error.validator)).lower().strip("$_") or "invalid"
    )
    path = [*error.absolute_path]
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        yield from ((_pointer(*path, name), "missing") for name in missing)
    elif error.validator == "additionalProperties" and error.validator_value is False:
        known = error.schema.get("properties", {})
        unknown = [name for name in error.instance if name not in known]
        yield from ((_pointer(*path, name), "extra_forbidden") for name in unknown)
    else:
        yield _pointer(*path), code


def _pointer(*parts: str | int) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)[:2048]
