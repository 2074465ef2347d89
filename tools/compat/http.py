"""Two OpenAPI documents compared, operation by operation.

The core serves `openapi.yaml`: released clients call it. It calls what `plugin.openapi.yaml`
describes: released plugins serve it. So there everything is the other way round, and an operation
that is new breaks a plugin that lacks it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tools.compat.change import Both, Change, Place, Role, breaking, compatible, unread
from tools.compat.extensions import extension_changes
from tools.compat.messages import Messages
from tools.compat.schemas import SchemaComparison
from tools.compat.security import scheme_changes, security_changes
from tools.contract import Json, Operation, operations

# What each member of an operation is compared by; another one that changed is told as unread.
_READ = {"operationId", "tags", "security", "parameters", "requestBody", "responses", "deprecated",
         "summary", "description"}  # fmt: skip
_ROOT = {"paths", "components", "servers", "openapi", "info", "tags", "jsonSchemaDialect"}


@dataclass(frozen=True)
class HttpComparison:
    document: str
    old: Json
    new: Json
    both: Both

    def changes(self) -> Iterator[Change]:
        root = Place(self.document, (), self.document)
        yield from self._servers(root.at("servers"))
        yield from extension_changes(self.old, self.new, root, self.both)
        yield from unread(self.old, self.new, _ROOT, root)
        yield from scheme_changes(self.old, self.new, self.document)
        before = {(op.path, op.method): op for op in operations(self.old)}
        after = {(op.path, op.method): op for op in operations(self.new)}
        schemas = SchemaComparison(self.old, self.new)
        for key in before | after:
            if key not in after:
                yield self._gone(before[key])
            elif key not in before:
                yield self._new(after[key])
            else:
                yield from self._operation(before[key], after[key], schemas)

    def _gone(self, operation: Operation) -> Change:
        what = f"{operation.id} is gone"
        if self.both.served:
            return breaking(self._place(operation), what, "whoever calls it gets 404 or 405")
        return compatible(self._place(operation), what, "it is no longer called")

    def _new(self, operation: Operation) -> Change:
        place, what = self._place(operation), f"{operation.id} is new"
        if self.both.served:
            return compatible(place, what, "nobody calls it yet")
        if "404" in operation.spec["responses"]:
            return compatible(place, what, "404 tells that a plugin lacks it")
        return breaking(place, what, "plugins lack it (declare 404 where they may)")

    def _place(self, operation: Operation) -> Place:
        return Place(self.document, ("paths", operation.path, operation.method), operation.id)

    def _operation(
        self, old: Operation, new: Operation, schemas: SchemaComparison
    ) -> Iterator[Change]:
        place = self._place(old)
        for word, named in (("operationId", "method"), ("tags", "module")):
            if old.spec.get(word) != new.spec.get(word):
                what = f"{word} was {old.spec.get(word)}, is {new.spec.get(word)}"
                yield breaking(place.at(word), what, f"generated clients name the {named} after it")
        yield from security_changes(
            old.spec, new.spec, place.at("security"), served=self.both.served
        )
        roles = (Role.TAKEN, Role.GIVEN) if self.both.served else (Role.SENT, Role.TAKEN)
        messages = Messages(self.old, self.new, schemas, *roles)
        yield from messages.request(old.spec, new.spec, place)
        yield from messages.responses(old.spec["responses"], new.spec["responses"], place)
        yield from extension_changes(old.spec, new.spec, place, self.both)
        yield from unread(old.spec, new.spec, _READ, place)
        if old.spec.get("deprecated", False) != new.spec.get("deprecated", False):
            what = f"deprecated is {new.spec.get('deprecated', False)}"
            yield compatible(place.at("deprecated"), what, "it is served as before")

    def _servers(self, place: Place) -> Iterator[Change]:
        before, after = _urls(self.old), _urls(self.new)
        for url in before - after:
            yield breaking(place, f"the server {url} is gone", "whoever calls it does not reach it")
        for url in after - before:
            yield compatible(place, f"the server {url} is new", "nobody calls it yet")


def _urls(document: Json) -> set[str]:
    return {server["url"] for server in document.get("servers", [])}
