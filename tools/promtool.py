"""Prometheus's own checker of alert rules and expositions, wherever it can be had.

PROMTOOL names one, else it is taken from the path; else Debian's or Ubuntu's package is
downloaded and unpacked into the environment, which needs no root and installs nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.contract import ROOT

UNPACKED = Path(sys.prefix) / "promtool"
ALERTS = ROOT / "deploy" / "alerts.yaml"
# Since Debian 14 and Ubuntu 25.10 it is a package of its own.
PACKAGES = ("promtool", "prometheus")
APT = ("apt-get", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30")
ADVICE = (
    "promtool is not here and could not be downloaded: install Prometheus (apt-get install "
    "prometheus, brew install prometheus, or https://prometheus.io/download), or name the "
    "program in PROMTOOL"
)


class PromtoolMissingError(Exception):
    """There is no promtool and none to be had; the message says what to do."""


def findings() -> list[str]:
    """What promtool finds in the generated alert rules."""
    try:
        done = run("check", "rules", str(ALERTS))
    except PromtoolMissingError as error:
        return str(error).splitlines()
    return [] if done.returncode == 0 else (done.stdout + done.stderr).strip().splitlines()


def run(*arguments: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
    """Its result on `arguments`, with `said` on its standard input. Raises PromtoolMissingError."""
    return subprocess.run(
        [str(find()), *arguments], input=said, capture_output=True, text=True, check=False
    )


def find() -> Path:
    """The program. Raises PromtoolMissingError."""
    named = os.environ.get("PROMTOOL")
    if named:
        if not os.access(named, os.X_OK):
            raise PromtoolMissingError(f"PROMTOOL names {named}, which is no program")
        return Path(named)
    on_path = shutil.which("promtool")
    if on_path is not None:
        return Path(on_path)
    if not UNPACKED.is_file():
        _download(UNPACKED)
    return UNPACKED


def _download(target: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise PromtoolMissingError(ADVICE)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        folder = Path(name)
        # Without lists of packages, as in a fresh container: into a folder of our own.
        own = ("-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache")
        reasons = _fetch(folder, ())
        if reasons:
            for part in ("lists/partial", "cache/archives/partial"):
                (folder / part).mkdir(parents=True)
            _apt(folder, *own, "update")
            reasons = _fetch(folder, own)
        if reasons:
            raise PromtoolMissingError("\n".join((ADVICE, *reasons)))
        package = next(folder.glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", str(package), str(folder / "tree")], check=True)
        # Another process may be doing the same.
        (folder / "tree/usr/bin/promtool").replace(target)


def _fetch(folder: Path, options: tuple[str, ...]) -> list[str]:
    """Downloads the package; what apt said of each name where none was had."""
    reasons = []
    for package in PACKAGES:
        done = _apt(folder, *options, "download", package)
        if done.returncode == 0:
            return []
        reasons.append(f"apt-get download {package}: {done.stderr.strip()[-300:]}")
    return reasons


def _apt(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*APT, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
