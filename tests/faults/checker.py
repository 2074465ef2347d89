"""Holds what the clients were told against the database, the streams and what the plugins did."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

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
    """What PostgreSQL holds. `said` counts the messages of a dialog by who sent them.

    `audited` counts the ends of calls, `events` the audit rows of each event; `outbox` has the
    stream of each, and `erased` those that no stream tells any more.
    """

    responses: dict[Key, bytes | None] = field(default_factory=dict)
    calls: list[StoredCall] = field(default_factory=list)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)
    audited: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    outbox: dict[str, str] = field(default_factory=dict)
    erased: frozenset[str] = frozenset()


# The bodies of each stream's entries, in their order.
Streams: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]
CALLS = "plugin:invocations:"


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


def check(log: Log, stored: Stored, streams: Streams, ledgers: Ledgers) -> Findings:
    """The six invariants; each message has a dialog of its own.

    I1 what was acknowledged is stored. I2 one row a key. I3 final answers replay equal. I4 every
    call reaches one end. I5 the audit log has each event once, and the streams hold all of the
    outbox. I6 the only 5xx is 503 with `Retry-After`.
    """
    found = Findings()
    _answers(log, stored, found)  # I1, I3
    _calls(log, stored, found)  # I2, I4
    _messages(stored, found)  # I2
    _acts(stored, ledgers, found)
    of_calls = [body for stream, bodies in streams.items() if stream.startswith(CALLS)
                for body in bodies]  # fmt: skip
    _entries(stored, of_calls, found)  # I4, I5
    _events(stored, streams, found)  # I5
    _refusals(log, found)  # I6
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
    for key in stored.responses.keys() & log.keys:
        if not of_key[key]:
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


def _events(stored: Stored, streams: Streams, found: Findings) -> None:
    for event_id, stream in stored.outbox.items():
        times = stored.events[event_id]
        if times != 1:
            found.faults.append(f"the audit log has an event of {stream} {times} times")
    for event_id in stored.events.keys() - stored.outbox.keys():
        found.faults.append(f"the event {event_id} is audited, and not in the outbox")
    told = {(body["event_id"], stream) for stream, bodies in streams.items() for body in bodies}
    kept = {pair for pair in stored.outbox.items() if pair[0] not in stored.erased}
    found.lost += [f"an event of {stream}" for _, stream in sorted(kept - told)]
    found.faults += [f"{stream} tells of {event_id}, which was never committed"
                     for event_id, stream in sorted(told - kept)]  # fmt: skip


def _refusals(log: Log, found: Findings) -> None:
    for (status, when), times in log.server_errors.items():
        if status != 503:
            found.faults.append(f"{times} requests were answered {status}")
        elif not when:
            found.faults.append(f"{times} requests were answered 503 without Retry-After")


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
    events = await connection.fetch(
        "SELECT event_id::text, count(*) FROM audit_logs WHERE event_id IS NOT NULL GROUP BY 1"
    )
    outbox = await connection.fetch(
        "SELECT event_id::text, stream, body = '{}' AS erased FROM outbox"
    )
    return Stored(
        responses={Key(row["dialog_id"], row["message_id"]): row["response"] for row in keys},
        calls=[
            StoredCall(Key(row["dialog_id"], row["message_id"]), *list(row)[2:]) for row in calls
        ],
        said=Counter({(row[0], row[1]): row[2] for row in said}),
        audited=Counter({(row[0], row[1]): row[2] for row in audited}),
        events=Counter({row[0]: row[1] for row in events}),
        outbox={row[0]: row[1] for row in outbox},
        erased=frozenset(row[0] for row in outbox if row[2]),
    )


def entry_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """A stream's entry as an event's body."""
    return {**fields, "payload": orjson.loads(fields["payload"])}
