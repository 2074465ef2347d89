"""Whether a plugin's misbehaviour came to what the table says."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from tests.faults.bot import Reply
from tests.faults.plugins.behaviours import Case
from tests.faults.raw import Call

EARLY_SECONDS = 0.05  # of a Retry-After: timers of two processes
# Of the API's process, from the first turn's end to the last's: pools, caches and arenas grow a
# little; an answer, a connection or a task that is kept for each call grows with the turns.
MOST_DESCRIPTORS = 8
MOST_MEMORY_MIB = 48


@dataclass
class Observed:
    """One message to a plugin that does wrong, timed by the bot.

    `lag_ms` is of the machine: what the suite overslept, and the API waited for a processor.
    """

    first: Reply
    lag_ms: float
    last: Reply
    again: Reply
    read: Reply
    calls: list[Call]
    stored: list[tuple[str, str | None, bool]]
    events: list[str]
    deadline_ms: float
    next: Reply | None = None


@dataclass
class Held:
    """What a process holds. `sockets`: to the plugins, by what they do wrong."""

    descriptors: int
    memory_kib: int
    sockets: Counter[str] = field(default_factory=Counter)


def judge(case: Case, seen: Observed, grace_ms: float) -> list[str]:
    """What is not as the table says."""
    found = (*_answers(case, seen, grace_ms), *_stored(case, seen), *_attempts(case, seen))
    return [f"{case.name}: {text}" for text in found]


def _answers(case: Case, seen: Observed, grace_ms: float) -> Iterable[str]:
    allowed = seen.deadline_ms + grace_ms + seen.lag_ms
    if seen.first.milliseconds > allowed:
        yield f"the bot waited {seen.first.milliseconds:.0f} ms, not {allowed:.0f} at most"
    first = (seen.first.status, seen.first.said.get("status"))
    expected = (202, "queued") if case.late else (200, _final(case))
    if first != expected:
        yield f"the first answer is {first}, code {seen.first.code}; expected is {expected}"
    if (seen.last.status, seen.last.said.get("status")) != (200, _final(case)):
        yield f"the last answer is {seen.last.status} {seen.last.said.get('status')}"
    if seen.last.code != case.code:
        yield f"the code is {seen.last.code}, not {case.code}"
    if seen.first.status == 202 and "Location" not in seen.first.headers:
        yield "the 202 does not say where the answer will be"
    if not seen.last.body == seen.again.body == seen.read.body:
        yield "the stored answer differs from the one that was sent"
    if seen.next is not None and (seen.next.status, seen.next.said.get("status")) != (
        200, "accepted",
    ):  # fmt: skip
        yield f"the next message got {seen.next.status} {seen.next.code}: another call's answer"
    if seen.next is not None and "again" in seen.next.body.decode():
        yield "the next message got the second answer of the one before"


def _final(case: Case) -> str:
    return "accepted" if case.code is None else "failed"


def _stored(case: Case, seen: Observed) -> Iterable[str]:
    expected = [(case.call_status, case.code, case.code is None)]
    if seen.stored != expected:
        yield f"stored is {seen.stored}, not {expected}"
    end = {"succeeded": "plugin_invocation_completed", "timeout": "plugin_timeout"}
    ends = [name for name in seen.events if name not in
            ("plugin_invocation_started", "plugin_invocation_queued")]  # fmt: skip
    if ends != [end.get(case.call_status, "plugin_failed")]:
        yield f"the end is told as {ends}"
    if case.late and "plugin_invocation_queued" not in seen.events:
        yield "no plugin_invocation_queued tells that it waits"


def _attempts(case: Case, seen: Observed) -> Iterable[str]:
    ids = {call.invocation_id for call in seen.calls}
    if len(ids) > 1:
        yield f"the attempts had {len(ids)} invocation ids"
    if any(call.headers.get("x-invocation-id") != call.invocation_id for call in seen.calls):
        yield "X-Invocation-Id is not the body's"
    if not all(_tells_time(call, case, seen.deadline_ms) for call in seen.calls):
        yield "X-Deadline-Ms is not what remains, in whole milliseconds"
    if case.greet is None and not seen.calls:
        yield "the plugin was never called"
    if case.most is not None and len(seen.calls) > case.most:
        yield f"{len(seen.calls)} attempts, where nothing may be repeated"
    gaps = [later.at - call.at for call, later in pairwise(seen.calls)]
    if gaps and min(gaps) < case.wait - EARLY_SECONDS:
        yield f"the next attempt came after {min(gaps):.2f} s, before Retry-After"


def _tells_time(call: Call, case: Case, deadline_ms: float) -> bool:
    """A worker that calls again has a deadline of its own, which may be longer than the bot's."""
    told = call.headers.get("x-deadline-ms", "")
    return told.isdecimal() and (case.late or 0 <= int(told) <= deadline_ms)


def judge_leaks(process: str, first: Held, last: Held) -> list[str]:
    """Of one process after the first turn and after the last."""
    found = [f"{number} connections to the plugin of {name!r}"
             for name, number in sorted(last.sockets.items()) if number > 1]  # fmt: skip
    if (more := last.descriptors - first.descriptors) > MOST_DESCRIPTORS:
        found.append(f"{more} descriptors more than after the first turn")
    if (more := (last.memory_kib - first.memory_kib) // 1024) > MOST_MEMORY_MIB:
        found.append(f"{more} MiB more than after the first turn")
    return [f"{process} still holds {text}" for text in found]
