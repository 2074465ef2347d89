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
from tools.sizes import most_values

EDGE_HEADERS = {"X-Trace-Id", "X-Schema-Version"}
EDGE_PARAMETERS = {"X-Schema-Version", "X-Trace-Id", "traceparent"}
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
        }
        for name, scheme in sorted(document["components"].get("securitySchemes", {}).items())
    ]


def _credential(scheme: Json) -> str:
    if scheme["type"] == "http" and scheme["scheme"] == "bearer":
        return "runtime.bearer_credential(call)"
    if scheme["type"] == "apiKey" and scheme["in"] == "header":
        return f'runtime.header_credential(call, b"{scheme["name"].lower()}")'
    raise ContractError(f"security scheme of type {scheme['type']}: not supported")


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
    required, optional = _principals(op)
    results = _results(op)
    needs = op.spec["security"]
    scopes = sorted({scope for need in needs for group in need.values() for scope in group})
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
        "produces": next(item["media"] for item in results if not item["problem"]),
        "takes_body": op.body_schema is not None,
        "versioned": any(item["name"] == "X-Schema-Version" for item in op.parameters("header")),
        "scopes": ", ".join(f'"{scope}"' for scope in scopes),
        "challenge": _challenge(required, schemes, op),
        "retry_after": [
            status
            for status, response in op.responses().items()
            if "Retry-After" in response.get("headers", {})
        ],
        "principals": [*required, *optional],
        "arguments": _arguments(op, required, optional, schemes),
        "steps": _steps(op, required, optional, schemes, bool(scopes)),
    }


def _principals(op: Operation) -> tuple[list[str], list[str]]:
    """The schemes that each alternative demands, and those that only some do."""
    alternatives = [set(need) for need in op.spec["security"]]
    if not alternatives:
        return [], []
    everywhere = set.intersection(*alternatives)
    if not everywhere:
        raise ContractError(f"{op.id}: alternatives without a common scheme are not supported")
    return sorted(everywhere), sorted(set.union(*alternatives) - everywhere)


def _challenge(required: list[str], schemes: dict[str, Json], op: Operation) -> str | None:
    if not required:
        return None
    bearer = "bearer" in schemes[required[0]]["credential"]
    return f'{"Bearer" if bearer else required[0]} realm="botcore"'


def _own(op: Operation, location: str) -> list[Json]:
    return [item for item in op.parameters(location) if item["name"] not in EDGE_PARAMETERS]


def _arguments(
    op: Operation, required: list[str], optional: list[str], schemes: dict[str, Json]
) -> list[str]:
    arguments = [f"{schemes[name]['snake']}: {name}" for name in required]
    arguments += [f"{schemes[name]['snake']}: {name} | None" for name in optional]
    arguments += [
        f"{location}: models.{op.pascal}{location.capitalize()}"
        for location in ("path", "query", "header")
        if _own(op, location)
    ]
    if op.body_schema:
        arguments.append(f"body: models.{op.body_schema}")
    return arguments


def _steps(
    op: Operation,
    required: list[str],
    optional: list[str],
    schemes: dict[str, Json],
    scoped: bool,
) -> list[str]:
    """The straight line from the socket to the handler."""
    lines, passed = [], []
    for name in (*required, *optional):
        scheme = schemes[name]
        call = "authenticate" if name in required else "authenticate_if_given"
        lines.append(
            f"{scheme['snake']} = await runtime.{call}"
            f"(authenticator.{scheme['snake']}, {scheme['credential']})"
        )
        passed.append(scheme["snake"])
    if scoped:
        lines.append(
            f"runtime.require_scopes({schemes[required[0]]['snake']}, {op.snake.upper()}_SCOPES)"
        )
    for location in ("path", "query", "header"):
        parameters = _own(op, location)
        if parameters:
            values = _raw(location, parameters)
            model = f"models.{op.pascal}{location.capitalize()}"
            lines.append(f'{location} = read_strings({model}, {values}, "{location}")')
            passed.append(location)
        elif location == "query" and "validation_failed" in op.codes:
            lines.append("call.refuse_query()")
    if op.body_schema:
        most = most_values(op.document, op.document["components"]["schemas"][op.body_schema])
        lines.append(f"body = read_json(models.{op.body_schema}, await call.body(), {most})")
        passed.append("body")
        if "trace_id" in op.document["components"]["schemas"][op.body_schema]["properties"]:
            lines.append("call.adopt_trace(body.trace_id)")
    lines.append(f"return await handlers.{op.snake}({', '.join(passed)})")
    return lines


def _raw(location: str, parameters: list[Json]) -> str:
    if location == "path":
        return 'call.scope["path_params"]'
    if location == "query":
        return "call.query()"
    names = ", ".join(f'"{item["name"]}"' for item in parameters)
    return f"call.header_values({names})"


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
        found.append(
            {
                "name": f"{op.pascal}{status}",
                "status": status,
                "description": response["description"].replace('"', "'"),
                "problem": problem,
                "media": media,
                "codes": ", ".join(f'"{code}"' for code in codes),
                "headers": _headers(op, response),
                **({} if problem else _body(media, content)),
            }
        )
    return found


def _body(media: str, content: Json) -> Json:
    reference = content["schema"].get("$ref")
    if reference is None:  # a document or a page: bytes already
        return {"body": "bytes", "content": "self.body"}
    model = f"models.{reference.rsplit('/', 1)[1]}"
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
