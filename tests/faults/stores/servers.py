"""Servers of a row's own, which it may kill and start again on the same data and the same port."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

from impl import migrate
from impl.local.guardian import Guardian
from impl.local.postgres import EmbeddedPostgres
from impl.local.valkey import EmbeddedValkey
from tests.faults.errors import CannotRunError
from tests.faults.world import Servers, World
from tests.ports import spare_port
from tests.servers import ROOM, create_database, fast_folder

TEMPLATE = "stores_template"
GONE_SECONDS = 10.0
_one_migration = asyncio.Lock()  # Alembic has one context a process


@dataclass
class OwnPostgres:
    """As durable as PostgreSQL is by default: what it acknowledged outlives kill -9."""

    server: EmbeddedPostgres

    async def kill(self) -> None:
        """kill -9 of the postmaster and of all its processes; returns when none is left."""
        members = self.members()
        if self.server.child.pid not in members:
            raise CannotRunError("PostgreSQL was not running when it was to be killed")
        self._kill(members)
        await World.until(self._gone, GONE_SECONDS, "every process of PostgreSQL is gone")
        await self.server.child.wait()

    async def start(self) -> None:
        await self.server.start()

    async def revive(self) -> None:
        """Whatever a row did: what follows it needs the server."""
        if not self.running:
            await self.server.start()

    @property
    def running(self) -> bool:
        return self.server.child.exit_code is None

    def members(self) -> list[int]:
        """Every process of it works in its folder of data, the postmaster too."""
        found = []
        for path in Path("/proc").iterdir():
            if path.name.isdigit():
                with contextlib.suppress(OSError):  # it ended meanwhile, or is another user's
                    if (path / "cwd").readlink() == self.server.data_dir:
                        found.append(int(path.name))
        return found

    async def _gone(self) -> bool:
        """One that was forked while the others were killed is found now."""
        members = self.members()
        self._kill(members)
        return not members

    @staticmethod
    def _kill(members: list[int]) -> None:
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)


@asynccontextmanager
async def own_postgres(
    root: Path, folder: Path | None = None, **settings: str
) -> AsyncIterator[tuple[OwnPostgres, Servers]]:
    """A server with its data in `folder`, and what a world on it, of the core in `root`, needs."""
    with tempfile.TemporaryDirectory(prefix="botcore-", dir=folder or fast_folder()) as directory:
        data = Path(directory) / "postgres"
        async with (
            Guardian() as guardian,
            EmbeddedPostgres(
                data, settings={**ROOM, **settings}, group=guardian.group, port=spare_port()
            ) as server,
        ):
            async with _one_migration:
                await migrate.upgrade(await create_database(server.dsn, TEMPLATE))
            yield OwnPostgres(server), Servers(server.dsn, TEMPLATE, root)


@dataclass
class OwnValkey:
    server: EmbeddedValkey

    async def kill(self) -> None:
        self.server.child.signal(SIGKILL)
        await self.server.child.wait()

    async def start(self) -> None:
        await self.server.start()


@asynccontextmanager
async def own_valkey() -> AsyncIterator[OwnValkey]:
    with tempfile.TemporaryDirectory(prefix="botcore-") as directory:
        data = Path(directory) / "valkey"
        async with (
            Guardian() as guardian,
            EmbeddedValkey(data, group=guardian.group, port=spare_port()) as server,
        ):
            yield OwnValkey(server)
