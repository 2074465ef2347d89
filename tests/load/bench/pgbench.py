"""The floor's statements by pgbench: what PostgreSQL takes of them, without any Python."""

import asyncio
import re
from pathlib import Path
from statistics import quantiles
from uuid import UUID

import orjson

from impl.local.installation import program
from tests.faults.errors import CannotRunError
from tests.load.bench.wrk import Load
from tests.load.peers.settings import PeerSettings, routing
from tests.load.peers.statements import HISTORY, INTAKE, OUTCOME

# By the number of the parameter; the ids are made by the first statement.
_INTAKE = ("dialog", "bot", "user", "message", "trace", "plugin", "invocation", "payload", "call",
           "event", "news", "at", "stream", "body", "fingerprint", "routing")  # fmt: skip
_OUTCOME = ("dialog", "plugin", "invocation", "message", "trace", "said", "latency", "reply",
            "second", "news", "at", "stream", "body", "response")  # fmt: skip
_IDS = ("dialog", "trace", "invocation", "event", "second")
_DONE = re.compile(r"number of transactions actually processed: (\d+)")
_SPEED = re.compile(r"tps = ([\d.]+)")
_FAILED = re.compile(r"number of failed transactions: (\d+)")


def script() -> str:
    ids = ", ".join(f"gen_random_uuid() AS {name}" for name in _IDS)
    history = HISTORY.strip().replace("$1", "ids.dialog")
    first = f"SELECT ids.*, ({history}) AS history FROM (SELECT {ids}) AS ids \\gset"
    return f"{first}\n{_named(INTAKE, _INTAKE)};\n{_named(OUTCOME, _OUTCOME)};\n"


def _named(statement: str, names: tuple[str, ...]) -> str:
    return re.sub(r"\$(\d+)", lambda found: f":{names[int(found[1]) - 1]}", statement.strip())


def variables(settings: PeerSettings, user_id: str) -> dict[str, str]:
    """As long as those of the floor; only ids are new in each message."""
    some = str(UUID(int=7))
    payload = {"type": "text", "text": "Hello!", "attachments": []}
    news = {"status": "in_progress", "dialog_id": some, "plugin_id": some, "error_code": None,
            "started_at": "2026-01-01T00:00:00.000000+00:00", "finished_at": None,
            "invocation_id": some, "request_payload": None, "response_payload": None}  # fmt: skip
    call = {"invocation_id": some, "dialog_id": some, "user_id": some, "trace_id": some,
            "intent": None, "payload": payload, "context": {"locale": "en", "metadata": {}},
            "deadline_ms": 8000, "dry_run": False}  # fmt: skip
    body = {"event_id": some, "event_type": "plugin_invocation_started", "source": "core",
            "severity": "info", "trace_id": some, "plugin_id": some, "dialog_id": some,
            "occurred_at": news["started_at"], "payload": news}  # fmt: skip
    said: dict[str, object] = {"text": "done", "usage": None, "trace_id": some, "confidence": None,
            "attachments": [], "content_type": "text/plain", "suggested_actions": []}  # fmt: skip
    return {
        "bot": str(settings.bot_id),
        "user": user_id,
        "plugin": str(settings.plugin_id),
        "message": "m-1",  # its dialog is new
        "payload": _json(payload),
        "call": _json(call),
        "news": _json(news),
        "at": "now",
        "stream": f"plugin:invocations:{settings.plugin_id}",
        "body": _json(body),
        "fingerprint": "0" * 32,
        "routing": _json(routing(settings.plugin_id)),
        "said": _json(said),
        "latency": "1",
        "reply": _json(payload),
        "response": "r" * 290,
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


async def run_pgbench(
    dsn: str, settings: PeerSettings, user_id: str, folder: Path, *, connections: int, seconds: int
) -> Load:
    """Raises CannotRunError where it fails."""
    path, log = folder / "message.sql", folder / "pgbench"
    path.write_text(script())
    given = [f"-D{name}={text}" for name, text in variables(settings, user_id).items()]
    process = await asyncio.create_subprocess_exec(
        program("pgbench"), "-n", "-Mprepared", f"-c{connections}", "-j1", f"-T{seconds}",
        f"-f{path}", "-l", f"--log-prefix={log}", *given, dsn,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said = (await process.communicate())[0].decode()
    done, failed, speed = (found.search(said) for found in (_DONE, _FAILED, _SPEED))
    took = _times(folder)
    if process.returncode or done is None or speed is None or len(took) < 2:
        raise CannotRunError(f"pgbench ended with {process.returncode}: {said}")
    cuts = quantiles(took, n=100)
    refused = int(failed[1]) if failed else 0
    answered = int(done[1])
    # Its own count leaves out the time that connecting takes.
    return Load(answered + refused, answered / float(speed[1]), cuts[49], cuts[94], cuts[98],
                {"status": refused})  # fmt: skip


def _times(folder: Path) -> list[float]:
    """Milliseconds of each transaction, from the log, which is removed."""
    took: list[float] = []
    for log in folder.glob("pgbench.*"):
        took += [int(line.split()[2]) / 1000 for line in log.read_text().splitlines()]
        log.unlink()
    return took
