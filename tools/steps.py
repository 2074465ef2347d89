"""The straight line of an operation, from the socket to its handler and back."""

from collections.abc import Iterator
from dataclasses import dataclass

from tools.contract import ContractError, Json, Operation
from tools.sizes import most_values

LOCATIONS = ("path", "query", "header")
# The edge's own; a handler does not see them.
EDGE_PARAMETERS = {
    *("X-Schema-Version", "X-Trace-Id", "traceparent"),
    # A signature is of the body's bytes: whoever verifies it does so before they are read.
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
}
# The edge reads it; a handler is told what it asks for.
PREFER = "Prefer"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True)
class Principals:
    """The schemes that every alternative demands, those that only some do, and either of two."""

    required: list[str]
    optional: list[str]
    either: list[str]
    scopes: list[str]

    @property
    def names(self) -> list[str]:
        return [*self.required, *self.optional, *self.either]


def principals(op: Operation) -> Principals:
    needs = op.spec["security"]
    scopes = sorted({scope for need in needs for group in need.values() for scope in group})
    alternatives = [set(need) for need in needs]
    if not alternatives:
        return Principals([], [], [], scopes)
    everywhere = set.intersection(*alternatives)
    if everywhere:
        rest = set.union(*alternatives) - everywhere
        return Principals(sorted(everywhere), sorted(rest), [], scopes)
    if [len(need) for need in needs] != [1, 1] or any(
        sorted(group) != scopes for need in needs for group in need.values()
    ):
        raise ContractError(f"{op.id}: alternatives are two schemes with the same scopes")
    return Principals([], [], [name for need in needs for name in need], scopes)


def own_parameters(op: Operation, location: str) -> list[Json]:
    return [
        item for item in op.parameters(location) if item["name"] not in {*EDGE_PARAMETERS, PREFER}
    ]


def takes_preferences(op: Operation) -> bool:
    return any(item["name"] == PREFER for item in op.parameters("header"))


def steps(op: Operation, callers: Principals, schemes: dict[str, Json]) -> list[str]:
    """The lines of the generated function."""
    passed = [schemes[name]["snake"] for name in (*callers.required, *callers.optional)]
    passed += ["caller"] if callers.either else []
    passed += [location for location in LOCATIONS if own_parameters(op, location)]
    passed += ["prefer"] if takes_preferences(op) else []
    passed += ["body"] if op.body_schema else []
    passed += ["idempotency"] if "x-idempotency" in op.spec else []
    handled = f"await handlers.{op.snake}({', '.join(passed)})"
    return [
        *_authentication(callers, schemes),
        *_admission(op, callers, schemes),
        *_debts(op, callers, schemes),
        *(_permission(op, passed[0]) if callers.scopes else ()),
        *_values(op),
        *_payment(op),
        *_ownership(op, callers, schemes),
        *_answer(op, callers, schemes, handled),
    ]


def _answer(
    op: Operation, callers: Principals, schemes: dict[str, Json], handled: str
) -> Iterator[str]:
    owner = op.spec.get("x-owner", {})
    if owner.get("by") != "result":
        yield f"return {handled}"
        return
    own_id = _own_id(owner["of"], callers, schemes)
    if owner["of"] not in callers.either:
        yield f"return runtime.owned({handled}, {own_id})"
        return
    # Whoever else may call is no owner, and does to all what an owner does to its own.
    yield f"answer = {handled}"
    yield f"if isinstance(caller, {owner['of']}):"
    yield f"    return runtime.owned(answer, {own_id})"
    yield "return answer"


def _authentication(callers: Principals, schemes: dict[str, Json]) -> Iterator[str]:
    for scheme in map(schemes.__getitem__, callers.required):
        yield f"credential = runtime.required({scheme['credential']})"
        identity = scheme["snake"]
        yield f"{identity} = runtime.proved(await authenticator.{identity}(credential))"
    for scheme in map(schemes.__getitem__, callers.optional):
        yield f"{scheme['snake']} = await runtime.authenticate_if_given({_proof(scheme)})"
    if callers.either:
        proofs = ", ".join(_proof(schemes[name]) for name in callers.either)
        yield f"caller = await runtime.authenticate_either({proofs})"


def _admission(op: Operation, callers: Principals, schemes: dict[str, Json]) -> Iterator[str]:
    """Each token has a bound of requests under way; streams are counted by who sends them."""
    if any(EVENT_STREAM in answer.get("content", {}) for answer in op.responses().values()):
        return
    for name in callers.required[:1]:
        yield f"call.enter({schemes[name]['snake']}.token_id)"
    if callers.either:
        yield "call.enter(caller.token_id)"


def _proof(scheme: Json) -> str:
    return f"authenticator.{scheme['snake']}, {scheme['credential']}"


def _permission(op: Operation, caller: str) -> Iterator[str]:
    yield f"runtime.require_scopes({caller}, {op.snake.upper()}_SCOPES)"


def _debts(op: Operation, callers: Principals, schemes: dict[str, Json]) -> Iterator[str]:
    """What a token owes is known once it is proved: a refused request is charged as well."""
    for index, limit in enumerate(op.spec.get("x-rate-limit", [])):
        if limit["by"] == "user":
            continue
        name = f"{limit['by'].capitalize()}Token"
        line = f"call.owe({op.snake.upper()}_LIMITS[{index}], {_own_id(name, callers, schemes)})"
        if name in callers.either:
            yield f"if isinstance(caller, {name}):"
            line = f"    {line}"
        yield line


def _payment(op: Operation) -> Iterator[str]:
    limits = op.spec.get("x-rate-limit", [])
    for index, limit in enumerate(limits):
        if limit["by"] == "user":
            yield f"call.owe({op.snake.upper()}_LIMITS[{index}], body.user_id)"
    if limits:
        yield "await call.pay()"


def _ownership(op: Operation, callers: Principals, schemes: dict[str, Json]) -> Iterator[str]:
    owner = op.spec.get("x-owner", {})
    if owner.get("by") == "token":
        caller = _own_id(owner["of"], callers, schemes)
        named = f"path.{owner['parameter']}"
        yield f'runtime.require_self({caller}, {named}, ERRORS["{owner["code"]}"])'


def _own_id(scheme: str, callers: Principals, schemes: dict[str, Json]) -> str:
    variable = "caller" if scheme in callers.either else schemes[scheme]["snake"]
    return f"{variable}.{schemes[scheme]['subject']}"


def _values(op: Operation) -> Iterator[str]:
    for location in LOCATIONS:
        parameters = own_parameters(op, location)
        if parameters:
            model = f"models.{op.pascal}{location.capitalize()}"
            values = _raw(op, location)
            yield f'{location} = read_strings({model}, {values}, "{location}")'
        elif location == "query" and "validation_failed" in op.codes:
            yield "call.refuse_query()"
    if takes_preferences(op):
        yield "prefer = call.preferences()"
    if op.body_schema is None:
        return
    schema = op.document["components"]["schemas"][op.body_schema]
    most = most_values(op.document, schema)
    yield f"body = read_json(models.{op.body_schema}, await call.body(), {most})"
    if "trace_id" in schema["properties"]:
        yield "call.adopt_trace(body.trace_id)"
    if "x-idempotency" in op.spec:
        key = op.spec["x-idempotency"]["key"]
        members = f"{op.snake.upper()}_FINGERPRINT"
        yield f'idempotency = runtime.idempotency(body, "{key}", {members})'


def _raw(op: Operation, location: str) -> str:
    if location == "path":
        return 'call.scope["path_params"]'
    if location == "query":
        return "call.query()"
    return f"call.header_values({op.snake.upper()}_HEADERS)"
