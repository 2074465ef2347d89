"""No secret is committed: detect-secrets over every file that git has, offline.

python -m tools.supply.committed            exit 1 where something looks like one
python -m tools.supply.committed --update   write it into the baseline; the reasons are yours

The baseline names what only looks like a secret, by file, with the reason. Our own tokens carry a
checksum: one that is right is a token, and no reason helps.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from detect_secrets.core.scan import scan_file
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.settings import get_plugins, transient_settings

from impl.tokens.format import parse
from tools.contract import ROOT

BASELINE = ROOT / "tools" / "supply" / "baseline.yaml"
UNKNOWN = "?"
# Made by a tool, of what is looked at itself or of hashes alone.
MADE = (
    "contracts/released/", "deploy/alerts.yaml", "deploy/grafana.json", "docs/CONTRACTS/",
    "generated/", "package-lock.json", "requirements/", "tools/supply/baseline.yaml",
)  # fmt: skip
# By the form that an issuer gives them: these are told from anything else.
OF_A_FORM = (
    "AWSKeyDetector", "ArtifactoryDetector", "AzureStorageKeyDetector", "DiscordBotTokenDetector",
    "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "NpmDetector",
    "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector",
    "SlackDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)  # fmt: skip
# By a name beside them, or because they look random. In tests every password is made up.
BY_LOOKS = (
    "BasicAuthDetector",
    "HexHighEntropyString",
    "Base64HighEntropyString",
    "KeywordDetector",
)
FILTERS = (
    "detect_secrets.filters.heuristic.is_indirect_reference",
    "detect_secrets.filters.heuristic.is_likely_id_string",
    "detect_secrets.filters.heuristic.is_prefixed_with_dollar_sign",
    "detect_secrets.filters.heuristic.is_sequential_string",
    "detect_secrets.filters.heuristic.is_templated_secret",
    "detect_secrets.filters.heuristic.is_potential_uuid",
)

SHAPE = re.compile(r"bc_[a-z]+_[0-9A-Za-z]+_[0-9A-Za-z]+_[0-9A-Za-z]+")

CHUNKS, FEW = 32, 100  # of files

# By file: digests, each with the line that it stands in.
Found = dict[str, dict[str, str]]


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--update", action="store_true")
    found = scan(root, committed(root))
    known: dict[str, Any] = yaml.safe_load(BASELINE.read_text()) or {}
    if parser.parse_args(arguments).update:
        write_baseline(found, known)
        return 0
    complaints = list(compare(found, known))
    print(*complaints, sep="\n")
    return 1 if complaints else 0


def committed(root: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = [name for name in listed.split("\0") if name and not name.startswith(MADE)]
    return sorted(name for name in names if (root / name).is_file())


def scan(root: Path, names: Sequence[str]) -> Found:
    parts = [(root, names[start::CHUNKS]) for start in range(min(CHUNKS, len(names)))]
    found: Found = {}
    if len(names) < FEW:
        for part in parts:
            found |= scan_part(part)
    else:  # it is Python's own work: on all cores
        with ProcessPoolExecutor() as processes:
            for each in processes.map(scan_part, parts):
                found |= each
    return dict(sorted(found.items()))


def scan_part(part: tuple[Path, Sequence[str]]) -> Found:
    root, names = part
    found: Found = {}
    others = [name for name in names if not name.startswith("tests/")]
    for detectors, files in ((OF_A_FORM, names), (BY_LOOKS, others)):
        config = {
            "plugins_used": [{"name": name} for name in detectors],
            "filters_used": [{"path": path} for path in FILTERS],
        }
        with transient_settings(config):
            for name in filter(lambda name: may_hold(root / name), files):
                for secret in scan_file(str(root / name)):
                    place = f"line {secret.line_number}: {secret.type}"
                    found.setdefault(name, {})[secret.secret_hash] = place
    for name in names:
        for place in our_tokens(root / name):
            found.setdefault(name, {})[f"token of {place}"] = f"{place}: a token of ours"
    return found


def may_hold(path: Path) -> bool:
    """Whether a form is found in the whole at all: line by line each takes its time."""
    plugins = get_plugins()
    if not all(isinstance(plugin, RegexBasedDetector) for plugin in plugins):
        return True
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(form.search(text) for plugin in plugins for form in plugin.denylist)


def our_tokens(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    for match in SHAPE.finditer(text):
        if parse(match[0]) is not None:
            yield f"line {text.count(chr(10), 0, match.start()) + 1}"


def compare(found: Found, known: dict[str, Any]) -> Iterator[str]:
    for name, digests in found.items():
        expected = known.get(name, {}).get("digests", [])
        for digest, place in digests.items():
            if digest not in expected:
                yield f"{name}, {place}: if it is one, revoke it; else give the baseline a reason"
    for name, entry in known.items():
        if entry["reason"] == UNKNOWN:
            yield f"{BASELINE.name}: {name} has no reason"
        if gone := set(entry["digests"]) - set(found.get(name, {})):
            yield f"{BASELINE.name}: {name} has {len(gone)} no more (--update takes them out)"


def write_baseline(found: Found, known: dict[str, Any]) -> None:
    entries = {
        name: {"reason": known.get(name, {}).get("reason", UNKNOWN), "digests": sorted(digests)}
        for name, digests in sorted(found.items())
        if not any(digest.startswith("token of") for digest in digests)
    }
    head = BASELINE.read_text().partition("\n\n")[0]
    BASELINE.write_text(f"{head}\n\n{yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)}")


if __name__ == "__main__":
    sys.exit(main())
