"""A disk of so many MiB, which a row fills and makes room on again."""

import asyncio
import errno
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from impl.local.child import LocalError, run
from tests.faults.errors import CannotRunError

MIB = 1024 * 1024


@dataclass(frozen=True)
class SmallDisk:
    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> int:
        """To the last byte; the bytes that it took."""
        taken = 0
        with self._ballast.open("ab", buffering=0) as file:
            for size in (MIB, 4096):
                try:
                    while True:
                        taken += file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
        return taken

    def make_room(self) -> None:
        self._ballast.unlink()

    @property
    def free(self) -> int:
        return shutil.disk_usage(self.folder).free


@asynccontextmanager
async def small_disk(mib: int) -> AsyncIterator[SmallDisk]:
    """Raises CannotRunError where nothing may be mounted: neither by us nor by sudo."""
    with tempfile.TemporaryDirectory(prefix="botcore-disk-") as directory:
        sudo = () if os.geteuid() == 0 else ("sudo", "-n")
        options = f"size={mib}m,mode=0700,uid={os.geteuid()},gid={os.getegid()}"
        try:
            await _run(*sudo, "mount", "-t", "tmpfs", "-o", options, "botcore-faults", directory)
        except (LocalError, OSError) as error:
            raise CannotRunError(f"no small disk can be mounted: {error}") from error
        try:
            yield SmallDisk(Path(directory))
        finally:
            await asyncio.shield(_run(*sudo, "umount", "--lazy", directory))


async def _run(*command: str) -> None:
    await run(command, env={"PATH": os.environ.get("PATH", os.defpath)}, group=None)
