"""Generated cases: whatever the contract's schemas allow, and what they forbid, by schemathesis.

The only module that needs it: it comes with botcore[kit].
"""

import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import schemathesis
import schemathesis.openapi
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.core import EventStream
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.hooks import unregister

from impl.kit.plugin import FailedError, NotTriedError, Plugin, contract
from impl.kit.requests import LONGEST_BODY, Json, Request, curl, runs_dry

ENOUGH_MS = 8000  # where a case chooses a deadline that nobody can keep
SHOWN = 3

# Of each kind of failure what was told and the command that shows it.
Found = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Run:
    """What to generate; `progress` is told how many cases were sent so far, `stop` ends it."""

    seed: int
    examples: int
    progress: Callable[[int], None]
    stop: threading.Event


def try_operation(plugin: Plugin, operation_id: str, run: Run) -> None:
    """Raises FailedError with the first few broken promises, NotTriedError where nothing ran."""
    if operation_id == "invokePlugin":
        plugin.call()  # or it says why there can be none
    whole = schemathesis.openapi.from_dict(contract(), config=_config(plugin, run))
    schema = whole.include(operation_id=operation_id)
    with _aligned(plugin.manifest):
        found, sent, succeeded = _sent(plugin, from_schema(schema).execute(), run)
    again = f"botcore plugin check {plugin.url} --only generated.{operation_id} --seed {run.seed}"
    if plugin.token is not None:
        again = f'BOTCORE_INVOCATION_TOKEN="$TOKEN" {again}'
    if found:
        came = [f"{title}: {told}" for title, (told, _) in found.items()][:SHOWN]
        commands = [command for _, command in found.values() if command][:1]
        repeat = " or ".join([*commands, again])
        more = f" (and {len(found) - SHOWN} more)" if len(found) > SHOWN else ""
        raise FailedError("what the contract says", plugin.masked("; ".join(came)) + more, repeat)
    if not sent:
        raise NotTriedError("no case was generated")
    if not succeeded:
        raise FailedError("2xx to a good case", f"none among {sent} answers", again)


def _sent(plugin: Plugin, stream: EventStream, run: Run) -> tuple[Found, int, int]:
    """What failed, how many cases were sent, and to how many a success was answered."""
    found: Found = {}
    sent = succeeded = 0
    for event in stream:
        if run.stop.is_set():
            stream.stop()
        if isinstance(event, events.ScenarioFinished):
            sent += len(event.recorder.interactions)
            succeeded += sum(
                each.response is not None and each.response.status_code < 300
                for each in event.recorder.interactions.values()
            )
            if sent:
                run.progress(sent)
            _collect(plugin, event.recorder, found)
        elif isinstance(event, events.NonFatalError):
            found.setdefault(event.info.title, (_told(event.info.message), ""))
        elif isinstance(event, events.FatalError):
            raise FailedError("answers", _told(str(event.exception)), "")
    return found, sent, succeeded


def _config(plugin: Plugin, run: Run) -> SchemathesisConfig:
    config: Json = {
        "base-url": plugin.url.rstrip("/"),
        "seed": run.seed,
        "continue-on-failure": True,
        "request-timeout": plugin.timeout,
        "cache": {"enabled": False},
        "generation": {"mode": "all", "max-examples": run.examples, "database": "none"},
        "phases": {"stateful": {"enabled": False}},
        "warnings": False,
    }
    if plugin.token is not None:
        config["auth"] = {"openapi": {"InvocationBearer": {"bearer": plugin.token}}}
    return SchemathesisConfig.from_dict(config)


@contextmanager
def _aligned(manifest: Json | None) -> Iterator[None]:
    """What the contract's words say beyond its schemas, in cases that are meant to be accepted."""

    def before_call(
        _context: HookContext, case: Case[Any], _kwargs: MutableMapping[str, Any]
    ) -> None:
        body: Any = case.body
        good = case.meta is not None and case.meta.generation.mode.is_positive
        if not good or not isinstance(body, dict):
            return
        case.headers["X-Invocation-Id"] = body["invocation_id"]
        body["deadline_ms"] = max(body["deadline_ms"], ENOUGH_MS)
        if "X-Deadline-Ms" in case.headers:
            case.headers["X-Deadline-Ms"] = str(body["deadline_ms"])
        if runs_dry(manifest):
            body["dry_run"] = True
        for message in body["context"]["messages"]:
            if not _is_moment(message["created_at"]):
                message["created_at"] = datetime.now(UTC).isoformat()

    # The last moment before a request, whatever made the case; only global hooks have it.
    schemathesis.hook(before_call)
    try:
        yield
    finally:
        unregister(before_call)


def _is_moment(text: str) -> bool:
    """Not a second 60, nor an hour that UTC's calendar lacks."""
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return datetime(2, 1, 1, tzinfo=UTC) < moment < datetime(9998, 1, 1, tzinfo=UTC)


def _collect(plugin: Plugin, recorder: ScenarioRecorder, found: Found) -> None:
    """The first of each kind of failure, with the request that shows it."""
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            failure = check.failure_info.failure
            interaction = recorder.interactions.get(failure.case_id or case_id)
            command = _command(plugin, interaction.request) if interaction else ""
            status = ""
            if interaction is not None and interaction.response is not None:
                status = f" (answered {interaction.response.status_code})"
            told = _told(failure.message) + status
            found.setdefault(f"{check.name}: {failure.title}", (told, command))


def _command(plugin: Plugin, sent: Any) -> str:
    path = sent.uri.removeprefix(plugin.url.rstrip("/"))
    kept = {
        name: values[0]
        for name, values in sent.headers.items()
        if name.lower() not in {"content-length", "user-agent", "accept-encoding", "connection"}
        and not name.lower().startswith("x-schemathesis")
    }
    if sent.body is not None and len(sent.body) > LONGEST_BODY:
        return ""
    return curl(plugin.url, Request(sent.method, path, kept, sent.body), plugin.token)


def _told(message: str) -> str:
    return " ".join(message.split())[:400]
