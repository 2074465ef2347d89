"""Every answer against the contract: its status, headers and body must be declared."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jsonschema

from tools.contract import Json, Operation, deref

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
    def code(self) -> str | None:
        """Of a problem; None for any other answer."""
        if not self.headers.get("content-type", "").startswith("application/problem+json"):
            return None
        return str(self.json.get("code"))

    def __str__(self) -> str:
        return f"{self.status} {self.code or ''}".strip()


class Promise:
    """What one operation may answer."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self._responses = operation.responses()
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}

    def header_faults(self, answer: Answer) -> Iterator[str]:
        response = self._responses.get(answer.status)
        if response is None:
            yield f"{answer.status} is not declared"
            return
        declared = {name.lower(): node for name, node in response.get("headers", {}).items()}
        for name, node in declared.items():
            header = deref(self.operation.document, node)
            value = answer.headers.get(name)
            if value is None:
                if header.get("required"):
                    yield f"{answer.status}: the header {name} is missing"
            else:
                schema = deref(self.operation.document, header["schema"])
                typed: Any = int(value) if _is_integer(schema, value) else value
                for text in self._faults(schema, typed):
                    yield f"{answer.status}: the header {name}: {text}"
        for name in sorted(set(answer.headers) - set(declared) - TRANSPORT):
            yield f"{answer.status}: the header {name} is not declared"

    def body_faults(self, answer: Answer) -> Iterator[str]:
        response = self._responses.get(answer.status)
        if response is None:
            return
        media = answer.headers.get("content-type", "").partition(";")[0]
        contents = {name.partition(";")[0]: node for name, node in response["content"].items()}
        if media not in contents:
            yield f"{answer.status}: the media type {media!r} is not declared"
        elif media.endswith("json"):
            for text in self._faults(contents[media]["schema"], answer.json):
                yield f"{answer.status}: {text}"
            if answer.status >= 400 and answer.code not in self.operation.codes:
                yield f"{answer.status}: the code {answer.code} is not declared"

    def _faults(self, schema: Json, value: Any) -> Iterator[str]:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**schema, "components": self.operation.document["components"]}
            self._validators[key] = jsonschema.Draft202012Validator(whole, format_checker=FORMATS)
        for error in self._validators[key].iter_errors(value):
            yield f"{error.json_path}: {error.message[:200]}"


def _is_integer(schema: Json, value: str) -> bool:
    return schema.get("type") == "integer" and value.isdigit()
