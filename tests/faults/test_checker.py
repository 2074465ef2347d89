"""The checker bites: what was lost, doubled or mixed up on purpose is found."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.faults.checker import Ledgers, Stored, StoredCall, check
from tests.faults.log import Key, Log

KEY = Key("d-1", "m-1")
CALL = StoredCall(KEY, "p-1", "i-1", "succeeded")
STREAM = "plugin:invocations:p-1"
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
            events=Counter({"e-1": 1, "e-2": 1}),
            outbox={"e-1": STREAM, "e-2": STREAM},
        )
        self.entries = [entry("plugin_invocation_started", "e-1"),
                        entry("plugin_invocation_completed", "e-2")]  # fmt: skip
        self.ledgers = Ledgers(actions=Counter({"i-1": 1}))
        self.ledgers.ids["d-1"].add("i-1")

    def found(self) -> tuple[int, int, int]:
        found = check(self.log, self.stored, {STREAM: self.entries}, self.ledgers)
        return len(found.lost), len(found.doubled), len(found.faults)


def entry(event_type: str, event_id: str = "") -> dict[str, Any]:
    payload = {"invocation_id": "i-1"}
    return {"event_id": event_id or str(uuid4()), "event_type": event_type, "payload": payload}


def test_what_went_well_is_found_well() -> None:
    assert Told().found() == (0, 0, 0)


def test_a_refusal_that_says_when_to_come_again_is_none_of_a_fault() -> None:
    told = Told()
    told.log.note(KEY, "unknown", 503, b"", 5, retry_after="1")
    assert told.found() == (0, 0, 0)


def test_what_was_erased_is_audited_and_told_by_no_stream() -> None:
    told = Told()
    told.stored.events["e-3"] = 1
    told.stored.outbox["e-3"] = STREAM
    told.stored.erased = frozenset({"e-3"})
    assert told.found() == (0, 0, 0)
    told.entries.append({**entry("plugin_custom_said", "e-3"), "payload": {"invocation_id": "i"}})
    assert told.found() == (0, 0, 1), "it is still there"
    told.entries.pop()
    told.stored.events["e-3"] = 0
    assert told.found() == (0, 0, 1), "nobody knows that it was"


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


def an_event_not_audited(told: Told) -> None:
    del told.stored.events["e-1"]


def an_event_audited_twice(told: Told) -> None:
    told.stored.events["e-1"] += 1


def audited_and_not_in_the_outbox(told: Told) -> None:
    told.stored.events["e-3"] = 1


def never_published(told: Told) -> None:
    told.stored.outbox["e-3"] = "plugin:events"
    told.stored.events["e-3"] = 1


def published_and_not_committed(told: Told) -> None:
    told.entries.insert(0, entry("plugin_invocation_queued"))


def answered_500(told: Told) -> None:
    told.log.note(KEY, "unknown", 500, b"", 5)


def refused_without_saying_when(told: Told) -> None:
    told.log.note(KEY, "unknown", 503, b"", 5)


BREAKS: list[tuple[Callable[[Told], None], tuple[int, int]]] = [
    (lost, (1, 0)), (never_answered, (1, 0)),
    (two_calls, (0, 1)), (two_rows, (0, 1)), (two_answers, (0, 1)),
    (acted_twice, (0, 1)), (two_ids, (0, 1)),
    (unknown_id, (0, 0)), (other_bytes, (0, 0)), (open_for_ever, (0, 1)),
    (no_end_in_the_stream, (1, 0)), (two_ends_in_the_stream, (0, 0)),
    (end_before_the_beginning, (0, 0)), (not_audited, (0, 0)),
    (an_event_not_audited, (0, 0)), (an_event_audited_twice, (0, 0)),
    (audited_and_not_in_the_outbox, (0, 0)), (never_published, (1, 0)),
    (published_and_not_committed, (0, 0)),
    (answered_500, (0, 0)), (refused_without_saying_when, (0, 0)),
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
