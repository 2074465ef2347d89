"""Redis Streams as the relay writes them: in order, and never an entry after a gap."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from generated.events import (
    DIALOG_RESET,
    PLUGIN_FAILED,
    PLUGIN_INVOCATION_COMPLETED,
    PLUGIN_INVOCATION_QUEUED,
    PLUGIN_INVOCATION_STARTED,
    PLUGIN_TIMEOUT,
    STREAMS,
)
from generated.runtime.events import entry_fields, longest

STATE_TTL_SECONDS = 600

PENDING = (PLUGIN_INVOCATION_QUEUED, PLUGIN_INVOCATION_STARTED)
CALL_EVENTS = (
    *PENDING,
    PLUGIN_INVOCATION_COMPLETED,
    PLUGIN_FAILED,
    PLUGIN_TIMEOUT,
)

# One script and not a pipeline: it ends at the first entry that is refused (out of memory, say), so
# that no later one makes it look as if it were there. What a lost reply hid is skipped by its id.
# Where another event has that id, the database was restored since, and nothing is added. Nor is it
# where the stream has lost its end since the caller looked: a relay that was frozen in between
# would leave a gap. What was erased is taken out, where it is, and where it never was its place is
# passed: the last id, by which is known how far the stream has come, counts what was deleted too.
APPEND = """
local last = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then
            last = tonumber(string.match(info[i + 1], '^%d+'))
        end
    end
end
if last < tonumber(ARGV[2]) then
    return redis.error_reply('BEHIND the stream lost its end meanwhile')
end
local function is_another(id, first, size)
    local found = redis.call('XREVRANGE', KEYS[1], id, '-', 'COUNT', 1)[1]
    if not found then -- it was, and was cut off
        return false
    end
    for i = 1, #found[2], 2 do
        for j = first, first + size - 1, 2 do
            if found[2][i] == 'event_id' and ARGV[j] == 'event_id' then
                return found[2][i + 1] ~= ARGV[j + 1]
            end
        end
    end
    return true
end
local at = 3
while at <= #ARGV do
    local position, erased, size = tonumber(ARGV[at]), ARGV[at + 1] == '1', tonumber(ARGV[at + 2])
    local id = ARGV[at] .. '-0'
    if position > last then
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], id, unpack(ARGV, at + 3, at + 2 + size))
    elseif not erased and is_another(id, at + 3, size) then
        return redis.error_reply('FOREIGN the stream has another event there')
    end
    if erased and not is_another(id, at + 3, size) then redis.call('XDEL', KEYS[1], id) end
    at = at + 3 + size
end
return last
"""


# Another call of the dialog may have begun meanwhile, or its entry may have come first: each
# plugin's calls are a stream of their own.
NO_LONGER_PENDING = """
if redis.call('HGET', KEYS[1], 'pending_invocation_id') == ARGV[1] then
    redis.call('HDEL', KEYS[1], 'pending_invocation_id')
end
"""


class ForeignEntryError(Exception):
    """The stream has another event at a position that the table gave to ours."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its place in a stream; without a body it was erased."""

    position: int
    event_id: str
    body: dict[str, Any]

    @property
    def fields(self) -> dict[str, str]:
        return entry_fields(self.body) if self.body else {"event_id": self.event_id}


async def append(redis: Redis, stream: str, last: int, entries: Iterable[Entry]) -> None:
    """Adds what the stream does not have yet, and takes out what was erased.

    `last` is the position that the stream had reached. Raises ForeignEntryError where it has other
    events there, and ResponseError where it is refused.
    """
    arguments: list[str] = [str(longest(STREAMS, stream)), str(last)]
    for entry in entries:
        fields = [text for pair in entry.fields.items() for text in pair]
        erased = "0" if entry.body else "1"
        arguments += [str(entry.position), erased, str(len(fields)), *fields]
    try:
        await redis.register_script(APPEND)(keys=[stream], args=arguments)
    except ResponseError as error:
        if str(error).startswith("FOREIGN"):
            raise ForeignEntryError from None
        raise


async def last_position(redis: Redis, stream: str) -> int:
    """The position of the newest entry that the stream ever had; 0 where there is none."""
    try:
        info: Any = await redis.xinfo_stream(stream)
    except ResponseError as error:
        if "no such key" in str(error):
            return 0
        raise
    return int(str(info["last-generated-id"]).partition("-")[0])


async def keep_state(
    redis: Redis, bodies: Sequence[dict[str, Any]], forgotten: Container[str]
) -> None:
    """`dialog:state:{dialog_id}`: what other services may read of a dialog, and may lose.

    `forgotten` are the event_ids of calls that a reset has overtaken: the reset's own stream may
    have been published before theirs, and what it cleared must not come back.
    """
    async with redis.pipeline(transaction=False) as pipeline:
        for body in bodies:
            if DIALOG_RESET.is_kind_of(body):
                pipeline.delete(state_key(body["dialog_id"]))
            elif body["event_id"] not in forgotten and _of_a_call(body):
                _keep_one(pipeline, body)
        await pipeline.execute(raise_on_error=False)


def _of_a_call(body: dict[str, Any]) -> bool:
    """Of the core: a plugin may report events of the same names, and they change nothing here."""
    return any(event.is_kind_of(body) for event in CALL_EVENTS)


def state_key(dialog_id: object) -> str:
    return f"dialog:state:{dialog_id}"


def _keep_one(pipeline: Any, body: dict[str, Any]) -> None:
    key = state_key(body["dialog_id"])
    state = {"last_plugin_id": body["plugin_id"], "last_message_at": body["occurred_at"]}
    invocation_id = body["payload"]["invocation_id"]
    if any(event.is_kind_of(body) for event in PENDING):
        state["pending_invocation_id"] = invocation_id
    else:
        pipeline.eval(NO_LONGER_PENDING, 1, key, invocation_id)
    pipeline.hset(key, mapping=state)
    pipeline.expire(key, STATE_TTL_SECONDS)
