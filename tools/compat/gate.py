"""What a breaking change needs: a line of the changelog that names it, and a version that tells.

Before 1.0 a breaking change raises the minor version. From 1.0 it raises the major one, and what it
breaks has been served beside its successor (`/api/v2/…`) for two minor releases.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.compat.change import Change
from tools.compat.compare import compare
from tools.compat.released import RELEASED, Contract, current, read, releases
from tools.contract import CONTRACT, ROOT, ContractError, Json

CHANGELOG = ROOT / "docs" / "CHANGELOG.md"
PROJECT = ROOT / "pyproject.toml"
MARK = "**breaking**"
SUPPORTED_FOR = 2  # minor releases
_HEADING = re.compile(r"^## +(?P<title>.+?)\s*$", re.MULTILINE)
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Gate:
    """The files that it reads, so that a test may bring its own, and the comparison."""

    contract: Path = CONTRACT
    released: Path = RELEASED
    changelog: Path = CHANGELOG
    project: Path = PROJECT
    compared: Callable[[Contract, Contract], list[Change]] = compare

    def changes(self) -> list[Change]:
        """Every difference to the released contract; none where nothing was released yet."""
        if not self.released.is_dir():
            done = [title for title, _ in sections(self.changelog) if "Unreleased" not in title]
            if done:
                raise ContractError(f"{self.changelog.name}: {done[0]} has no snapshot")
            return []
        return self.compared(read(self.released), current(self.contract))

    def findings(self) -> list[str]:
        """Each breaking change that is not announced, and what to do."""
        breaking = [change for change in self.changes() if change.breaks]
        if not breaking:
            return []
        return [*self._unnamed(breaking), *self._version()]

    def _unnamed(self, breaking: list[Change]) -> list[str]:
        lines = [line for line in unreleased(self.changelog).splitlines() if MARK in line]
        told = {name for line in lines for name in re.findall(r"`([^`]+)`", line)}
        found = [change for change in breaking if change.place.name not in told]
        if not found:
            return []
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(c.place.name for c in found))
        remedy = (
            f"Take it back, or say under Unreleased in docs/{self.changelog.name} what a client "
            f"does about it: - `[CORE]` {MARK} {names}: …"
        )
        return [*(f"breaking: {change}" for change in found), remedy]

    def _version(self) -> list[str]:
        past = releases(self.released)
        last, now = numbers(past[-1]["version"]), numbers(version(self.project))
        if last[0] == 0:
            if now[:2] > last[:2]:
                return []
            wanted = f"0.{last[1] + 1}.0"
            return [_raise(self.project, wanted, last)]
        if now[0] <= last[0]:
            return [_raise(self.project, f"{last[0] + 1}.0.0", last)]
        return _support(past, last[0])


def _raise(project: Path, wanted: str, last: tuple[int, ...]) -> str:
    since = ".".join(map(str, last))
    told = f"something breaks since {since} (python -m tools.compat lists it)"
    return f"Raise the version in {project.name} to {wanted}: {told}"


def _support(past: list[Json], major: int) -> list[str]:
    """Whether the successor of what breaks was there for as long as clients were promised."""
    successor = f"v{major + 1}"
    minors = {numbers(item["version"])[:2] for item in past if successor in item["serves"]}
    if len(minors) >= SUPPORTED_FOR:
        return []
    served = f"it was for {len(minors)} of {SUPPORTED_FOR} minor releases"
    return [f"/api/{successor}/ must be served beside the old one before that breaks; {served}"]


def sections(changelog: Path) -> list[tuple[str, str]]:
    """Each heading of the changelog and what stands below it, the newest first."""
    text = changelog.read_text(encoding="utf-8")
    found = list(_HEADING.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [
        (match["title"], text[match.end() : end]) for match, end in zip(found, ends, strict=True)
    ]


def unreleased(changelog: Path) -> str:
    return next((text for title, text in sections(changelog) if "Unreleased" in title), "")


def version(project: Path) -> str:
    found: str = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
    return found


def numbers(text: str) -> tuple[int, ...]:
    found = _VERSION.match(text)
    if found is None:
        raise ContractError(f"{text} is no version")
    return tuple(map(int, found[0].split(".")))


def findings() -> list[str]:
    return Gate().findings()
