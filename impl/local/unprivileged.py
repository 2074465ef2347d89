"""How to run PostgreSQL where we are root, which it refuses to be."""

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from impl.local.child import LocalError, run


@dataclass(frozen=True, slots=True)
class Identity:
    """What to put before a command, and the uid which then owns its files (as we see it)."""

    prefix: tuple[str, ...]
    owner: int

    def own(self, directory: Path) -> None:
        """Give the folder to this identity: an earlier start may have used another one."""
        if directory.stat().st_uid == self.owner:
            return
        if os.geteuid() != 0:
            raise LocalError(
                f"{directory} belongs to uid {directory.stat().st_uid}, we are {self.owner}: "
                f"run as its owner, or remove the folder to begin anew (its data are lost)"
            )
        for folder, _, names in os.walk(directory):
            for path in (folder, *(os.path.join(folder, name) for name in names)):  # noqa: PTH118 - thousands of files
                os.chown(path, self.owner, self.owner, follow_symlinks=False)


def user_namespace() -> Identity:
    """Root outside, uid 65534 inside: folders below a 0700 one of root's still open."""
    return Identity(("unshare", "--user", "--map-user=65534", "--map-group=65534", "--"), owner=0)


def spare_uid() -> Identity:
    """Take a uid of no user, and keep the right to pass folders which are closed to it.

    For containers, which by default refuse user namespaces and allow this. A private copy of the
    server and its data elsewhere would also do, but it would move the data out of our folder.
    """
    uid = next(uid for uid in range(60999, 60000, -1) if not _is_taken(uid))
    keep = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    who = (f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    return Identity(("setpriv", *who, *keep, "--"), owner=uid)


def _is_taken(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _candidates() -> Iterator[Identity]:
    yield user_namespace()
    yield spare_uid()


async def choose(program: Path, directory: Path) -> Identity:
    """Return the identity that can run `program` and write in `directory`: ours unless root."""
    if os.geteuid() != 0:
        return Identity((), os.geteuid())
    refusals = []
    for identity in _candidates():
        try:
            await _try(identity, program, directory)
        except (LocalError, OSError) as error:
            refusals.append(f"{identity.prefix[0]}: {error}")
        else:
            return identity
    raise LocalError(
        "PostgreSQL refuses to run as root, and this machine lets root become nobody else. Run as "
        "an ordinary user, or set BOTCORE_DATABASE_URL to a server of yours.\n"
        + "\n".join(refusals)
    )


async def _try(identity: Identity, program: Path, directory: Path) -> None:
    # An identity may be allowed and still be shut out of the folder, or of the virtual environment.
    script = 'cd "$1" && test -w . && exec "$2" --version'
    command: tuple[str | Path, ...] = (
        *identity.prefix,
        "/bin/sh",
        "-c",
        script,
        "sh",
        directory,
        program,
    )
    await run(command, env={"PATH": os.environ.get("PATH", os.defpath)}, group=None)
