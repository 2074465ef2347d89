"""The locked packages of `requirements/`, and a project of uv's that has exactly these."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.contract import ROOT

RUNTIME = ROOT / "requirements" / "runtime.txt"
DEVELOPMENT = ROOT / "requirements" / "dev.txt"
PYPROJECT = '[project]\nname = "botcore"\nversion = "{version}"\nrequires-python = ">=3.11"\n'
SOURCE = '{ registry = "https://pypi.org/simple" }'
ROOT_NAME = "botcore"

_PIN = re.compile(r"(?P<name>[a-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))? \\")
_VIA = re.compile(r"    # (?:via |  )(?P<name>\S+)")


@dataclass(frozen=True, slots=True)
class Package:
    """`via` are the packages that need it; none: botcore itself does."""

    name: str
    version: str
    marker: str | None
    via: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def read(*files: Path) -> list[Package]:
    """Each name and version once, by name. Raises ValueError for a line that is no pin."""
    found: dict[tuple[str, str], Package] = {}
    for file in files:
        for package in _packages(file.read_text().splitlines()):
            found.setdefault((package.name, package.version), package)
    return sorted(found.values(), key=lambda each: (each.name, each.version))


def _packages(lines: Iterable[str]) -> Iterator[Package]:
    pin: re.Match[str] | None = None
    via: list[str] = []
    for line in [*lines, ""]:
        if via_line := _VIA.match(line):
            via.append(via_line["name"])
        elif not line.startswith(" "):
            if pin:
                needed = tuple(name for name in via if not name.startswith((ROOT_NAME, "-c")))
                yield Package(pin["name"], pin["version"], pin["marker"], needed)
            pin, via = _PIN.match(line), []
            if line and not pin:
                raise ValueError(f"no pinned and hashed package: {line}")


def write_project(folder: Path, packages: list[Package], version: str) -> None:
    """A pyproject.toml and a uv.lock for commands of uv with --frozen: nothing is resolved."""
    (folder / "pyproject.toml").write_text(PYPROJECT.format(version=version))
    needs: dict[str, list[Package]] = {}
    for package in packages:
        for name in package.via or (ROOT_NAME,):
            needs.setdefault(name.partition("[")[0], []).append(package)
    root = [
        "version = 1",
        'requires-python = ">=3.11"',
        *_entry(ROOT_NAME, version, '{ virtual = "." }', needs.get(ROOT_NAME, [])),
    ]
    rest = [
        line
        for package in packages
        for line in _entry(package.name, package.version, SOURCE, needs.get(package.name, []))
    ]
    (folder / "uv.lock").write_text("\n".join([*root, *rest]) + "\n")


def _entry(name: str, version: str, source: str, needs: list[Package]) -> Iterator[str]:
    yield from ("", "[[package]]", f'name = "{name}"', f'version = "{version}"')
    yield f"source = {source}"
    if needs:
        yield f"dependencies = [{', '.join(map(_dependency, needs))}]"


def _dependency(package: Package) -> str:
    marker = f", marker = {json.dumps(package.marker)}" if package.marker else ""
    named = f'name = "{package.name}", version = "{package.version}", source = {SOURCE}'
    return f"{{ {named}{marker} }}"
