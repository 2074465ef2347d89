"""A real pgbouncer in transaction mode, where one is installed (apt-get install pgbouncer)."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from impl.local.child import Child
from impl.local.guardian import Guardian
from tests.patience import PATIENT_SECONDS
from tests.ports import spare_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
USER = "nobody"  # it does not run as root

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
"""


@asynccontextmanager
async def pgbouncer(dsn: str, folder: Path, connections: int) -> AsyncIterator[str]:
    """`dsn` by way of a pgbouncer that has so many connections to the server for all clients."""
    assert PROGRAM is not None
    server, own = urlsplit(dsn), spare_port()
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            host=server.hostname, port=server.port, user=server.username,
            password=server.password, own=own, connections=connections,
        )
    )  # fmt: skip
    words = ("-u", USER) if os.getuid() == 0 else ()
    async with Guardian() as guardian:
        child = await Child.start(
            "pgbouncer", (PROGRAM, *words, configuration), log=folder / "pgbouncer.log",
            env=os.environ, group=guardian.group,
        )  # fmt: skip
        await _listening(child, own)
        yield urlunsplit(server._replace(netloc=f"{server.username}@127.0.0.1:{own}"))


async def _listening(child: Child, port: int) -> None:
    async with asyncio.timeout(PATIENT_SECONDS):
        while True:
            assert child.exit_code is None, child.tail()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            await writer.wait_closed()
            return
