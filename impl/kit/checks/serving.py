"""What needs no token: health, and who is turned away."""

from uuid import uuid4

from impl.kit.checks import Check
from impl.kit.plugin import Plugin, contract, operations
from impl.kit.requests import Request, invocation

GETS = ("/health", "/manifest")
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")


async def health(plugin: Plugin) -> None:
    request = Request("GET", "/health")
    answer = await plugin.expect(request, 200)
    if answer.json["status"] != "ok":
        plugin.fail(request, "status ok", f"status {answer.json['status']}")


async def trace(plugin: Plugin) -> None:
    for path in GETS:
        trace_id = str(uuid4())
        request = Request("GET", path, {"X-Trace-Id": trace_id})
        answer = await plugin.send(request)
        came = answer.headers.get("x-trace-id", "no such header")
        if came.lower() != trace_id:
            plugin.fail(request, f"the header X-Trace-Id: {trace_id}", came)


async def methods(plugin: Plugin) -> None:
    """405 with Allow, on each path."""
    for path, item in contract()["paths"].items():
        served = {method.upper() for method in item}
        other = next(method for method in METHODS if method not in served)
        request = Request(other, path)
        answer = await plugin.expect(request, 405, "method_not_allowed")
        allowed = {name.strip() for name in answer.headers["allow"].split(",")}
        if allowed != served:
            plugin.fail(request, f"Allow: {', '.join(sorted(served))}", answer.headers["allow"])


async def accept(plugin: Plugin) -> None:
    for method, path in operations():
        if method == "GET":
            request = Request(method, path, {"Accept": "application/x-nothing"})
            await plugin.expect(request, 406, "not_acceptable")


async def no_bearer(plugin: Plugin) -> None:
    await plugin.expect(invocation(plugin.manifest), 401, "missing_credentials")


async def wrong_bearer(plugin: Plugin) -> None:
    request = invocation(plugin.manifest).but(bearer="bc_invoke_nobody")
    await plugin.expect(request, 401, "invalid_credentials")
    basic = invocation(plugin.manifest).with_headers(Authorization="Basic bm86Ym9keQ==")
    await plugin.expect(basic, 401, "invalid_credentials")


HEALTH = Check("health", "GET /health says ok, with a version", health)
CHECKS = (
    Check("trace.get", "X-Trace-Id comes back from /health and /manifest", trace),
    Check("method", "another method is answered 405 with Allow", methods),
    Check("accept.get", "an Accept that excludes JSON is answered 406", accept),
    Check("bearer.missing", "/invoke without a bearer is answered 401", no_bearer),
    Check("bearer.wrong", "/invoke with a wrong bearer is answered 401", wrong_bearer),
)
