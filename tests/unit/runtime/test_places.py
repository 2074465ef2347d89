"""Each token has its places, at every operation that asks for one."""

import re

import pytest
from starlette.routing import Route

from generated.errors import Overloaded, RateLimited
from generated.runtime.edge import EVENT_STREAM, Endpoint, Operation
from tests.unit.runtime.service import DIALOG, GOOD, Service

CREDENTIALS = [
    ("x-bot-token", GOOD),
    ("x-admin-key", GOOD),
    ("x-registry-key", GOOD),
    ("authorization", f"Bearer {GOOD}"),
]
OPERATIONS = {
    operation.id: (method, route.path, operation)
    for route in Service().routes
    if isinstance(route, Route) and isinstance(route.endpoint, Endpoint)
    for method, (operation, _) in route.endpoint._operations.items()
}


def counted(operation: Operation) -> bool:
    """Streams have limits of their own."""
    return bool(operation.credentials) and operation.produces != EVENT_STREAM


async def ask(service: Service, method: str, path: str) -> tuple[int, dict[str, str]]:
    named = re.sub(r"\{\w+\}", str(DIALOG), path)
    answer = await service.call(method, named, headers=CREDENTIALS)
    return answer.status, answer.headers


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_token_takes_a_place_and_gives_it_back(service: Service, name: str) -> None:
    method, path, operation = OPERATIONS[name]
    await ask(service, method, path)
    assert len(service.places.given) == counted(operation)
    assert service.places.taken == []


@pytest.mark.parametrize("name", [name for name, found in OPERATIONS.items() if counted(found[2])])
async def test_without_a_place_it_is_refused_as_is_declared(service: Service, name: str) -> None:
    method, path, operation = OPERATIONS[name]
    service.places.taken = ["another"]
    status, headers = await ask(service, method, path)
    limited = RateLimited.code in operation.codes
    assert status == (RateLimited.status if limited else Overloaded.status)
    assert headers["retry-after"] == "1"
    assert headers.get("ratelimit") == ('"requests";r=0;t=1' if limited else None)
    assert service.places.taken == ["another"]
    assert service.limiter.charges == []


def test_what_asks_for_no_credentials_is_open(service: Service) -> None:
    ends = {
        route.path: route.endpoint
        for route in service.routes
        if isinstance(route, Route) and isinstance(route.endpoint, Endpoint)
    }
    assert {path for path, end in ends.items() if end.streams} == {"/api/v1/plugins/events/stream"}
    is_open = {path for path, end in ends.items() if end.is_open}
    assert {"/healthz", "/readyz", "/metrics", "/docs"} <= is_open
    assert not {path for path in is_open if "{" in path}
