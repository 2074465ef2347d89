"""Health, the contract as it is served, and a reference page that asks nobody else."""

from pathlib import Path

import generated
from impl.service import PAGE
from tests.stack import Api

GENERATED = Path(generated.__path__[0])


async def test_the_contract_is_served_as_it_was_bundled(api: Api) -> None:
    for path, name in (
        ("/api/v1/openapi.json", "openapi.json"),
        ("/api/v1/plugin.openapi.json", "plugin.openapi.json"),
        ("/api/v1/events.asyncapi.json", "events.asyncapi.json"),
    ):
        answer = await api.send("GET", path)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        assert answer.raw == (GENERATED / name).read_bytes()


async def test_the_reference_page_loads_only_what_is_served_here(api: Api) -> None:
    page = await api.send("GET", "/docs")
    assert (page.status, page.raw) == (200, PAGE)
    assert b'src="/docs/redoc.js"' in page.raw
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "http" not in policy
    script = await api.send("GET", "/docs/redoc.js")
    assert script.headers["Content-Type"] == "text/javascript"
    assert len(script.raw) > 500_000
    assert b"cdn.redoc.ly" not in script.raw


async def test_liveness_asks_no_dependency_and_names_the_version(api: Api) -> None:
    answer = await api.send("GET", "/healthz")
    assert (answer.status, answer.json["status"]) == (200, "ok")
