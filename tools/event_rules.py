"""What a message declares, so that its publisher and its readers can be made of it."""

import re
from collections.abc import Callable, Iterator

from tools.bundler import Bundle
from tools.events import ENVELOPE, Message, messages


def channels_carry_messages(bundle: Bundle) -> Iterator[str]:
    """Each message is carried by one channel, under its own name."""
    known = set(bundle.document["components"]["messages"])
    carried: list[str] = []
    for channel, spec in bundle.document["channels"].items():
        for name, message in spec["messages"].items():
            carried.append(name)
            if message != {"$ref": f"#/components/messages/{name}"}:
                yield f"{bundle.place(('channels', channel))}: {name} is not the message {name}"
    for name in sorted(known - set(carried)):
        yield f"{_place(bundle, name)}: no channel carries it"
    for name in sorted({name for name in carried if carried.count(name) > 1}):
        yield f"{_place(bundle, name)}: several channels carry it"


def streams_bound(bundle: Bundle) -> Iterator[str]:
    """A channel is a stream, whose key is made of what each of its messages says."""
    for channel, spec in bundle.document["channels"].items():
        place = bundle.place(("channels", channel))
        if "x-redis-stream" not in spec:
            yield f"{place}: lacks x-redis-stream"
        elif spec["address"] != spec["x-redis-stream"]["key"]:
            yield f"{place}: its address is not the key of its stream"
        members = re.findall(r"\{(\w+)\}", spec["address"])
        for name in members:
            location = spec.get("parameters", {}).get(name, {}).get("location")
            if location != f"$message.header#/{name}":
                yield f"{place}: {name} lacks its location, $message.header#/{name}"
        for message in (item for item in messages(bundle.document) if item.channel == channel):
            for name in set(members) - set(message.members):
                yield f"{_place(bundle, message.name)}: its payload lacks {name}, of its key"


def messages_described(bundle: Bundle) -> Iterator[str]:
    envelope = set(bundle.document["components"]["schemas"].get(ENVELOPE, {}).get("properties", ()))
    for message in messages(bundle.document):
        place = _place(bundle, message.name)
        if not message.spec.get("summary"):
            yield f"{place}: lacks summary"
        if not envelope or set(message.envelope) != envelope:
            yield f"{place}: its headers are not those of {ENVELOPE}"
        if "source" not in message.fixed:
            yield f"{place}: fixes no source"
        if message.fixed.get("event_type", message.name) != message.name:
            yield f"{place}: its event_type is another"


def messages_differ(bundle: Bundle) -> Iterator[str]:
    """An entry is one message, told by what the messages fix."""
    found = messages(bundle.document)
    for message in found:
        for other in found:
            if message is not other and _overlap(message, other):
                yield f"{_place(bundle, message.name)}: may be taken for {other.name}"


def _overlap(one: Message, other: Message) -> bool:
    both = one.fixed.keys() & other.fixed.keys() & {"event_type", "source"}
    return all(one.fixed[name] == other.fixed[name] for name in both)


def payloads_whole(bundle: Bundle) -> Iterator[str]:
    """Every member is in every payload, so all of them are required."""
    for message in messages(bundle.document):
        if "$ref" not in message.spec["payload"]:
            yield f"{_place(bundle, message.name)}: make its payload a schema of its own"
            continue
        for name in set(message.members) - message.required:
            yield f"schemas/{message.payload}.yaml: {name} is in every payload, but not required"


def _place(bundle: Bundle, name: str) -> str:
    return bundle.place(("components", "messages", name))


EVENT_RULES: list[Callable[[Bundle], Iterator[str]]] = [
    channels_carry_messages,
    streams_bound,
    messages_described,
    messages_differ,
    payloads_whole,
]
