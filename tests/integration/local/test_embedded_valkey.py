import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGKILL

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from impl.local import valkey
from impl.local.child import LocalError
from impl.local.valkey import EmbeddedValkey
from tests.integration.local.processes import alive, command_line
from tests.ports import spare_port


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="botcore-") as folder:
        yield Path(folder) / 'a "folder" with\\signs'


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(url, decode_responses=True) as opened:
        yield opened


async def test_data_survive_a_restart(data_dir: Path) -> None:
    async with EmbeddedValkey(data_dir) as server, client(server.url) as redis:
        await redis.set("kept", "42")
    async with EmbeddedValkey(data_dir) as server, client(server.url) as redis:
        assert await redis.get("kept") == "42"


async def test_data_survive_kill_9(data_dir: Path) -> None:
    server = EmbeddedValkey(data_dir)
    await server.start()
    async with client(server.url) as redis:
        await redis.set("kept", "42")
    os.kill(server.child.pid, SIGKILL)
    await server.stop()
    async with EmbeddedValkey(data_dir) as again, client(again.url) as redis:
        assert await redis.get("kept") == "42"


async def test_a_given_port_is_the_same_at_each_start(data_dir: Path) -> None:
    server = EmbeddedValkey(data_dir, port=spare_port())
    first = await server.start()
    await server.stop()
    async with server:
        assert server.url == first


async def test_the_password_is_required_and_kept_from_others(data_dir: Path) -> None:
    async with EmbeddedValkey(data_dir) as server:
        password = server.url.removeprefix("redis://:").partition("@")[0]
        async with client(server.url.replace(f":{password}@", "")) as redis:
            with pytest.raises(AuthenticationError):
                await redis.ping()
        assert password not in command_line(server.child.pid)
        assert password not in server.log.read_text()


async def test_it_listens_on_the_loopback_only(data_dir: Path) -> None:
    async with EmbeddedValkey(data_dir) as server, client(server.url) as redis:
        assert await redis.config_get("bind") == {"bind": "127.0.0.1"}


async def test_a_failed_start_tells_what_the_log_says(data_dir: Path) -> None:
    folder = data_dir / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_text("nonsense\n")
    server = EmbeddedValkey(data_dir)
    with pytest.raises(LocalError, match=r"(?s)Valkey stopped with code 1.*manifest"):
        await server.start()
    assert not alive(server.child.pid)


async def test_a_port_that_was_lost_is_replaced(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = spare_port()
    async with EmbeddedValkey(data_dir.with_name("first")) as first:
        ports = iter([first.port, free])
        monkeypatch.setattr(valkey, "free_port", lambda: next(ports))
        async with EmbeddedValkey(data_dir) as second:
            assert second.port != first.port
