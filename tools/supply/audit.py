"""`make audit`: what is known against the locked packages. It asks osv.dev and npm's registry.

Exit code: 0 nothing is known; 1 something is; 2 it could not look, which is never taken for
nothing. Each look has a package with it of which a vulnerability is known: where that one is not
found, the answer is not worth anything.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tools.contract import ROOT
from tools.redocly import NODE, NPM
from tools.supply.locked import DEVELOPMENT, RUNTIME, Package, read, write_project
from tools.supply.sbom import project_version

CLEAN, KNOWN, BLIND = 0, 1, 2
SECONDS = 300
# CVE-2024-5569; below 3.19.1.
CANARY = Package("zipp", "3.19.0", None, ())
SECURITY_TXT = ROOT / "docs" / "security.txt"
SOON = timedelta(days=30)


class BlindError(Exception):
    """It could not look; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--service", help="another service of OSV's form than osv.dev")
    parser.add_argument("--registry", help="another registry of npm's form")
    options = parser.parse_args(arguments)
    worst = CLEAN
    looks: dict[str, Callable[[], list[str]]] = {
        "python": lambda: python(options.service),
        "node": lambda: node(options.registry),
        "security.txt": lambda: expiry(SECURITY_TXT.read_text(), datetime.now(UTC)),
    }
    for name, look in looks.items():
        try:
            found = look()
        except BlindError as error:
            print(f"· {name}: could not look: {error}")
            worst = BLIND
            continue
        print(*(f"✗ {name}: {each}" for each in found), sep="\n" if found else "", end="")
        print("\n" if found else f"✓ {name}: nothing is known\n", end="")
        worst = max(worst, KNOWN if found else CLEAN)
    return worst


def python(service: str | None) -> list[str]:
    """Raises BlindError."""
    packages = read(RUNTIME, DEVELOPMENT)
    if any(package.name == CANARY.name for package in packages):
        raise BlindError(f"{CANARY.name} is locked by now: choose another canary")
    report = _uv_audit([*packages, CANARY], service)
    audited = report["summary"]["audited_packages"]
    if audited != len(packages) + 1:
        raise BlindError(f"uv asked about {audited} packages of {len(packages) + 1}")
    known = [(each["dependency"]["name"], each) for each in report["vulnerabilities"]]
    if CANARY.name not in {name for name, _ in known}:
        raise BlindError(f"the service knows nothing of {CANARY.purl}, which is vulnerable")
    return [
        f"{name} {each['dependency']['version']}: {each['id']} {each['summary'] or ''},"
        f" mended in {', '.join(each['fix_versions']) or 'no version yet'}"
        for name, each in known
        if name != CANARY.name
    ]


def _uv_audit(packages: list[Package], service: str | None) -> dict[str, Any]:
    command = [
        sys.executable, "-m", "uv", "audit", "--frozen", "--quiet", "--no-cache",
        "--output-format=json", "--preview-features=audit-command,json-output",
        *(["--service-url", service] if service else []),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), packages, project_version())
        done = _run(command, Path(folder), {})
    # 1 is its word for what is known; without a report it is none.
    if done.returncode not in {CLEAN, KNOWN}:
        raise BlindError(_last_line(done.stderr) or f"uv ended with {done.returncode}")
    return _report(done)


def node(registry: str | None) -> list[str]:
    """Of the tools that `make check` runs; none is part of the product. Raises BlindError."""
    command = [str(NODE), str(NPM), "audit", "--package-lock-only", "--json"]
    given = {"npm_config_registry": registry} if registry else {}
    with tempfile.TemporaryDirectory() as cache:
        done = _run(
            command, ROOT, {"npm_config_cache": cache, "npm_config_fetch_retries": "1", **given}
        )
    report = _report(done)
    if "vulnerabilities" not in report:
        raise BlindError(str(report.get("message") or report.get("error") or "no report")[:200])
    return [
        f"{name} {each['range']}: {each['severity']}"
        for name, each in report["vulnerabilities"].items()
    ]


def expiry(text: str, now: datetime) -> list[str]:
    """A security.txt that is out of date is worse than none (RFC 9116)."""
    dates = [
        line.partition(":")[2].strip()
        for line in text.splitlines()
        if line.lower().startswith("expires:")
    ]
    if len(dates) != 1:
        return ["it needs one Expires"]
    ends = datetime.fromisoformat(dates[0])
    return [f"it expires at {dates[0]}: set a later day"] if ends < now + SOON else []


def _run(
    command: list[str], folder: Path, more: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, cwd=folder, env=os.environ | more, timeout=SECONDS,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BlindError(f"no answer within {SECONDS} s") from None


def _report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise BlindError(_last_line(done.stderr) or "no report") from None
    if not isinstance(found, dict):
        raise BlindError("no report")
    return found


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


if __name__ == "__main__":
    sys.exit(main())
