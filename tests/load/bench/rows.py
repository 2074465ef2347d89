"""Whether everybody stored the same: so many rows of each table for a message."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from tests.faults.errors import CannotRunError

A_MESSAGE = {
    "dialogs": 1,  # each message is in a dialog of its own
    "message_keys": 1,
    "messages": 2,
    "plugin_calls": 1,
    "plugin_events": 2,
    "audit_logs": 2,
    "outbox": 2,
}
OPEN = """
SELECT count(*) FROM message_keys AS key JOIN plugin_calls AS call USING (dialog_id, message_id)
WHERE key.response IS NULL OR call.status <> 'succeeded'
"""
SETTLE_SECONDS = 15


@dataclass(frozen=True)
class Rows:
    """What was stored since a count: of `messages`, so many of each table."""

    messages: int
    each: Mapping[str, float]

    @property
    def whole(self) -> bool:
        return self.messages > 0 and self.each == A_MESSAGE


async def count_rows(dsn: str) -> dict[str, int]:
    connection = await asyncpg.connect(dsn)
    try:
        return {table: await connection.fetchval(f"SELECT count(*) FROM {table}")
                for table in A_MESSAGE}  # fmt: skip
    finally:
        await connection.close()


async def stored_since(dsn: str, before: Mapping[str, int]) -> Rows:
    """Once every message that was begun is answered: wrk leaves some without waiting."""
    await _all_answered(dsn)
    now = await count_rows(dsn)
    made = {table: now[table] - before[table] for table in now}
    messages = made["message_keys"]
    return Rows(messages, {table: number / max(messages, 1) for table, number in made.items()})


async def _all_answered(dsn: str) -> None:
    """Raises CannotRunError where a message is not, or was answered by a failure."""
    ends = time.monotonic() + SETTLE_SECONDS
    connection = await asyncpg.connect(dsn)
    try:
        while left := await connection.fetchval(OPEN):  # what other processes store
            if time.monotonic() > ends:
                raise CannotRunError(f"{left} messages were not answered by the plugin")
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
