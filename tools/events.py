"""The messages of `events.asyncapi.yaml`: what the generator, rules and documents read."""

from dataclasses import dataclass
from typing import Any

from tools.contract import Json, properties, required

ENVELOPE = "EventEnvelopeV1"


@dataclass(frozen=True)
class Message:
    """One message and the channel that carries it."""

    document: Json
    name: str
    channel: str
    spec: Json

    @property
    def stream(self) -> Json:
        """Its channel's `x-redis-stream`."""
        return dict(self.document["channels"][self.channel]["x-redis-stream"])

    @property
    def payload(self) -> str:
        """The name of its payload's schema."""
        return str(self.spec["payload"]["$ref"].rsplit("/", 1)[1])

    @property
    def members(self) -> dict[str, Json]:
        return properties(self.document, self.spec["payload"])

    @property
    def told(self) -> list[str]:
        """The payload's members that an entry may fill."""
        return [name for name in self.members if name not in self.empty]

    @property
    def required(self) -> set[str]:
        return required(self.document, self.spec["payload"])

    @property
    def empty(self) -> list[str]:
        """The payload's members that no entry fills."""
        return [name for name, member in self.members.items() if member.get("type") == "null"]

    @property
    def envelope(self) -> dict[str, Json]:
        return properties(self.document, self.spec["headers"])

    @property
    def narrowed(self) -> dict[str, Json]:
        """The envelope's members of which this message allows less than others."""
        every = properties(self.document, self.document["components"]["schemas"][ENVELOPE])
        return {
            name: member
            for name, member in self.envelope.items()
            if "const" not in member and member != every[name]
        }

    @property
    def fixed(self) -> dict[str, Any]:
        """The envelope's members that are the same in every entry."""
        return {name: item["const"] for name, item in self.envelope.items() if "const" in item}


def messages(document: Json) -> list[Message]:
    """Every message that a channel carries, in the order of the channels."""
    known = document["components"]["messages"]
    return [
        Message(document, name, channel, known[name])
        for channel, spec in document["channels"].items()
        for name in spec["messages"]
        if name in known
    ]


def events_context(document: Json) -> Json:
    """What `events.py.j2` is rendered with."""
    return {
        "channels": [
            {"name": name, **channel["x-redis-stream"]}
            for name, channel in document["channels"].items()
        ],
        "messages": messages(document),
    }
