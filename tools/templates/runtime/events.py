"""What the contract says of an event, as its publisher and its readers need it.

A statement that makes an event true has a CTE of facts, one row for each event, whose columns are
the payload's members. `Event.rows` makes the columns of a CTE `event` of it, so that nobody writes
a type, a severity, a stream or a payload a second time.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
from pydantic import BaseModel

from generated.models import EventEnvelopeV1
from generated.runtime import emits

ENVELOPE = tuple(EventEnvelopeV1.model_fields)
# Whom an event is about stands in its payload, or it is about nobody.
ABOUT = {"plugin_id", "dialog_id"}
_MEMBER = re.compile(r"\{(\w+)\}")


def _object(members: Mapping[str, str]) -> str:
    """SQL: a jsonb object of these expressions."""
    pairs = ", ".join(f"'{name}', {expression}" for name, expression in members.items())
    return f"jsonb_build_object({pairs})"


# SQL: a row of the CTE `event` as one object, of which an entry is made.
BODY = _object({name: name for name in (*ENVELOPE, "payload")})


@dataclass(frozen=True, slots=True)
class Stream:
    """A Redis Stream, or one for each value of the `{members}` in its key."""

    key: str
    max_length: int

    def holds(self, key: str) -> bool:
        parts = map(re.escape, _MEMBER.split(self.key)[::2])
        return re.fullmatch("[^:]+".join(parts), key) is not None

    @property
    def sql(self) -> str:
        """The key as an expression; its members are columns."""
        return " || ".join(
            part if index % 2 else f"'{part}'"
            for index, part in enumerate(_MEMBER.split(self.key))
            if part
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of event, a message of the contract.

    `fixed`: the members of the envelope that are the same in all of them. `empty`: the members of
    the payload that are null in all of them.
    """

    name: str
    stream: Stream
    payload: type[BaseModel]
    fixed: Mapping[str, str]
    empty: frozenset[str] = frozenset()

    def new_id(self) -> UUID:
        """The id of one more; no statement publishes one without.

        Raises UndeclaredEventError where the operation at hand does not declare the event.
        """
        emits.require(self.name)
        return uuid4()

    def rows(self, facts: str, *, event_id: str, trace_id: str, occurred_at: str = "now()") -> str:
        """SQL: the columns of the CTE `event`, one row for each of the CTE `facts`.

        The other arguments are expressions, a parameter or a column of `facts`. A member of the
        envelope that is neither fixed nor in the payload must be a column of `facts` too.
        """
        given = {
            "event_id": f"{event_id}::uuid",
            "trace_id": f"{trace_id}::uuid",
            "occurred_at": occurred_at,
            **{name: f"'{value}'" for name, value in self.fixed.items()},
            **dict.fromkeys(ABOUT - self.payload.model_fields.keys(), "NULL::uuid"),
        }
        columns = ", ".join(f"{given.get(name, name)} AS {name}" for name in ENVELOPE)
        members = self.payload.model_fields
        payload = _object({name: "NULL" if name in self.empty else name for name in members})
        return f"SELECT {columns}, {self.stream.sql} AS stream, {payload} AS payload FROM {facts}"  # noqa: S608  # names of the contract

    def is_kind_of(self, body: Mapping[str, Any]) -> bool:
        """Whether an event's body, or an entry, is one of these."""
        return all(body.get(name) == value for name, value in self.fixed.items())


def longest(streams: Iterable[Stream], key: str) -> int:
    """How many entries the stream `key` keeps; one that is no longer declared, as many as any."""
    lengths = {stream: stream.max_length for stream in streams}
    return next((lengths[stream] for stream in lengths if stream.holds(key)), max(lengths.values()))


def entry_fields(body: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a stream's entry: text, what is null left out, the payload as JSON."""
    fields = {name: str(value) for name, value in body.items() if value is not None}
    return fields | {"payload": orjson.dumps(body["payload"]).decode()}


def entry_body(fields: Mapping[str, str]) -> dict[str, Any]:
    """What `entry_fields` was made of, but for members that were null."""
    return {**fields, "payload": orjson.loads(fields["payload"])}
