"""What breaks whom where one of our own extensions says something else."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tools.compat.change import Both, Change, Place, breaking, compatible, shown
from tools.compat.metrics import metrics
from tools.contract import Json

Rule = Callable[[Any, Any, Place, Both], Iterator[Change]]


def extension_changes(old: Json, new: Json, place: Place, both: Both) -> Iterator[Change]:
    """The rules of every `x-` that differs between two nodes."""
    for name in sorted({key for key in (*old, *new) if key.startswith("x-")}):
        if old.get(name) != new.get(name):
            rule = RULES.get(name, unread)
            yield from rule(old.get(name), new.get(name), place.at(name), both)


def unread(old: Any, new: Any, place: Place, both: Both) -> Iterator[Change]:
    """An extension without a rule is no promise that may be changed in silence."""
    yield breaking(place, f"{place.parts[-1]} changed", "no rule says what its change breaks")


def error_codes(
    old: list[str] | None, new: list[str] | None, place: Place, both: Both
) -> Iterator[Change]:
    """A new code under a known status is read by the status; a code that is gone told something."""
    known = {both.old_codes[code]["status"] for code in old or [] if code in both.old_codes}
    gone, added = _gone_and_new(old, new)
    for code in gone:
        why = "what it told is told otherwise, or not at all"
        yield breaking(place, f"{code} is gone", why)
    for code in added:
        status = both.new_codes.get(code, {"status": 0})["status"]
        if both.served and status not in known and status != 429 and status < 500:
            yield breaking(
                place, f"{code} is new, with the new status {status}", "nobody expects it"
            )
        else:
            yield compatible(place, f"{code} is new", f"clients read it as any other {status}")


def rate_limit(
    old: list[Json] | None, new: list[Json] | None, place: Place, both: Both
) -> Iterator[Change]:
    before = {limit["by"]: limit for limit in old or []}
    after = {limit["by"]: limit for limit in new or []}
    for by in before | after:
        if by not in after:
            yield compatible(place, f"no limit by {by}", "what passed passes")
        elif by not in before:
            yield breaking(place, f"a limit by {by}", "what passed meets 429")
        elif before[by] != after[by]:
            yield _limit(before[by], after[by], place)


def _limit(old: Json, new: Json, place: Place) -> Change:
    words = " was ".join(f"{one['quota']} in {one['window']} s" for one in (new, old))
    words = f"by {new['by']}: {words}"
    slower = new["quota"] * old["window"] < old["quota"] * new["window"]
    if slower or new["quota"] < old["quota"]:  # a burst is the quota at once
        return breaking(place, words, "what passed meets 429")
    return compatible(place, words, "what passed passes")


def owner(old: Json | None, new: Json | None, place: Place, both: Both) -> Iterator[Change]:
    if old is not None and new is not None and {**old, "by": ""} == {**new, "by": ""}:
        yield compatible(place, "proved in another way", "to the same callers")
    else:
        yield breaking(place, f"was {shown(old)}, is {shown(new)}", "other callers see the object")


def idempotency(old: Json | None, new: Json | None, place: Place, both: Both) -> Iterator[Change]:
    """Raising `kept_hours` alone leaves every repeat what it was."""
    before, after = dict(old or {}), dict(new or {})
    hours = before.pop("kept_hours", 0), after.pop("kept_hours", 0)
    if not before or not after:
        what = f"repeats are {'no longer' if before else 'now'} recognised"
        yield breaking(place, what, "a repeat does something else")
        return
    if hours[1] < hours[0]:
        yield breaking(place, f"keys are kept {hours[1]} h", "a late repeat does the work twice")
    elif hours[1] > hours[0]:
        yield compatible(place, f"keys are kept {hours[1]} h", "later repeats are recognised")
    for word in (word for word in before | after if before.get(word) != after.get(word)):
        what = f"{word} was {shown(before.get(word))}, is {shown(after.get(word))}"
        yield breaking(place, what, "a repeat does something else")


def emits(
    old: list[str] | None, new: list[str] | None, place: Place, both: Both
) -> Iterator[Change]:
    gone, added = _gone_and_new(old, new)
    for event in gone:
        yield breaking(place, f"no longer emits {event}", "whoever waits for it waits in vain")
    for event in added:
        yield compatible(place, f"may emit {event}", "consumers skip what they do not know")


def redis_stream(old: Json | None, new: Json | None, place: Place, both: Both) -> Iterator[Change]:
    if old is None:
        yield compatible(place, "the stream is promised", "nothing was promised before")
        return
    before, after = dict(old), dict(new or {})
    kept = before.pop("max_length", 0), after.pop("max_length", 0)
    for word in (word for word in before | after if before.get(word) != after.get(word)):
        what = f"{word} was {shown(before.get(word))}, is {shown(after.get(word))}"
        yield breaking(place, what, "consumers read another stream")
    if kept[1] < kept[0]:
        what = f"keeps {kept[1]} entries, kept {kept[0]}"
        yield breaking(place, what, "a consumer that pauses loses entries")
    elif kept[1] > kept[0]:
        yield compatible(place, f"keeps {kept[1]} entries", "nobody loses one")


def _gone_and_new(
    old: Iterable[str] | None, new: Iterable[str] | None
) -> tuple[list[str], list[str]]:
    before, after = list(old or []), list(new or [])
    gone = [item for item in before if item not in after]
    return gone, [item for item in after if item not in before]


RULES: dict[str, Rule] = {
    "x-emits": emits,
    "x-error-codes": error_codes,
    "x-idempotency": idempotency,
    "x-metrics": metrics,
    "x-owner": owner,
    "x-rate-limit": rate_limit,
    "x-redis-stream": redis_stream,
}
