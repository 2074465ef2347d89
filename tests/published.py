"""What a test published, held against `events.asyncapi.yaml`: in the outbox and in the streams."""

from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from jsonschema import Draft202012Validator
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from generated.metrics import make_metrics
from generated.runtime.events import entry_body
from impl.events.relay import Relay
from impl.redis import relay_client
from impl.settings import Settings
from tools.bundler import bundle
from tools.events import Message, messages
from tools.examples import formats

DOCUMENT = bundle("events.asyncapi.yaml")
MESSAGES = messages(DOCUMENT)
# A database of the server that no test uses: here the relay fills the streams from the start.
ASIDE = 9
NEWEST = 2000  # are looked into, at a millisecond each

Json = dict[str, Any]


async def undeclared(pool: asyncpg.Pool, settings: Settings) -> list[str]:
    """Why what stands in the outbox is not what the contract says, there or as a stream's entry."""
    rows = await pool.fetch("SELECT stream, body FROM outbox WHERE body <> '{}' ORDER BY id")
    if not rows:
        return []
    found = [text for row in rows[-NEWEST:] for text in faults(row["stream"], row["body"])]
    try:
        relayed = await _relayed(pool, settings)
    except RedisConnectionError:  # a test that has taken Redis away
        return list(dict.fromkeys(found))
    found += [text for stream, body in relayed[-NEWEST:] for text in faults(stream, body)]
    if len(relayed) != len(rows):
        found.append(f"{len(rows)} events, but {len(relayed)} entries")
    return list(dict.fromkeys(found))


def faults(stream: str, body: Json) -> Iterator[str]:
    """What the contract refuses in an event."""
    found = kinds(body)
    if len(found) != 1:
        yield f"{body['event_type']} of {body['source']} is {len(found)} messages"
        return
    (message,) = found
    if stream != message.stream["key"].format(**body):
        yield f"{message.name} in {stream}"
    headers = {name: value for name, value in body.items() if name != "payload"}
    for part, value in (("headers", headers), ("payload", body["payload"])):
        for error in _validator(message.name, part).iter_errors(value):
            yield f"{message.name}: {part}: {error.json_path}: {error.message}"


def kinds(body: Json) -> list[Message]:
    """The messages that an event may be: one, where the contract is kept."""
    return [message for message in MESSAGES if message.fixed.items() <= body.items()]


@cache
def _validator(name: str, part: str) -> Draft202012Validator:
    resource = DRAFT202012.create_resource(DOCUMENT)
    registry: Registry[Any] = Registry().with_resource("urn:contract", resource)
    reference = {"$ref": f"urn:contract#/components/messages/{name}/{part}"}
    return Draft202012Validator(reference, registry=registry, format_checker=formats)


async def _relayed(pool: asyncpg.Pool, settings: Settings) -> list[tuple[str, Json]]:
    """Every event as a consumer reads it: the relay finds its streams lost, and fills them."""
    elsewhere = settings.model_copy(update={"redis_url": _aside(settings)})
    redis = relay_client(elsewhere)
    try:
        await redis.flushdb()
        relay = Relay(pool, redis, batch=1000, poll_seconds=0.01, metrics=make_metrics())
        await relay.check_streams()
        while await relay.drain_once():
            pass
        return [pair async for pair in _entries(redis)]
    finally:
        await redis.aclose()


def _aside(settings: Settings) -> SecretStr:
    server = urlsplit(settings.redis_url.get_secret_value())
    return SecretStr(urlunsplit(server._replace(path=f"/{ASIDE}")))


async def _entries(redis: Redis) -> AsyncIterator[tuple[str, Json]]:
    async for key in redis.scan_iter(_type="stream"):
        # The client decodes; its types do not know.
        for _, fields in cast("list[tuple[str, dict[str, str]]]", await redis.xrange(key)):
            yield key, entry_body(fields)
