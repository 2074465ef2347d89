"""Every answer against the contract: its status, headers and body must be declared."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jsonschema

Json = dict[str, Any]

# The server's own; a contract says nothing of them.
TRANSPORT = {"content-type", "content-length", "date", "connection", "keep-alive", "server",
             "transfer-encoding", "via", "vary"}  # fmt: skip
FORMATS = jsonschema.FormatChecker()


@dataclass(frozen=True)
class Answer:
    """What came back. `headers` are by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @cached_property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def is_json(self) -> bool:
        try:
            _ = self.json
        except (ValueError, RecursionError):
            return False
        return True

    @property
    def code(self) -> str | None:
        """Of a problem; None for any other answer."""
        if not self.headers.get("content-type", "").startswith("application/problem+json"):
            return None
        return str(self.json.get("code")) if self.is_json and isinstance(self.json, dict) else None

    def __str__(self) -> str:
        return f"{self.status} {self.code or ''}".strip()


def deref(document: Json, node: Json) -> Json:
    """What a local `$ref` points at; any other node as it is."""
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


class Promise:
    """What one operation may answer: `spec` of an OpenAPI `document`.

    `whole` where a header that is not declared is a fault, too.
    """

    def __init__(self, document: Json, spec: Json, *, whole: bool = True) -> None:
        self._document = document
        self._whole = whole
        self._codes = frozenset(spec["x-error-codes"])
        self._responses = {
            int(status): deref(document, response) for status, response in spec["responses"].items()
        }
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}

    def header_faults(self, answer: Answer) -> Iterator[str]:
        response = self._responses.get(answer.status)
        if response is None:
            yield f"{answer.status} is not declared"
            return
        declared = {name.lower(): node for name, node in response.get("headers", {}).items()}
        for name, node in declared.items():
            header = deref(self._document, node)
            value = answer.headers.get(name)
            if value is None:
                if header.get("required"):
                    yield f"{answer.status}: the header {name} is missing"
            else:
                schema = deref(self._document, header["schema"])
                typed: Any = int(value) if _is_integer(schema, value) else value
                for text in self._faults(schema, typed):
                    yield f"{answer.status}: the header {name}: {text}"
        undeclared = set(answer.headers) - set(declared) - TRANSPORT if self._whole else ()
        for name in sorted(undeclared):
            yield f"{answer.status}: the header {name} is not declared"

    def body_faults(self, answer: Answer) -> Iterator[str]:
        response = self._responses.get(answer.status)
        if response is None:
            return
        media = answer.headers.get("content-type", "").partition(";")[0]
        contents = {name.partition(";")[0]: node for name, node in response["content"].items()}
        if media not in contents:
            yield f"{answer.status}: the media type {media!r} is not declared"
        elif media.endswith("json") and not answer.is_json:
            yield f"{answer.status}: the body is not JSON"
        elif media.endswith("json"):
            for text in self._faults(contents[media]["schema"], answer.json):
                yield f"{answer.status}: {text}"
            if answer.status >= 400 and answer.code not in self._codes:
                yield f"{answer.status}: the code {answer.code} is not declared"

    def _faults(self, schema: Json, value: Any) -> Iterator[str]:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[key] = jsonschema.Draft202012Validator(whole, format_checker=FORMATS)
        for error in self._validators[key].iter_errors(value):
            yield f"{error.json_path}: {error.message[:200]}"


def _is_integer(schema: Json, value: str) -> bool:
    return schema.get("type") == "integer" and value.isdigit()
