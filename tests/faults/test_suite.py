"""The suite bites: each mistake that a row is there for is found where it was made on purpose."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.bot import Reply
from tests.faults.checker import Ledgers, Stored, StoredCall, check
from tests.faults.errors import CannotRunError
from tests.faults.groups import Fault, Run, run_row
from tests.faults.log import Key, Log, percentile
from tests.faults.plugins import beside, misbehaving, storm, watchers
from tests.faults.plugins.behaviours import TABLE, Case, hang
from tests.faults.raw import Call, Worker
from tests.faults.results import Row, exit_code, page, table, write_json
from tests.faults.scale import SMALL
from tests.faults.world import Servers

KEY = Key("d-1", "m-1")
CALL = StoredCall(KEY, "p-1", "i-1", "succeeded")
FINAL = b'{"status": "accepted"}'


class Told:
    """One message that went well, in every place that is compared; a test breaks one of them."""

    def __init__(self) -> None:
        self.log = Log()
        self.log.note(KEY, "invoke")
        self.log.note(KEY, "ok", 200, FINAL, 5)
        self.stored = Stored(
            responses={KEY: FINAL},
            calls=[CALL],
            said=Counter({("d-1", "user"): 1, ("d-1", "plugin"): 1}),
            audited=Counter({("i-1", "plugin_invocation_completed"): 1}),
        )
        self.entries = [entry("plugin_invocation_started"), entry("plugin_invocation_completed")]
        self.ledgers = Ledgers(actions=Counter({"i-1": 1}))
        self.ledgers.ids["d-1"].add("i-1")

    def found(self) -> tuple[int, int, int]:
        found = check(self.log, self.stored, self.entries, self.ledgers)
        return len(found.lost), len(found.doubled), len(found.faults)


def entry(event_type: str, event_id: str = "") -> dict[str, Any]:
    payload = {"invocation_id": "i-1"}
    return {"event_id": event_id or str(uuid4()), "event_type": event_type, "payload": payload}


def test_what_went_well_is_found_well() -> None:
    assert Told().found() == (0, 0, 0)


def test_an_entry_that_was_published_again_is_one() -> None:
    told = Told()
    told.entries.append(told.entries[-1])
    assert told.found() == (0, 0, 0)


def lost(told: Told) -> None:
    told.stored = Stored()
    told.entries, told.ledgers = [], Ledgers()


def never_answered(told: Told) -> None:
    told.stored.responses[KEY] = None


def two_calls(told: Told) -> None:
    told.stored.calls.append(replace(CALL, invocation_id="i-1"))


def two_rows(told: Told) -> None:
    told.stored.said["d-1", "user"] += 1


def two_answers(told: Told) -> None:
    told.stored.said["d-1", "plugin"] += 1


def acted_twice(told: Told) -> None:
    told.ledgers.actions["i-1"] += 1


def two_ids(told: Told) -> None:
    told.ledgers.ids["d-1"].add("i-2")


def unknown_id(told: Told) -> None:
    told.ledgers.actions["i-2"] = 1


def other_bytes(told: Told) -> None:
    told.log.note(KEY, "ok", 200, FINAL + b" ", 5)


def open_for_ever(told: Told) -> None:
    told.stored.calls = [replace(CALL, status="in_progress", finished=False)]


def no_end_in_the_stream(told: Told) -> None:
    del told.entries[-1]


def two_ends_in_the_stream(told: Told) -> None:
    told.entries.append(entry("plugin_timeout"))


def end_before_the_beginning(told: Told) -> None:
    told.entries.reverse()


def not_audited(told: Told) -> None:
    told.stored.audited.clear()


BREAKS: list[tuple[Callable[[Told], None], tuple[int, int]]] = [
    (lost, (1, 0)), (never_answered, (1, 0)),
    (two_calls, (0, 1)), (two_rows, (0, 1)), (two_answers, (0, 1)),
    (acted_twice, (0, 1)), (two_ids, (0, 1)),
    (unknown_id, (0, 0)), (other_bytes, (0, 0)), (open_for_ever, (0, 1)),
    (no_end_in_the_stream, (0, 0)), (two_ends_in_the_stream, (0, 0)),
    (end_before_the_beginning, (0, 0)), (not_audited, (0, 0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "counts"), BREAKS, ids=lambda item: getattr(item, "__name__", "")
)
def test_the_checker_finds(broken: Callable[[Told], None], counts: tuple[int, int]) -> None:
    told = Told()
    broken(told)
    found = told.found()
    assert found[:2] == counts
    assert sum(found) > 0


def call(invocation_id: str) -> Call:
    body = {"invocation_id": invocation_id, "dialog_id": "d-1", "payload": {"text": "Hello!"}}
    return Call(0, {}, body)


@pytest.mark.parametrize(("forgetful", "actions"), [(False, 1), (True, 2)])
def test_the_ledger_tells_who_acts_twice(forgetful: bool, actions: int) -> None:
    worker = Worker(forgetful=forgetful)
    assert (worker.act(call("i-1")) == worker.act(call("i-1"))) is not forgetful
    assert worker.ledgers.actions == {"i-1": actions}
    assert worker.deliveries == {"i-1": 2}


def reply(status: int, said: str | None = None, code: str | None = None, ms: float = 5) -> Reply:
    members = {"status": said, "code": code}
    known: dict[str, Any] = {name: text for name, text in members.items() if text is not None}
    return Reply(status, json.dumps(known).encode(), known, {}, ms)


GOOD, BUSY = reply(200, "accepted"), reply(409, None, "message_in_flight")


@pytest.mark.parametrize(
    ("replies", "retried", "sent", "faults"),
    [
        ([GOOD, BUSY, reply(202, "queued")], [GOOD, GOOD], 1, 0),
        ([GOOD, reply(500)], [GOOD, GOOD], 1, 1),
        ([GOOD, reply(409, None, "plugin_conflict")], [GOOD, GOOD], 1, 1),
        ([GOOD, GOOD], [GOOD, reply(200, "failed")], 1, 1),
        ([GOOD, BUSY], [GOOD, BUSY], 1, 1),
        ([GOOD, GOOD], [GOOD, GOOD], 2, 1),
        ([GOOD, GOOD], [GOOD, GOOD], 0, 1),
    ],
)
def test_the_storm_finds(
    replies: list[Reply], retried: list[Reply], sent: int, faults: int
) -> None:
    assert len(storm.judge(KEY, replies, retried, sent)) == faults


MISSED, RECOVERED = watchers.MISSED, watchers.RECOVERED


@pytest.mark.parametrize(
    ("told", "excused", "counts"),
    [
        ([MISSED, RECOVERED], 0, (0, 0, 0)),
        ([MISSED, MISSED, RECOVERED], 0, (0, 1, 2)),
        ([MISSED, RECOVERED, RECOVERED], 0, (0, 1, 2)),
        ([MISSED], 0, (1, 0, 1)),
        ([], 0, (2, 0, 2)),
        ([RECOVERED, MISSED], 0, (0, 0, 1)),
        ([MISSED, RECOVERED] * 2, 0, (0, 2, 2)),
        ([MISSED, RECOVERED] * 2, 1, (0, 0, 0)),
    ],
)
def test_the_watchers_row_finds(
    told: list[str], excused: int, counts: tuple[int, int, int]
) -> None:
    found = watchers.judge("p", 1, excused, told, "plugin_events")
    assert (found.lost, found.doubled, len(found.faults)) == counts


def test_the_row_beside_finds_what_hangs_with_it() -> None:
    assert beside.judge([20, 21, 400], [30, 31, 32], 25) == []  # one noisy round is none
    assert beside.judge([20, 21, 22], [40, 2000, 2001], 25) != []


def wrong(name: str) -> Case:
    (found,) = [case for case in TABLE if case.name == name]
    return found


def seen(**changed: Any) -> misbehaving.Observed:
    """A 500 that was treated as it must be."""
    failed = reply(200, "failed", "plugin_rejected")
    usual: dict[str, Any] = {
        "first": failed, "lag_ms": 0, "last": failed, "again": failed, "read": failed,
        "calls": [Call(1.0, {"x-invocation-id": "i-1"}, {"invocation_id": "i-1"})],
        "stored": [("failed", "plugin_rejected", False)],
        "events": ["plugin_invocation_started", "plugin_failed"], "deadline_ms": 2000,
    }  # fmt: skip
    return misbehaving.Observed(**(usual | changed))


def test_a_500_that_is_treated_well() -> None:
    assert misbehaving.judge(wrong("500"), seen(), 100) == []


AGAIN = Call(1.2, {"x-invocation-id": "i-1"}, {"invocation_id": "i-1"})
OTHER = Call(1.2, {"x-invocation-id": "i-2"}, {"invocation_id": "i-2"})


@pytest.mark.parametrize(
    "changed",
    [
        {"first": reply(200, "failed", "plugin_rejected", ms=2101)},
        {"first": reply(502)},
        {"last": reply(200, "failed", "plugin_timeout")},
        {"again": reply(200, "failed", "plugin_rejected", ms=5)._replace(body=b"{}")},
        {"read": reply(404)},
        {"stored": []},
        {"stored": [("failed", "plugin_rejected", False)] * 2},
        {"stored": [("failed", "plugin_rejected", True)]},
        {"events": ["plugin_invocation_started"]},
        {"events": ["plugin_invocation_started", "plugin_failed", "plugin_timeout"]},
        {"calls": []},
        {"calls": [*seen().calls, AGAIN]},
    ],
)
def test_the_table_finds(changed: dict[str, Any]) -> None:
    assert misbehaving.judge(wrong("500"), seen(**changed), 100) != []


def test_the_table_finds_attempts_with_two_ids_and_one_that_came_too_early() -> None:
    case = replace(wrong("429, Retry-After: 1"), code="plugin_rejected")
    waited = [*seen().calls, replace(AGAIN, at=2.0)]
    assert misbehaving.judge(case, seen(calls=waited), 100) == []
    assert misbehaving.judge(case, seen(calls=[*seen().calls, AGAIN]), 100) != []
    other = replace(case, wait=0)
    assert misbehaving.judge(other, seen(calls=[*seen().calls, OTHER]), 100) != []


def test_the_table_finds_an_answer_of_another_call() -> None:
    case = wrong("answers twice")
    good = seen(
        first=GOOD, last=GOOD, again=GOOD, read=GOOD, stored=[("succeeded", None, True)],
        events=["plugin_invocation_started", "plugin_invocation_completed"], next=GOOD,
    )  # fmt: skip
    assert misbehaving.judge(case, good, 100) == []
    mixed_up = replace(good, next=GOOD._replace(body=b'{"content": "again"}'))
    assert misbehaving.judge(case, mixed_up, 100) != []
    assert misbehaving.judge(case, replace(good, next=reply(200, "failed")), 100) != []


@pytest.mark.parametrize(
    ("last", "faults"),
    [
        (misbehaving.Held(24, 100 * 1024, Counter({"hangs": 1})), 0),
        (misbehaving.Held(50, 100 * 1024), 1),
        (misbehaving.Held(20, 200 * 1024), 1),
        (misbehaving.Held(20, 100 * 1024, Counter({"hangs": 3})), 1),
    ],
)
def test_the_table_finds_leaks(last: misbehaving.Held, faults: int) -> None:
    assert len(misbehaving.judge_leaks(misbehaving.Held(20, 100 * 1024), last)) == faults


def run_with(scale: Any = SMALL) -> Run:
    import random

    return Run(Servers("postgresql://nowhere", "none"), scale, random.Random(1), lambda _: None)


async def test_a_row_that_cannot_be_run_is_no_pass() -> None:
    async def impossible(_run: Run, row: Row) -> None:
        row.requests = 5
        raise CannotRunError("no server")

    async def mistaken(_run: Run, _row: Row) -> None:
        raise KeyError("x")

    async def without_requests(_run: Run, _row: Row) -> None:
        pass

    for body in (impossible, mistaken, without_requests):
        row = await run_row(Fault("plugins", "x", body), run_with())
        assert row.verdict == "NOT RUN"
        assert exit_code([Row("plugins", "good", requests=1), row]) == 2


async def test_a_row_that_does_not_end_fails() -> None:
    async def endless(_run: Run, row: Row) -> None:
        row.requests = 1
        await hang_for_ever()

    row = await run_row(Fault("plugins", "x", endless), run_with(replace(SMALL, row_seconds=0.05)))
    assert row.verdict == "FAIL"
    assert exit_code([row, Row("plugins", "not run")]) == 1


async def hang_for_ever() -> None:
    import asyncio

    await asyncio.Event().wait()


def test_a_run_is_told_to_people_and_to_machines(tmp_path: Path) -> None:
    rows = [
        Row("plugins", "good", rounds=2, requests=7, acknowledged=3, p99_ms=12.34, notes=["well"]),
        Row("plugins", "bad", requests=7, lost=1, faults=["lost: m-1"]),
    ]
    path = write_json(rows, tmp_path, seed=1)
    document = json.loads(path.read_text())
    assert (document["seed"], document["exit_code"]) == (1, 1)
    assert [row["verdict"] for row in document["rows"]] == ["PASS", "FAIL"]
    assert document["rows"][0]["p99_ms"] == 12.3
    assert table(rows).splitlines()[2].split()[-7:] == ["2", "7", "3", "0", "0", "12", "PASS"]
    text = page(rows, command="make faults", seed=1, day="2026-01-02")
    assert "| plugins: bad | 0 | 7 | 0 | 1 | 0 | - | FAIL |" in text
    assert "lost: m-1" in text
    assert exit_code([]) == 2


def test_the_table_of_wrong_behaviour_is_whole() -> None:
    names = [case.name for case in TABLE]
    assert len(set(names)) == len(names)
    assert hang in {case.behave for case in TABLE}
    assert percentile([], 0.99) is None
    assert percentile(range(1, 101), 0.99) == 99
