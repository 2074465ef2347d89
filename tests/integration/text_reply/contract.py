"""Both contracts, to hold against what goes over the wire."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[3] / "generated"


class Contract:
    def __init__(self, file: str) -> None:
        self._document: dict[str, Any] = json.loads((ROOT / file).read_text())

    def check_request(self, operation: str, body: object) -> None:
        self._validate(self._operation(operation)["requestBody"]["content"], body)

    def check_answer(self, operation: str, status: int, media_type: str, body: bytes) -> None:
        """The status is declared, and so are the media type and each value."""
        declared = self._resolve(self._operation(operation)["responses"][str(status)])
        assert media_type in declared["content"]
        self._validate({media_type: declared["content"][media_type]}, json.loads(body))

    def check_schema(self, name: str, body: object) -> None:
        self._validate({"": {"schema": {"$ref": f"#/components/schemas/{name}"}}}, body)

    def _operation(self, operation_id: str) -> dict[str, Any]:
        for path in self._document["paths"].values():
            for operation in path.values():
                if isinstance(operation, dict) and operation.get("operationId") == operation_id:
                    return operation
        raise LookupError(operation_id)

    def _resolve(self, item: dict[str, Any]) -> dict[str, Any]:
        reference = item.get("$ref")
        if reference is None:
            return item
        found: Any = self._document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return self._resolve(found)

    def _validate(self, content: dict[str, Any], body: object) -> None:
        (described,) = content.values()
        # Its references begin at the root of the document.
        schema = {**described["schema"], "components": self._document["components"]}
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            body
        )


@cache
def plugin_contract() -> Contract:
    return Contract("plugin.openapi.json")


@cache
def core_contract() -> Contract:
    return Contract("openapi.json")
