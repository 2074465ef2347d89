"""Two AsyncAPI documents compared: what consumers of the streams rely on."""

from collections.abc import Iterator
from dataclasses import dataclass

from tools.compat.change import Both, Change, Place, Role, breaking, compatible, unread
from tools.compat.extensions import extension_changes
from tools.compat.schemas import SchemaComparison
from tools.contract import Json, deref

_PROSE = {"description", "summary", "title", "examples", "tags"}
_CHANNEL = {"address", "messages", "parameters", *_PROSE}
_MESSAGE = {"payload", "headers", *_PROSE}
_ROOT = {"channels", "operations", "components", "info", "asyncapi"}


@dataclass(frozen=True)
class EventComparison:
    document: str
    old: Json
    new: Json
    both: Both

    def changes(self) -> Iterator[Change]:
        root = Place(self.document, (), self.document)
        yield from extension_changes(self.old, self.new, root, self.both)
        yield from unread(self.old, self.new, _ROOT, root)
        yield from self._operations()
        schemas = SchemaComparison(self.old, self.new)
        before, after = self.old["channels"], self.new["channels"]
        for name in before | after:
            address = (before.get(name) or after[name])["address"]
            place = Place(self.document, ("channels", name), address)
            if name not in after:
                yield breaking(place, f"{address} is gone", "whoever reads it waits in vain")
            elif name not in before:
                yield compatible(place, f"{address} is new", "nobody reads it yet")
            else:
                yield from self._channel(before[name], after[name], place, schemas)

    def _operations(self) -> Iterator[Change]:
        before, after = self.old.get("operations", {}), self.new.get("operations", {})
        for name in before | after:
            place = Place(self.document, ("operations", name), name)
            if name not in before:
                yield compatible(place, f"{name} is new", "nobody relies on it yet")
            elif before[name] != after.get(name):
                what = f"{name} is {'another' if name in after else 'gone'}"
                yield breaking(place, what, "generated clients name it")

    def _channel(
        self, old: Json, new: Json, place: Place, schemas: SchemaComparison
    ) -> Iterator[Change]:
        if old["address"] != new["address"]:
            what = f"{old['address']} became {new['address']}"
            yield breaking(place, what, "whoever reads it waits in vain")
        if set(old.get("parameters", {})) != set(new.get("parameters", {})):
            yield breaking(place.at("parameters"), "other parameters", "its address is another")
        yield from extension_changes(old, new, place, self.both)
        yield from unread(old, new, _CHANNEL, place)
        for name in old["messages"] | new["messages"]:
            there = Place(self.document, (*place.parts, "messages", name), name)
            if name not in new["messages"]:
                yield breaking(there, f"{name} is gone", "whoever waits for it waits in vain")
            elif name not in old["messages"]:
                yield compatible(there, f"{name} is new", "consumers skip what they do not know")
            else:
                pair = (
                    deref(self.old, old["messages"][name]),
                    deref(self.new, new["messages"][name]),
                )
                yield from self._message(*pair, there, schemas)

    def _message(
        self, old: Json, new: Json, place: Place, schemas: SchemaComparison
    ) -> Iterator[Change]:
        yield from extension_changes(old, new, place, self.both)
        yield from unread(old, new, _MESSAGE, place)
        for word in ("payload", "headers"):
            pair = old.get(word, {}), new.get(word, {})
            yield from schemas.changes(*pair, place.at(word), Role.GIVEN)
