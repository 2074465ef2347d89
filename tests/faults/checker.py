"""Holds what the clients were told against the database, the streams and what the plugins did."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.faults.log import Key, Log

TERMINAL = {"succeeded", "failed", "timeout", "rejected"}
# How the one end of a call is told, by its status.
ENDS = {
    "succeeded": "plugin_invocation_completed",
    "failed": "plugin_failed",
    "timeout": "plugin_timeout",
    "rejected": "plugin_failed",
}


@dataclass(frozen=True, slots=True)
class StoredCall:
    key: Key
    plugin_id: str
    invocation_id: str
    status: str
    error_code: str | None = None
    attempt: int = 1
    finished: bool = True
    replaces: str | None = None


@dataclass
class Stored:
    """What PostgreSQL holds. `said` counts the messages of a dialog by who sent them."""

    responses: dict[Key, bytes | None] = field(default_factory=dict)
    calls: list[StoredCall] = field(default_factory=list)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    audited: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass
class Findings:
    """`lost` and `doubled` name messages; `faults` is everything else that is not as promised."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [*(f"lost: {text}" for text in self.lost),
                *(f"doubled: {text}" for text in self.doubled), *self.faults]  # fmt: skip


@dataclass
class Ledgers:
    """What the plugins did: actions by invocation_id, and the ids under which a dialog came."""

    actions: Counter[str] = field(default_factory=Counter)
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


def check(
    log: Log, stored: Stored, entries: Iterable[Mapping[str, Any]], ledgers: Ledgers
) -> Findings:
    """`entries`: the bodies of `plugin:invocations:*`. Each message has a dialog of its own."""
    found = Findings()
    _answers(log, stored, found)
    _calls(log, stored, found)
    _messages(stored, found)
    _acts(stored, ledgers, found)
    _entries(stored, list(entries), found)
    return found


def _answers(log: Log, stored: Stored, found: Findings) -> None:
    for key, bodies in log.final_bodies().items():
        if len(bodies) > 1:
            found.faults.append(f"{key.message_id} was answered in {len(bodies)} ways")
        kept = stored.responses.get(key)
        if kept is not None and bodies != {kept}:
            found.faults.append(f"{key.message_id} was answered otherwise than it is stored")
    for key in sorted(log.acknowledged):
        if key not in stored.responses:
            found.lost.append(key.message_id)
        elif stored.responses[key] is None:
            found.lost.append(f"{key.message_id}, which never got an answer")
    for key in sorted(stored.responses.keys() - log.keys):
        found.faults.append(f"{key.message_id} is stored, and nobody sent it")


def _calls(log: Log, stored: Stored, found: Findings) -> None:
    of_key = Counter(call.key for call in stored.calls if call.replaces is None)
    found.doubled += [f"{key.message_id} has {n} calls" for key, n in of_key.items() if n > 1]
    for call in stored.calls:
        if call.status not in TERMINAL or not call.finished:
            found.faults.append(f"the call of {call.key.message_id} is {call.status} for ever")
    for key in stored.responses:
        if key in log.keys and not of_key[key]:
            found.faults.append(f"{key.message_id} has no call")


def _messages(stored: Stored, found: Findings) -> None:
    answered = {call.key.dialog_id for call in stored.calls if call.status == "succeeded"}
    for key in stored.responses:
        user, plugin = (stored.said[key.dialog_id, who] for who in ("user", "plugin"))
        if user != 1:
            found.doubled.append(f"{key.message_id} stands {user} times in its dialog")
        if plugin != int(key.dialog_id in answered):
            found.doubled.append(f"{key.message_id} has {plugin} answers in its dialog")


def _acts(stored: Stored, ledgers: Ledgers, found: Findings) -> None:
    known = {call.invocation_id for call in stored.calls}
    for invocation_id, times in ledgers.actions.items():
        if times > 1:
            found.doubled.append(f"the plugin acted {times} times on {invocation_id}")
        if invocation_id not in known:
            found.faults.append(f"the plugin was called with {invocation_id}, which is not stored")
    for dialog_id, ids in ledgers.ids.items():
        if len(ids) > 1:
            found.doubled.append(f"the message of dialog {dialog_id} was sent with {len(ids)} ids")


def _entries(stored: Stored, entries: list[Mapping[str, Any]], found: Findings) -> None:
    """Of each call one beginning or more, and one end, in the streams as in the audit log."""
    told: dict[str, list[str]] = defaultdict(list)
    seen: set[str] = set()
    for body in entries:
        if body["event_id"] not in seen:  # published at least once; the id tells repeats
            seen.add(body["event_id"])
            told[body["payload"]["invocation_id"]].append(body["event_type"])
    for call in stored.calls:
        events, end = told[call.invocation_id], ENDS.get(call.status)
        ends = [name for name in events if name in ENDS.values()]
        if ends != [end]:
            found.faults.append(f"the stream tells {ends or 'no end'} of a call that {call.status}")
        elif events[-1] != end:
            found.faults.append(f"the stream tells more of a call after its end: {events}")
        if not any(name not in ENDS.values() for name in events):
            found.faults.append(f"the stream tells no beginning of a call that {call.status}")
        audited = stored.audited[call.invocation_id, end or ""]
        if audited != 1:
            found.faults.append(f"the audit log tells {audited} times that a call {call.status}")


async def read_stored(connection: Any) -> Stored:
    """Everything that stands in the database: each run has one of its own."""
    keys = await connection.fetch("SELECT dialog_id::text, message_id, response FROM message_keys")
    calls = await connection.fetch(
        "SELECT dialog_id::text, message_id, plugin_id::text, invocation_id::text, status,"
        " error_code, attempt, finished_at IS NOT NULL AS finished,"
        " replaces::text FROM plugin_calls"
    )
    said = await connection.fetch(
        "SELECT dialog_id::text, sender_type, count(*) FROM messages GROUP BY 1, 2"
    )
    audited = await connection.fetch(
        "SELECT details->>'invocation_id' AS call, action, count(*) FROM audit_logs"
        " WHERE source = 'core' AND details ? 'invocation_id' GROUP BY 1, 2"
    )
    return Stored(
        responses={Key(row["dialog_id"], row["message_id"]): row["response"] for row in keys},
        calls=[
            StoredCall(Key(row["dialog_id"], row["message_id"]), *list(row)[2:]) for row in calls
        ],
        said=Counter({(row[0], row[1]): row[2] for row in said}),
        audited=Counter({(row[0], row[1]): row[2] for row in audited}),
    )


def entry_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """A stream's entry as an event's body."""
    return {**fields, "payload": orjson.loads(fields["payload"])}
