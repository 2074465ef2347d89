"""The rows bite: each mistake that a row is there for is found where it was made on purpose."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.bot import Reply
from tests.faults.errors import CannotRunError
from tests.faults.instances import restarts
from tests.faults.log import Key
from tests.faults.plugins import beside, judgement, storm, watchers
from tests.faults.plugins.behaviours import TABLE, Case
from tests.faults.raw import Call, Worker

KEY = Key("d-1", "m-1")


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
        ([GOOD, BUSY], [GOOD, GOOD], 1, 0),
        ([GOOD, reply(202, "queued")], [GOOD, GOOD], 1, 1),
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


GOOD_END = [(0.2, "503"), (1.1, "refused")]


@pytest.mark.parametrize(
    ("said", "faults"),
    [
        (GOOD_END, 0),
        ([(0.01, "200"), (0.2, "silent"), *GOOD_END], 0),
        ([(0.1, "refused")], 1),
        ([(0.01, "200"), (0.5, "refused")], 1),
        ([(0.01, "200"), (0.5, "200"), (1.1, "refused")], 1),
        ([(0.2, "503"), (0.4, "200")], 1),
        ([(0.4, "500"), (1.1, "refused")], 1),
    ],
)
def test_the_restarts_find(said: restarts.Said, faults: int) -> None:
    assert len(restarts.judge([said, GOOD_END], 1.0)) == faults


@pytest.mark.parametrize("unheard", [[], [(0.4, "silent")], [(0.01, "200"), (1.2, "refused")]])
def test_restarts_that_nobody_could_hear_are_no_pass(unheard: restarts.Said) -> None:
    assert restarts.judge([GOOD_END, GOOD_END, unheard], 1.0) == []
    with pytest.raises(CannotRunError):
        restarts.judge([GOOD_END, unheard, unheard], 1.0)


def test_the_row_beside_finds_what_hangs_with_it() -> None:
    assert beside.judge("hangs", [20, 21, 400], [30, 31, 32], 25) == []  # one noisy round is none
    assert beside.judge("hangs", [20, 200, 22], [30, 300, 32], 25) == []  # nor is a busy minute
    assert beside.judge("hangs", [20, 21, 22], [40, 2000, 2001], 25) != []


def wrong(name: str) -> Case:
    (found,) = [case for case in TABLE if case.name == name]
    return found


HEADERS = {"x-invocation-id": "i-1", "x-deadline-ms": "1900"}
FIRST = Call(1.0, HEADERS, {"invocation_id": "i-1"})
AGAIN = replace(FIRST, at=1.2)
OTHER = Call(1.2, HEADERS | {"x-invocation-id": "i-2"}, {"invocation_id": "i-2"})


def seen(**changed: Any) -> judgement.Observed:
    """A 500 that was treated as it must be."""
    failed = reply(200, "failed", "plugin_rejected")
    usual: dict[str, Any] = {
        "first": failed, "lag_ms": 0, "last": failed, "again": failed, "read": failed,
        "calls": [FIRST],
        "stored": [("failed", "plugin_rejected", False)],
        "events": ["plugin_invocation_started", "plugin_failed"], "deadline_ms": 2000,
    }  # fmt: skip
    return judgement.Observed(**(usual | changed))


def test_a_500_that_is_treated_well() -> None:
    assert judgement.judge(wrong("500"), seen(), 100) == []


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
        {"calls": [FIRST, AGAIN]},
        {"calls": [replace(FIRST, headers={"x-invocation-id": "i-1"})]},
        {"calls": [replace(FIRST, headers=HEADERS | {"x-deadline-ms": "2100"})]},
        {"calls": [replace(FIRST, headers=HEADERS | {"x-invocation-id": "i-2"})]},
    ],
)
def test_the_table_finds(changed: dict[str, Any]) -> None:
    assert judgement.judge(wrong("500"), seen(**changed), 100) != []


def test_the_table_finds_attempts_with_two_ids_and_one_that_came_too_early() -> None:
    case = replace(wrong("429, Retry-After: 1"), code="plugin_rejected")
    waited = [FIRST, replace(AGAIN, at=2.0)]
    assert judgement.judge(case, seen(calls=waited), 100) == []
    assert judgement.judge(case, seen(calls=[FIRST, AGAIN]), 100) != []
    other = replace(case, wait=0)
    assert judgement.judge(other, seen(calls=[FIRST, OTHER]), 100) != []


def test_the_table_finds_an_answer_of_another_call() -> None:
    case = wrong("answers twice")
    good = seen(
        first=GOOD, last=GOOD, again=GOOD, read=GOOD, stored=[("succeeded", None, True)],
        events=["plugin_invocation_started", "plugin_invocation_completed"], next=GOOD,
    )  # fmt: skip
    assert judgement.judge(case, good, 100) == []
    mixed_up = replace(good, next=GOOD._replace(body=b'{"content": "again"}'))
    assert judgement.judge(case, mixed_up, 100) != []
    assert judgement.judge(case, replace(good, next=reply(200, "failed")), 100) != []


@pytest.mark.parametrize(
    ("last", "faults"),
    [
        (judgement.Held(24, 100 * 1024, Counter({"hangs": 1})), 0),
        (judgement.Held(50, 100 * 1024), 1),
        (judgement.Held(20, 200 * 1024), 1),
        (judgement.Held(20, 100 * 1024, Counter({"hangs": 3})), 1),
    ],
)
def test_the_table_finds_leaks(last: judgement.Held, faults: int) -> None:
    assert len(judgement.judge_leaks("the API", judgement.Held(20, 100 * 1024), last)) == faults
