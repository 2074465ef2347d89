"""Where a plugin points and what its schemas are: refused with the field, and nothing stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from impl.plugins.manifests.canonical import manifest_hash
from impl.settings import Settings
from tests.integration.api.conftest import Admin
from tests.stack import Answer, Api, ScriptedPlugin, manifest, running_api, settings_for

Json = dict[str, Any]
TEXT = {"properties": {"text": {"maxLength": 5}}, "title": "Short."}


@asynccontextmanager
async def serving_schema(reply: Any) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A plugin's URL that answers `/schema.json` by `reply`; and who asked for it."""
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return await reply(request) if callable(reply) else web.json_response(reply)

    application = web.Application()
    application.router.add_get("/schema.json", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


async def register(api: Api, url: str, **more: Any) -> Answer:
    described = manifest("weather") | more
    return await api.register(
        {"name": "weather", "version": "1.0.0", "base_url": url, "manifest": described}
    )


def refused(answer: Answer) -> tuple[str, str]:
    assert answer.status == 422, answer.raw
    [fault] = answer.json["errors"]
    return fault["pointer"], fault["code"]


async def stored(pool: asyncpg.Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM plugins"))


@pytest.fixture
def settings(database: str, valkey: str) -> Settings:
    return settings_for(database, valkey)


FORBIDDEN = [
    "http://10.0.0.1:9000", "http://169.254.169.254/latest", "http://192.168.0.1",
    "http://100.64.0.1", "http://0.0.0.0:9000", "http://224.0.0.1", "http://2130706433",
    "http://0x7f000001", "http://0177.0.0.1", "http://127.1", "http://017700000001",
    "http://1.2.3.4.5", "http://168.63.129.16", "http://100.100.100.200",
]  # fmt: skip


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_a_forbidden_base_url_is_refused(url: str, api: Api, pool: asyncpg.Pool) -> None:
    assert refused(await register(api, url)) == ("/base_url", "url_forbidden")
    assert await stored(pool) == 0


async def test_without_development_loopback_is_forbidden_by_name_too(
    pool: asyncpg.Pool, database: str, valkey: str, plugin: ScriptedPlugin
) -> None:
    async with running_api(pool, settings_for(database, valkey, development=False)) as api:
        for url in (plugin.url, plugin.url.replace("127.0.0.1", "localhost")):
            assert refused(await register(api, url)) == ("/base_url", "url_forbidden")
    assert await stored(pool) == 0


BAD_SCHEMAS: dict[str, tuple[Json, str, str]] = {
    "another type": ({"properties": {"text": {"type": "word"}}}, "/properties/text/type",
                     "schema_invalid"),
    "remote": ({"$ref": "http://127.0.0.1:9/x"}, "/$ref", "schema_ref_remote"),
    "dangling": ({"allOf": [{"$ref": "#/$defs/x"}]}, "/allOf/0/$ref", "schema_ref_unknown"),
    "backtracking": ({"pattern": "(?=a)"}, "/pattern", "pattern_invalid"),
    "endless": ({"$ref": "#"}, "", "schema_too_costly"),
    "large": ({"prefixItems": [{}] * 2000}, "", "schema_too_large"),
}  # fmt: skip


@pytest.mark.parametrize("member", ["input_schema", "output_schema"])
@pytest.mark.parametrize("name", BAD_SCHEMAS)
async def test_a_bad_schema_is_refused(
    name: str, member: str, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    schema, place, code = BAD_SCHEMAS[name]
    answer = await register(api, plugin.url, **{member: schema})
    assert refused(answer) == (f"/manifest/{member}{place}", code)
    assert await stored(pool) == 0


async def test_an_output_schema_that_takes_too_long_is_refused(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    schema = {"properties": {"text": {"pattern": r"(?s)\pL.{90}x"}}}
    answer = await register(api, plugin.url, output_schema=schema)
    assert refused(answer) == ("/manifest/output_schema", "schema_too_costly")
    assert await stored(pool) == 0
    assert (await register(api, plugin.url, input_schema=schema)).status == 201


async def test_a_schema_is_fetched_once_and_pinned(
    api: Api, admin: Admin, pool: asyncpg.Pool
) -> None:
    first: Json = {**TEXT, "minProperties": 1.0}  # canonical JSON writes it as 1
    served = [first, {"type": "object"}]

    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.json_response(served[0], content_type="application/schema+json")

    async with serving_schema(reply) as (url, asked):
        described = {"output_schema": f"{url}/schema.json"}
        assert (await register(api, url, **described)).status == 201
        row = await pool.fetchrow("SELECT output_schema, output_schema_digest FROM plugins")
        assert row["output_schema"] == first
        assert row["output_schema_digest"] == manifest_hash(first)
        (shown,) = (await admin("GET", "/plugins")).json["items"]
        assert shown["output_schema_digest"] == row["output_schema_digest"]
        assert "Authorization" not in asked[0].headers
        served.pop(0)
        assert (await register(api, url, **described)).status == 200
        again = await pool.fetchrow("SELECT output_schema, output_schema_digest FROM plugins")
        assert again["output_schema"] == served[0]
        assert again["output_schema_digest"] != row["output_schema_digest"]
        assert len(asked) == 2


async def broken(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b'{"a": 1, "a": 2}')


async def large(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=b" " * 100_000)


async def redirects(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})


async def hangs(_request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


FETCHED = {
    "no object": ([], "schema_invalid"),
    "no schema": ({"type": "word"}, "schema_invalid"),
    "duplicate keys": (broken, "schema_invalid"),
    "too large": (large, "schema_too_large"),
    "redirected": (redirects, "schema_unavailable"),
    "remote": ({"$ref": "https://example.com/x"}, "schema_ref_remote"),
}


@pytest.mark.parametrize("name", FETCHED)
async def test_what_is_fetched_must_be_a_schema(name: str, api: Api, pool: asyncpg.Pool) -> None:
    reply, code = FETCHED[name]
    async with serving_schema(reply) as (url, _):
        answer = await register(api, url, output_schema=f"{url}/schema.json")
    assert refused(answer) == ("/manifest/output_schema", code)
    assert await stored(pool) == 0


async def test_a_schema_that_does_not_come_is_not_waited_for(
    pool: asyncpg.Pool, database: str, valkey: str
) -> None:
    hasty = settings_for(database, valkey, probe_timeout_seconds=0.5)
    async with serving_schema(hangs) as (url, _), running_api(pool, hasty) as api:
        answer = await register(api, url, output_schema=f"{url}/schema.json")
    assert refused(answer) == ("/manifest/output_schema", "schema_unavailable")
    assert await stored(pool) == 0


@pytest.mark.parametrize("member", ["input_schema", "output_schema"])
@pytest.mark.parametrize(
    ("elsewhere", "code"),
    [
        ("http://127.0.0.1:1/schema.json", "schema_elsewhere"),
        ("https://127.0.0.1/schema.json", "schema_elsewhere"),
        ("http://169.254.169.254/schema.json", "url_forbidden"),
        ("http://0x7f.1/schema.json", "url_forbidden"),
    ],
)
async def test_a_schema_from_elsewhere_is_refused(
    elsewhere: str, code: str, member: str, api: Api, pool: asyncpg.Pool
) -> None:
    async with serving_schema(TEXT) as (url, asked):
        answer = await register(api, url, **{member: elsewhere})
        assert refused(answer) == (f"/manifest/{member}", code)
        assert asked == []
    assert await stored(pool) == 0
