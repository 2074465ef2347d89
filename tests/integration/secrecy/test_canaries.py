"""Secrets are planted in a whole deployment that works and fails; then all that it wrote down is
searched: logs, metrics, tables, Redis, the answers, what the commands say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from redis.asyncio import Redis

from impl.tokens.format import mint
from tests.every_operation import CONTRACT, OPERATIONS
from tests.fake_llm import MODEL, FakeLLM, fails, fake_llm
from tests.integration.secrecy.canaries import Hearing, secrets_in
from tests.integration.secrecy.processes import Processes
from tests.integration.secrecy.sinks import every_key, rows_of_every_table
from tests.ports import spare_port
from tests.servers import create_database, drop_database
from tests.stack import ScriptedPlugin, scripted_plugin
from tools.conform.client import Request
from tools.conform.good import caller, good_request
from tools.conform.keys import issued_keys
from tools.conform.plugin import serving_plugin
from tools.conform.world import World

NAMES = ("database_url", "redis_url", "secret_key", "llm_api_key", "registry_key")
WRONG = "canary-of-a-wrong-password-814"
SECRET_KEY = "canary-of-the-secret-key-8d1f5b7c93e0a246"
LLM_KEY = "canary-of-the-model-key-71c3"
GOOD_FORM = mint("bot").plaintext  # of nobody
DATABASE_PASSWORD = "canary-of-the-database-5e9a"


@dataclass
class Deployment:
    """What was planted, and by its name all that was written down."""

    planted: dict[str, str] = field(default_factory=dict)
    sinks: dict[str, str] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)


def with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    user = parts.username or ""
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}"))


async def repeats_its_bearer(_body: dict[str, Any], request: web.Request) -> web.StreamResponse:
    """A plugin that fails, and says all it was told, in a body that is no answer."""
    return web.json_response({"detail": dict(request.headers)}, status=500)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deployment(
    postgres: str, migrated: str, valkey: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Deployment]:
    folder = tmp_path_factory.mktemp("canaries")
    owner = await create_database(postgres, "canaries", template=migrated)
    connection = await asyncpg.connect(owner)
    try:
        await connection.execute(
            f"CREATE ROLE canary SUPERUSER LOGIN PASSWORD '{DATABASE_PASSWORD}'"
        )
        parts = urlsplit(owner)
        url = urlunsplit(
            parts._replace(netloc=f"canary:{DATABASE_PASSWORD}@{parts.netloc.rpartition('@')[2]}")
        )
        async with Redis.from_url(valkey, decode_responses=True) as redis:
            await redis.flushall()
            found = await lived_through(folder, url, valkey)
            found.sinks |= await rows_of_every_table(connection)
            found.sinks |= await every_key(redis)
        yield found
    finally:
        await connection.close()
        await drop_database(owner)
        cleaning = await asyncpg.connect(postgres)
        await cleaning.execute("DROP ROLE IF EXISTS canary")
        await cleaning.close()


async def lived_through(folder: Path, database: str, redis: str) -> Deployment:
    """A life of a deployment, good and bad; all processes have ended."""
    found = Deployment()
    async with AsyncExitStack() as stack:
        keys = await stack.enter_async_context(issued_keys(database))
        llm = await stack.enter_async_context(fake_llm())
        llm.will(fails(500))  # it repeats the key
        suite_plugin = await stack.enter_async_context(serving_plugin("127.0.0.1"))
        rude = await stack.enter_async_context(scripted_plugin())
        rude.reply = repeats_its_bearer
        found.planted |= {
            "database password": DATABASE_PASSWORD, "secret key": SECRET_KEY, "model key": LLM_KEY,
            "redis password": urlsplit(redis).password or "", "wrong password": WRONG,
        }  # fmt: skip
        secrets = (database, redis, SECRET_KEY, LLM_KEY, keys.registry)
        processes = Processes(folder, environment(folder, llm, secrets))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        async with processes.running("serve", "impl.cli", "serve") as port:
            url = f"http://127.0.0.1:{port}"
            async with (
                processes.running(
                    "worker", "impl.cli", "worker", BOTCORE_METRICS_PORT=str(spare_port())
                ),
                processes.running("text_reply", "impl.text_reply", BOTCORE_URL=url),
            ):
                client = Hearing(url, CONTRACT["components"]["securitySchemes"], session)
                world = World(client, OPERATIONS, keys, suite_plugin)
                await misused(world, client, await used(world, rude))
                async with session.get(f"{url}/metrics") as answer:
                    found.sinks["metrics"] = await answer.text()
        found.repeated = client.repeated
        found.planted |= {
            f"{shown} {i}": key for i, (key, shown) in enumerate(client.shown.items())
        }
        await failing(processes, database, redis, session)
    found.sinks |= processes.said
    return found


def environment(folder: Path, llm: FakeLLM, secrets: tuple[str, ...]) -> dict[str, str]:
    """All secrets in files, as a deployment has them; everything that can be logged is."""
    for name, value in zip(NAMES, secrets, strict=True):
        (folder / name).write_text(f"{value}\n")
    files = {f"BOTCORE_{name.upper()}_FILE": str(folder / name) for name in NAMES}
    return {
        **files, "BOTCORE_LOG_LEVEL": "debug", "BOTCORE_DEVELOPMENT": "true",
        "BOTCORE_UNREADY_SECONDS": "0", "BOTCORE_QUEUE_POLL_SECONDS": "0.05",
        "BOTCORE_LLM_BASE_URL": llm.url, "BOTCORE_LLM_MODEL": MODEL, "BOTCORE_CLASSIFIER": "off",
        "BOTCORE_LLM_RETRIES": "0",
    }  # fmt: skip


async def used(world: World, rude: ScriptedPlugin) -> list[Request]:
    """Each operation of the contract once, and messages to plugins that fail."""
    await world.receive_messages()
    who = await caller(world)
    requests = [await good_request(world, operation, who) for operation in OPERATIONS.values()]
    for request in requests:
        await world.client.send(request)
    condition = {"type": "regex", "value": "^rude"}
    intent = {"tag": "rude", "activation_condition": condition, "priority": 900}
    body = world.registration(f"{world.word}-rude", intent) | {"base_url": rude.url}
    await world.make("registerPlugin", credentials={"RegistryKey": world.keys.registry}, body=body)
    for text in ("rude: fail", "what is the weather?"):
        said = {"user_id": who.bot.user_id, "payload": {"type": "text", "text": text}}
        await world.make(
            "addDialogMessage", path={"dialog_id": str(uuid4())},
            credentials={"BotToken": who.bot.token}, body=said,
        )  # fmt: skip
    assert rude.calls
    return requests


async def misused(world: World, client: Hearing, requests: list[Request]) -> None:
    """A good token in each wrong place of every operation, and one that is forged."""
    bot = await world.bot()
    token = (await world.token("BotToken", bot.id, ("dialogs:read",)))["token"]
    forged = f"bc_bot_{'0' * 16}_{secrets_in(token).pop()}_000000"
    for request in requests:
        bad = [
            request.but(headers={"X-Trace-Id": token, "traceparent": token}),
            request.but(headers={"X-Schema-Version": token}),
            request.but(query={**request.query, "cursor": token}),
            request.but(credentials=dict.fromkeys(request.credentials, forged)),
            request.but(path=dict.fromkeys(request.path, token)),
        ]
        if isinstance(request.body, dict):
            bad.append(request.with_body(unknown=token))
            bad.append(request.with_body(**dict.fromkeys(request.body, token)))
            bad.append(request.but(raw=f'{{"{token}'.encode()))
            bad.append(request.but(headers={"Content-Type": token}))
        await asyncio.gather(*(client.try_out(each) for each in bad))


async def failing(
    processes: Processes, database: str, redis: str, session: aiohttp.ClientSession
) -> None:
    """Servers that refuse the password, or are not there, and all that speaks of them."""
    refused = (with_password(database, WRONG), with_password(redis, WRONG))
    away = (f"postgresql://u@127.0.0.1:1/x?password={WRONG}", f"redis://:{WRONG}@127.0.0.1:1/0")
    for case, addresses in (("refused", refused), ("away", away)):
        for name, url in zip(("database_url", "redis_url"), addresses, strict=True):
            (processes.folder / name).write_text(url)
        async with processes.running(f"serve {case}", "impl.cli", "serve") as port:
            if case == "refused":
                async with processes.running("worker refused", "impl.cli", "worker"):
                    assert await processes.ended("doctor refused", "doctor") == 1
            headers = {"X-Bot-Token": GOOD_FORM}
            for path in ("/readyz", f"/api/v1/dialogs/{uuid4()}", "/metrics"):
                async with session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer:
                    processes.said[f"{case} {path}"] = await answer.text()


async def test_no_secret_is_written_down_anywhere(deployment: Deployment) -> None:
    assert len(deployment.planted) > 20
    found = {
        (sink, name)
        for sink, text in deployment.sinks.items()
        for name, secret in deployment.planted.items()
        if secret in text
    }
    assert found == set()


async def test_no_answer_repeats_a_secret(deployment: Deployment) -> None:
    assert deployment.repeated == []


async def test_what_was_searched_is_not_empty(deployment: Deployment) -> None:
    """A search of nothing finds nothing."""
    sinks = deployment.sinks
    assert "plugin_call_failed" in sinks["serve"]
    assert "botcore_requests_total" in sinks["metrics"]
    assert "argon2id" in sinks["table public.tokens"]
    assert "registerPlugin" not in sinks["table public.audit_logs"]
    assert any(name.startswith("Redis plugin:events") for name in sinks)
    for name in (
        "worker",
        "text_reply",
        "serve refused",
        "worker refused",
        "serve away",
        "doctor refused",
    ):
        assert len(sinks[name]) > 50, name
