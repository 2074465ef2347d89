"""How to run PostgreSQL where it refuses us: as root, or as a uid without a name."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from impl.local.child import LocalError, run


@dataclass(frozen=True, slots=True)
class Identity:
    """What to put before a command, and the uid which then owns its files (as we see it)."""

    prefix: tuple[str, ...]
    owner: int
    # As `prefix`, where that keeps a right which the uid has not by itself: without it.
    bare_prefix: tuple[str, ...] = ()

    async def reaches(self, program: Path) -> bool:
        """Whether access(2) says so, which is what PostgreSQL asks."""
        if not self.prefix:
            return os.access(program, os.R_OK | os.X_OK)
        script = 'test -r "$1" && test -x "$1"'  # not access(2) in every shell: it counts rights
        try:
            await _sh(self.bare_prefix or self.prefix, script, program)
        except LocalError:
            return False
        return True

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
    """Ourselves outside, nobody inside: folders below a closed one of ours still open."""
    uid = pwd.getpwnam("nobody").pw_uid  # initdb insists on a uid that has a name
    who = (f"--map-user={uid}", f"--map-group={uid}")
    return Identity(("unshare", "--user", *who, "--"), owner=os.geteuid())


def nobody() -> Identity:
    """Become nobody, and keep the right to pass folders which are closed to them.

    For containers: by default they refuse user namespaces and allow this. The right is for the
    data, which stay in our folder; the programs may need a copy all the same: installation.py.
    """
    uid = pwd.getpwnam("nobody").pw_uid
    who = (f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
    keep = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    return Identity(("setpriv", *who, *keep, "--"), uid, bare_prefix=("setpriv", *who, "--"))


async def choose(program: Path, directory: Path) -> Identity:
    """Return the identity that can run `program` and write in `directory`: ours if it may."""
    uid = os.geteuid()
    if uid != 0 and _has_name(uid):
        return Identity((), uid)
    refusals = []
    for candidate in (user_namespace, nobody):
        try:
            identity = candidate()
            await _try(identity, program, directory)
        except (LocalError, OSError, KeyError) as error:
            refusals.append(f"{candidate.__name__}: {error}")
        else:
            return identity
    why = "refuses to run as root" if uid == 0 else f"needs a user with a name, and {uid} has none"
    raise LocalError(
        f"PostgreSQL {why}; this machine lets us become nobody else. Run as an ordinary user, or "
        "set BOTCORE_DATABASE_URL to a server of yours.\n" + "\n".join(refusals)
    )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


async def _try(identity: Identity, program: Path, directory: Path) -> None:
    # An identity may be allowed and still be shut out of the folder, or of the virtual environment.
    script = 'cd "$1" && test -w . && exec "$2" --version'
    await _sh(identity.prefix, script, directory, program)


async def _sh(prefix: tuple[str, ...], script: str, *arguments: Path) -> None:
    command: tuple[str | Path, ...] = (*prefix, "/bin/sh", "-c", script, "sh", *arguments)
    await run(command, env={"PATH": os.environ.get("PATH", os.defpath)}, group=None)
