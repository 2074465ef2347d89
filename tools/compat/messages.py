"""What an operation takes and gives: parameters, bodies, statuses, headers, media types."""

from collections.abc import Iterator
from dataclasses import dataclass

from tools.compat.change import Change, Effect, Place, Role, breaking, compatible, judged, unread
from tools.compat.keywords import EDITORIAL, default_of
from tools.compat.schemas import SchemaComparison
from tools.contract import Json, deref

_FORM = ("style", "explode", "allowReserved", "allowEmptyValue")
_PARAMETER = {"name", "in", "required", "schema", "deprecated", *_FORM, *EDITORIAL}
_BODY = {"content", "required", *EDITORIAL}
_RESPONSE = {"headers", "content", "summary", *EDITORIAL}
_MEDIA = {"schema", *EDITORIAL}
# Any client must cope with these, whatever it calls.
_EXPECTED = {"429"}


@dataclass(frozen=True)
class Messages:
    """Compares by who reads what: the roles of what is asked and of what is answered."""

    old: Json
    new: Json
    schemas: SchemaComparison
    asked: Role
    answered: Role

    def request(self, old: Json, new: Json, place: Place) -> Iterator[Change]:
        before, after = _parameters(self.old, old), _parameters(self.new, new)
        for key in before | after:
            there = place.at("parameters", key[1])
            if key not in before:
                yield self._new_parameter(after[key][1], there)
            elif key not in after:
                yield self._lost_parameter(before[key][1], there)
            else:
                (raw_old, old_one), (raw_new, new_one) = before[key], after[key]
                yield from self._parameter(old_one, new_one, there.of(raw_old, raw_new))
        yield from self._body(old, new, place.at("requestBody"))

    def _new_parameter(self, parameter: Json, place: Place) -> Change:
        name, needed = f"the {parameter['in']} parameter {parameter['name']}", parameter["required"]
        if self.asked is Role.SENT:
            # A server skips a header that it does not know, no more.
            effect = Effect.SAME if parameter["in"] == "header" else Effect.NEW_MEMBER
        else:
            effect = Effect.NARROWER if needed else Effect.NEW_MEMBER
        return judged(place, f"{name} is new{', and required' * needed}", effect, self.asked)

    def _lost_parameter(self, parameter: Json, place: Place) -> Change:
        what = f"the {parameter['in']} parameter {parameter['name']} is gone"
        return judged(place, what, Effect.LOST, self.asked)

    def _parameter(self, old: Json, new: Json, place: Place) -> Iterator[Change]:
        if old["required"] != new["required"]:
            effect = Effect.NARROWER if new["required"] else Effect.WIDER
            what = f"{'now' if new['required'] else 'no longer'} required"
            yield judged(place, what, effect, self.asked)
        if any(old.get(word) != new.get(word) for word in _FORM):
            yield judged(place, "written in another form", Effect.OTHER, self.asked)
        yield from unread(old, new, _PARAMETER, place)
        old, new = old.get("schema", {}), new.get("schema", {})
        before, after = deref(self.old, old), deref(self.new, new)
        if default_of({**before, **old}) != default_of({**after, **new}):
            yield judged(place, "absent means something else", Effect.OTHER, self.asked)
        yield from self.schemas.changes(old, new, place, self.asked)

    def _body(self, old: Json, new: Json, place: Place) -> Iterator[Change]:
        before, after = old.get("requestBody"), new.get("requestBody")
        if before is None and after is None:
            return
        if before is None or after is None:
            needed = (before or after or {}).get("required", False)
            lost, effect = after is None, Effect.NARROWER if needed else Effect.NEW_MEMBER
            what = f"takes {'no' if lost else 'a'} body now"
            yield judged(place, what, Effect.LOST if lost else effect, self.asked)
            return
        if before.get("required", False) != after.get("required", False):
            needed = after.get("required", False)
            effect = Effect.NARROWER if needed else Effect.WIDER
            what = f"the body is {'now' if needed else 'no longer'} required"
            yield judged(place, what, effect, self.asked)
        yield from unread(before, after, _BODY, place)
        yield from self._content(before, after, place, self.asked)

    def responses(self, old: Json, new: Json, place: Place) -> Iterator[Change]:
        for status in old | new:
            there = place.at("responses", status)
            if status not in new:
                yield self._lost_status(status, there)
            elif status not in old:
                yield self._new_status(status, there)
            else:
                there = there.of(old[status], new[status])
                if not self.schemas.first(there, self.answered):
                    continue
                before, after = deref(self.old, old[status]), deref(self.new, new[status])
                yield from unread(before, after, _RESPONSE, there)
                yield from self._headers(before, after, there.at("headers"))
                yield from self._content(before, after, there, self.answered)

    def _lost_status(self, status: str, place: Place) -> Change:
        if self.answered is Role.TAKEN:
            return breaking(place, f"{status} is gone", "a plugin that answers so is refused")
        return breaking(place, f"{status} is gone", "what it told is told otherwise, or not at all")

    def _new_status(self, status: str, place: Place) -> Change:
        what = f"{status} is new"
        if self.answered is Role.TAKEN:
            return compatible(place, what, "no plugin must answer so")
        if status in _EXPECTED or status.startswith("5"):
            return compatible(place, what, "every client repeats after 429 and 5xx")
        return breaking(place, what, "clients meet a status that they were told not to expect")

    def _headers(self, old: Json, new: Json, place: Place) -> Iterator[Change]:
        before, after = old.get("headers", {}), new.get("headers", {})
        for name in before | after:
            there = place.at(name)
            if name not in after:
                effect = Effect.LOST if self.answered is Role.GIVEN else Effect.WIDER
                yield judged(there, f"the header {name} is gone", effect, self.answered)
                continue
            needed = deref(self.new, after[name]).get("required", False)
            if name not in before:
                demanded = needed and self.answered is Role.TAKEN
                effect = Effect.NARROWER if demanded else Effect.NEW_MEMBER
                yield judged(there, f"the header {name} is new", effect, self.answered)
            else:
                yield from self._header(before[name], after[name], there)

    def _header(self, old: Json, new: Json, place: Place) -> Iterator[Change]:
        place = place.of(old, new)
        if not self.schemas.first(place, self.answered):
            return
        before, after = deref(self.old, old), deref(self.new, new)
        if before.get("required", False) != after.get("required", False):
            needed = after.get("required", False)
            effect = Effect.NARROWER if needed else Effect.WIDER
            what = f"the header is {'now' if needed else 'no longer'} required"
            yield judged(place, what, effect, self.answered)
        yield from unread(before, after, _PARAMETER, place)
        pair = before.get("schema", {}), after.get("schema", {})
        yield from self.schemas.changes(*pair, place, self.answered)

    def _content(self, old: Json, new: Json, place: Place, role: Role) -> Iterator[Change]:
        before, after = old.get("content", {}), new.get("content", {})
        for media in before | after:
            there = place.at("content", media)
            if media not in after:
                # A caller chooses what it writes; it no longer chooses this.
                effect = Effect.NARROWER if role is Role.SENT else Effect.LOST
                yield judged(there, f"{media} is gone", effect, role)
            elif media not in before:
                # `Accept` chooses among answers.
                effect = Effect.NEW_MEMBER if role is Role.GIVEN else Effect.WIDER
                yield judged(there, f"{media} is new", effect, role)
            else:
                yield from unread(before[media], after[media], _MEDIA, there)
                pair = before[media].get("schema", {}), after[media].get("schema", {})
                yield from self.schemas.changes(*pair, there.at("schema"), role)


def _parameters(document: Json, spec: Json) -> dict[tuple[str, str], tuple[Json, Json]]:
    """Each parameter as it is written and as it is read, by place and name."""
    read = [(item, deref(document, item)) for item in spec.get("parameters", [])]
    return {(item["in"], item["name"]): (raw, {"required": False, **item}) for raw, item in read}
