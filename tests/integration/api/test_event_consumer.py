"""The consumer of docs/events.md, as it stands there, on the streams of a running system."""

import asyncio
import re
import shlex
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import asyncpg
import orjson
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from generated.metrics import make_metrics
from impl.events.relay import Relay
from impl.redis import relay_client
from impl.settings import Settings
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, ScriptedPlugin
from tools.contract import ROOT

STREAM = "plugin:events"


@pytest_asyncio.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = relay_client(settings)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    """The example's two files."""
    text = (ROOT / "docs" / "events.md").read_text()
    example = re.search(r"```python\n(.+?)```", text, re.DOTALL)
    assert example is not None
    (tmp_path / "consumer.py").write_text(example[1])
    return tmp_path


async def generate_models(consumer: Path) -> None:
    """By the command of the page, but for the place."""
    text = (ROOT / "docs" / "events.md").read_text()
    command = re.search(r"```sh\n\.venv/bin/(datamodel-codegen .+?)```", text, re.DOTALL)
    assert command is not None
    name, *options, output = shlex.split(command[1].replace("\\\n", ""))
    program = Path(sys.executable).parent / name
    done = await asyncio.create_subprocess_exec(
        program, *options, str(consumer / output), cwd=ROOT, stderr=PIPE
    )
    _, said = await done.communicate()
    assert done.returncode == 0, said.decode()


@asynccontextmanager
async def running(consumer: Path, settings: Settings) -> AsyncIterator[Process]:
    environment = {"REDIS_URL": settings.redis_url.get_secret_value(), "SEEN": "seen.db"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "consumer.py", cwd=consumer, env=environment, stdout=PIPE
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def told(process: Process) -> tuple[str, Any]:
    """The next event that the consumer tells."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENT_SECONDS):
        name, _, payload = (await process.stdout.readline()).decode().partition(" ")
    return name, orjson.loads(payload)


async def test_each_event_is_told_once(  # noqa: PLR0917  # its fixtures and parameters
    api: Api,
    plugin: ScriptedPlugin,
    pool: asyncpg.Pool,
    redis: Redis,
    settings: Settings,
    consumer: Path,
) -> None:
    await generate_models(consumer)
    relay = Relay(pool, redis, 100, 0.01, make_metrics())
    done = await api.add_plugin(plugin.url)
    await relay.drain_once()
    async with running(consumer, settings) as process:
        name, payload = await told(process)
        assert (name, payload["name"]) == ("plugin_registered", "text_reply")
        await repeat_first(redis)
        await redis.xadd(STREAM, {"event_type": "plugin_reborn", "source": "core", "event_id": "?"})
        await all_read(redis)
        await redis.delete(STREAM)  # and with it the group
        await beat(api, done)
        await relay.check_streams()
        while await relay.drain_once():
            pass
        name, payload = await told(process)
        assert (name, payload["reported"]) == ("plugin_heartbeat", "active")
    await beat(api, done)
    while await relay.drain_once():
        pass
    await erase_unacknowledged(redis)
    await beat(api, done)
    while await relay.drain_once():
        pass
    async with running(consumer, settings) as process:
        assert (await told(process))[0] == "plugin_heartbeat"


async def repeat_first(redis: Redis) -> None:
    ((_, fields),) = cast("list[tuple[str, Any]]", await redis.xrange(STREAM, count=1))
    await redis.xadd(STREAM, fields)


async def erase_unacknowledged(redis: Redis) -> None:
    """The group's reader took an entry, was stopped, and its user was erased then."""
    found: Any = await redis.xreadgroup("dashboard", "one", {STREAM: ">"})
    ((_, ((taken, _),)),) = found
    await redis.xdel(STREAM, taken)


async def all_read(redis: Redis) -> None:
    """The group has acknowledged every entry of the stream."""
    async with asyncio.timeout(PATIENT_SECONDS):
        while True:
            (group,) = await redis.xinfo_groups(STREAM)
            if group["lag"] == 0 and group["pending"] == 0:
                return
            await asyncio.sleep(0.01)


async def beat(api: Api, done: dict[str, Any]) -> None:
    answer = await api.send(
        "POST",
        f"/api/v1/plugins/{done['plugin_id']}/heartbeat",
        json={"plugin_id": done["plugin_id"], "status": "active"},
        headers={"Authorization": f"Bearer {done['token']}"},
    )
    assert answer.status == 200, answer.raw
