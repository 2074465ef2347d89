"""What the operations template needs, worked out of one tag of a bundled contract."""

from typing import Any

from tools.bundler import error_codes
from tools.contract import (
    ContractError,
    Json,
    Operation,
    deref,
    operations,
    pascal_case,
    snake_case,
)
from tools.steps import (
    EVENT_STREAM,
    LOCATIONS,
    Principals,
    own_parameters,
    principals,
    steps,
    takes_preferences,
)

EDGE_HEADERS = {"X-Trace-Id", "X-Schema-Version", "RateLimit", "RateLimit-Policy"}
PROBLEM = "application/problem+json"


def security_schemes(document: Json) -> list[Json]:
    """The schemes as principals: `BotToken` proves a `bot_id`, `RegistryKey` nobody's id."""
    return [
        {
            "name": name,
            "snake": snake_case(name),
            "description": scheme["description"],
            "subject": snake_case(name.removesuffix("Token")) + "_id"
            if name.endswith("Token")
            else None,
            "credential": _credential(scheme),
            "header": _header(scheme),
        }
        for name, scheme in sorted(document["components"].get("securitySchemes", {}).items())
    ]


def _credential(scheme: Json) -> str:
    if scheme["type"] == "http" and scheme["scheme"] == "bearer":
        return "runtime.bearer_credential(call)"
    if scheme["type"] == "apiKey" and scheme["in"] == "header":
        return f'runtime.header_credential(call, b"{scheme["name"].lower()}")'
    raise ContractError(f"security scheme of type {scheme['type']}: not supported")


def _header(scheme: Json) -> str:
    return "Authorization: Bearer" if scheme["type"] == "http" else str(scheme["name"])


def tag_context(document: Json, tag: str, security_module: str) -> dict[str, Any]:
    schemes = {scheme["name"]: scheme for scheme in security_schemes(document)}
    found = [_operation(op, schemes) for op in operations(document) if op.tag == tag]
    paths: dict[str, dict[str, Json]] = {}
    for operation in found:
        paths.setdefault(operation["path"], {})[operation["method"]] = operation
    return {
        "tag": tag,
        "operations": found,
        "paths": paths,
        "handlers": f"{pascal_case(tag)}Handlers",
        "principals": sorted({name for operation in found for name in operation["principals"]}),
        "security_module": security_module,
    }


def _operation(op: Operation, schemes: dict[str, Json]) -> Json:
    callers = principals(op)
    results = _results(op)
    return {
        "id": op.id,
        "path": op.path,
        "method": op.method.upper(),
        "snake": op.snake,
        "pascal": op.pascal,
        "constant": op.snake.upper(),
        "summary": op.spec["summary"],
        "codes": op.codes,
        "results": results,
        "produces": _produces(results),
        "takes_body": op.body_schema is not None,
        "versioned": any(item["name"] == "X-Schema-Version" for item in op.parameters("header")),
        "scopes": ", ".join(f'"{scope}"' for scope in callers.scopes),
        "challenge": _challenge(callers, schemes),
        "credentials": " or ".join(schemes[name]["header"] for name in _demanded(callers)),
        "limits": op.spec.get("x-rate-limit", []),
        "headers": [item["name"] for item in own_parameters(op, "header")],
        "fingerprint": op.spec.get("x-idempotency", {}).get("fingerprint", []),
        "emits": op.spec.get("x-emits", []),
        "retry_after": [
            status
            for status, response in op.responses().items()
            if "Retry-After" in response.get("headers", {})
        ],
        "principals": callers.names,
        "arguments": _arguments(op, callers, schemes),
        "steps": steps(op, callers, schemes),
    }


def _challenge(callers: Principals, schemes: dict[str, Json]) -> str | None:
    if not callers.names:
        return None
    first = callers.names[0]
    bearer = "bearer" in schemes[first]["credential"]
    return f'{"Bearer" if bearer else first} realm="botcore"'


def _demanded(callers: Principals) -> list[str]:
    return [*callers.required, *callers.either]


def _arguments(op: Operation, callers: Principals, schemes: dict[str, Json]) -> list[str]:
    arguments = [f"{schemes[name]['snake']}: {name}" for name in callers.required]
    arguments += [f"{schemes[name]['snake']}: {name} | None" for name in callers.optional]
    if callers.either:
        arguments.append(f"caller: {' | '.join(callers.either)}")
    arguments += [
        f"{location}: models.{op.pascal}{location.capitalize()}"
        for location in LOCATIONS
        if own_parameters(op, location)
    ]
    if takes_preferences(op):
        arguments.append("prefer: frozenset[str]")
    if op.body_schema:
        arguments.append(f"body: models.{op.body_schema}")
    if "x-idempotency" in op.spec:
        arguments.append("idempotency: Idempotency")
    return arguments


def _produces(results: list[Json]) -> str:
    """The media type of the answers, without its parameters: an Accept names the bare one."""
    media: str = next(item["media"] for item in results if not item["problem"])
    return media.partition(";")[0]


def _results(op: Operation) -> list[Json]:
    """One result class for each status that a handler may decide on."""
    found = []
    for status, response in op.responses().items():
        media, content = next(iter(response["content"].items()))
        codes = [
            code
            for code in op.codes
            if error_codes()[code]["status"] == status and error_codes()[code]["by"] == "handler"
        ]
        if media == PROBLEM and not codes:
            continue
        problem = media == PROBLEM
        owner = None if problem else _owner(op)
        found.append(
            {
                "name": f"{op.pascal}{status}",
                "status": status,
                "description": response["description"].replace('"', "'"),
                "problem": problem,
                "owner": owner,
                "media": media,
                "streams": media == EVENT_STREAM,
                "codes": ", ".join(f'"{code}"' for code in codes),
                "headers": _headers(op, response),
                **({} if problem else _body(media, content)),
            }
        )
    return found


def _owner(op: Operation) -> str | None:
    """The type of the owner that a success names: None where somebody else asked."""
    owner = op.spec.get("x-owner", {})
    if owner.get("by") != "result":
        return None
    return "UUID | None" if owner["of"] in principals(op).either else "UUID"


def _body(media: str, content: Json) -> Json:
    if media == EVENT_STREAM:
        return {"body": "Chunks", "content": 'b""'}
    schema = content["schema"]
    references = [item.get("$ref") for item in schema.get("anyOf", [schema])]
    if None in references:  # a document or a page: bytes already
        return {"body": "bytes", "content": "self.body"}
    model = " | ".join(f"models.{reference.rsplit('/', 1)[1]}" for reference in references)
    return {"body": f"{model} | Rendered[{model}]", "content": "runtime.content_of(self.body)"}


def _headers(op: Operation, response: Json) -> list[Json]:
    found = []
    for wire, node in response.get("headers", {}).items():
        if wire in EDGE_HEADERS:
            continue
        header = deref(op.document, node)
        schema = deref(op.document, header["schema"])
        required = header.get("required", False)
        kind = _header_type(schema)
        found.append(
            {
                "wire": wire,
                "field": snake_case(wire.replace("-", "_")).replace("__", "_"),
                "required": required,
                "annotation": kind if required else f"{kind} | None",
                "default": _header_default(schema, required=required),
            }
        )
    # A dataclass wants the fields without a default first.
    return sorted(found, key=lambda item: item["default"] is not None)


def _header_type(schema: Json) -> str:
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
    return "int" if schema["type"] == "integer" else "str"


def _header_default(schema: Json, *, required: bool) -> str | None:
    if not required:
        return "None"
    # A header with one possible value is no decision.
    return repr(schema["enum"][0]) if len(schema.get("enum", [])) == 1 else None
