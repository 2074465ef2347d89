"""What no request can bring about: the database away, the process full, a mistake of ours.

For every operation of the contract, with all that is below it replaced by a stub.
"""

import json
from typing import Any

import pytest

from generated.errors import Overloaded
from tests.unit.runtime.service import GOOD, PLUGIN, Answer, DatabaseAwayError, Service
from tools.bundler import bundle
from tools.conform import answers
from tools.contract import Operation, deref, operations

DOCUMENT = bundle("openapi.yaml")
OPERATIONS = {operation.id: operation for operation in operations(DOCUMENT)}
SCOPES = {
    scope
    for operation in OPERATIONS.values()
    for need in operation.spec["security"]
    for scopes in need.values()
    for scope in scopes
}
FAULTS: dict[str, Exception] = {
    "internal_error": RuntimeError("zq7-secret"),
    "database_unavailable": DatabaseAwayError("zq7-secret"),
    "overloaded": Overloaded(),
}
CASES = [
    (name, code)
    for name, operation in OPERATIONS.items()
    for code in FAULTS
    if code in operation.codes
]


@pytest.mark.parametrize(("name", "code"), CASES)
async def test_a_fault_is_answered_as_declared(name: str, code: str, service: Service) -> None:
    operation = OPERATIONS[name]
    service.handlers.outcome = FAULTS[code]
    service.authenticator.scopes = frozenset(SCOPES)
    answer = await send(service, operation)
    assert answer.code == code, answer.content
    assert b"zq7" not in answer.content
    found = answers.Answer(answer.status, answer.headers, answer.content)
    promise = answers.Promise(operation)
    assert [*promise.header_faults(found), *promise.body_faults(found)] == []


async def send(service: Service, operation: Operation) -> Answer:
    """The contract's own example, with every credential that the operation takes."""
    path = operation.path.format(**{
        parameter["name"]: _value(parameter) for parameter in operation.parameters("path")
    })  # fmt: skip
    schemes = DOCUMENT["components"]["securitySchemes"]
    headers = []
    for scheme in operation.spec["security"][0] if operation.spec["security"] else ():
        spec = schemes[scheme]
        bearer = ("authorization", f"Bearer {GOOD}")
        headers.append((spec["name"].lower(), GOOD) if spec["type"] == "apiKey" else bearer)
    body = b""
    if operation.body_schema is not None:
        content = operation.spec["requestBody"]["content"]["application/json"]
        body = json.dumps(next(iter(content["examples"].values()))["value"]).encode()
        headers.append(("content-type", "application/json"))
    return await service.call(operation.method.upper(), path, headers=headers, body=body)


def _value(parameter: dict[str, Any]) -> str:
    schema = deref(DOCUMENT, parameter["schema"])
    if parameter["name"] == "plugin_id":  # the caller itself
        return str(PLUGIN)
    return str((schema.get("enum") or schema["examples"])[0])
