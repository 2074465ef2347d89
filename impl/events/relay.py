"""The relay: outbox rows become stream entries, in order per stream, at least once.

Identity order is not commit order, so the relay that holds a stream's advisory lock gives each row
its position when it first sees it. The position is the entry's id in Redis: an entry that is there
already is refused by Redis itself, so a repeated batch adds nothing.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from generated.events import EventType
from impl.db import UNAVAILABLE, Pool
from impl.redis import UNREACHABLE

log = structlog.get_logger()

STATE_TTL_SECONDS = 600
STREAM_MAX_LENGTH = 100_000
PAUSE_WHEN_AWAY_SECONDS = 1.0

WAITING_STREAMS = """
SELECT DISTINCT stream FROM outbox WHERE position IS NULL
UNION
SELECT DISTINCT stream FROM outbox WHERE position IS NOT NULL AND published_at IS NULL
"""

LOCK_STREAM = "SELECT pg_try_advisory_lock(hashtextextended('botcore.relay.' || $1, 0))"
UNLOCK_STREAM = "SELECT pg_advisory_unlock(hashtextextended('botcore.relay.' || $1, 0))"

NAME_STREAM = "INSERT INTO streams (name) VALUES ($1) ON CONFLICT DO NOTHING"

ASSIGN_POSITIONS = """
WITH fresh AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place
    FROM (
        SELECT id FROM outbox WHERE stream = $1 AND position IS NULL ORDER BY id LIMIT $2
    ) AS waiting
), stream AS (
    UPDATE streams SET last_position = last_position + (SELECT count(*) FROM fresh)
    WHERE name = $1 AND EXISTS (SELECT FROM fresh)
    RETURNING last_position - (SELECT count(*) FROM fresh) AS base
)
UPDATE outbox SET position = stream.base + fresh.place
FROM fresh, stream WHERE outbox.id = fresh.id
"""

UNPUBLISHED = """
SELECT id, position, body FROM outbox
WHERE stream = $1 AND position IS NOT NULL AND published_at IS NULL ORDER BY position LIMIT $2
"""

MARK_PUBLISHED = "UPDATE outbox SET published_at = now() WHERE id = ANY($1::bigint[])"


@dataclass(frozen=True, slots=True)
class Relay:
    pool: Pool
    redis: Redis
    batch: int
    poll_seconds: float

    async def run(self) -> None:
        """Never ends. While PostgreSQL or Redis is away the outbox waits, and so does this."""
        while True:
            try:
                moved = await self.drain_once()
            except (*UNAVAILABLE, *UNREACHABLE) as error:
                log.warning("relay_waits", reason=type(error).__name__)
                await asyncio.sleep(PAUSE_WHEN_AWAY_SECONDS)
            else:
                if not moved:
                    await asyncio.sleep(self.poll_seconds)

    async def drain_once(self) -> int:
        """One batch of each stream that waits. Returns the number of entries published."""
        streams = [row["stream"] for row in await self.pool.fetch(WAITING_STREAMS)]
        return sum([await self._drain(stream) for stream in streams])

    async def _drain(self, stream: str) -> int:
        async with self.pool.acquire() as connection:
            if not await connection.fetchval(LOCK_STREAM, stream):
                return 0  # another relay has it
            try:
                return await self._publish(connection, stream)
            finally:
                await connection.fetchval(UNLOCK_STREAM, stream)

    async def _publish(self, connection: Any, stream: str) -> int:
        await connection.execute(NAME_STREAM, stream)
        await connection.execute(ASSIGN_POSITIONS, stream, self.batch)
        rows = await connection.fetch(UNPUBLISHED, stream, self.batch)
        if not rows:
            return 0
        await self._send(stream, rows)
        await connection.execute(MARK_PUBLISHED, [row["id"] for row in rows])
        return len(rows)

    async def _send(self, stream: str, rows: list[asyncpg.Record]) -> None:
        async with self.redis.pipeline(transaction=False) as pipeline:
            for row in rows:
                entry_id = f"{row['position']}-0"
                pipeline.xadd(stream, entry(row["body"]), id=entry_id, maxlen=STREAM_MAX_LENGTH)
                _keep_state(pipeline, row["body"])
            for answer in await pipeline.execute(raise_on_error=False):
                if isinstance(answer, Exception) and not _already_there(answer):
                    raise answer


def entry(body: dict[str, Any]) -> dict[Any, Any]:
    """The fields of a stream entry: the event's, with the payload as JSON."""
    fields = {name: value for name, value in body.items() if value is not None}
    return fields | {"payload": orjson.dumps(body["payload"]).decode()}


def _already_there(answer: Exception) -> bool:
    return isinstance(answer, ResponseError) and "equal or smaller" in str(answer)


def _keep_state(pipeline: Any, body: dict[str, Any]) -> None:
    """`dialog:state:{dialog_id}`: what other services may read of a dialog, and may lose."""
    if body["dialog_id"] is None or not body["event_type"].startswith("plugin_"):
        return
    key = f"dialog:state:{body['dialog_id']}"
    state = {"last_plugin_id": body["plugin_id"], "last_message_at": body["occurred_at"]}
    if body["event_type"] == EventType.PLUGIN_INVOCATION_STARTED:
        state["pending_invocation_id"] = body["payload"]["invocation_id"]
    else:
        pipeline.hdel(key, "pending_invocation_id")
    pipeline.hset(key, mapping=state)
    pipeline.expire(key, STATE_TTL_SECONDS)
