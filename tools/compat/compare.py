"""Two contracts compared, whole."""

from collections.abc import Iterator

from tools.compat import redocly
from tools.compat.change import Both, Change, Place, breaking, compatible, merged
from tools.compat.events import EventComparison
from tools.compat.http import HttpComparison
from tools.compat.released import DOCUMENTS, Contract


def compare(old: Contract, new: Contract) -> list[Change]:
    """Every difference, the breaking ones first; redocly may add what ours does not see."""
    ours = differences(old, new)
    return merged([*ours, *redocly.unseen(redocly.opinions(old, new), ours)])


def differences(old: Contract, new: Contract) -> list[Change]:
    served = Both(old.codes, new.codes)
    called = Both(old.codes, new.codes, served=False)
    core, plugin, events = ((old.documents[name], new.documents[name]) for name in DOCUMENTS)
    return merged(
        [
            *HttpComparison("openapi", *core, served).changes(),
            *HttpComparison("plugin.openapi", *plugin, called).changes(),
            *EventComparison("events.asyncapi", *events, served).changes(),
            *_codes(served),
        ]
    )


def _codes(both: Both) -> Iterator[Change]:
    """A code never changes its meaning, and its status is a part of that."""
    for code in both.old_codes | both.new_codes:
        place = Place("errors", (code,), code)
        if code not in both.new_codes:
            yield breaking(place, f"{code} is gone", "code that names it no longer works")
        elif code not in both.old_codes:
            yield compatible(place, f"{code} is new", "operations say where it is answered")
        else:
            statuses = both.old_codes[code]["status"], both.new_codes[code]["status"]
            if statuses[0] != statuses[1]:
                what = f"its status was {statuses[0]}, is {statuses[1]}"
                yield breaking(place, what, "clients read it by its status")
