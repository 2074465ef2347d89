"""Tables as they are after so many messages, made by SQL.

A message and its answer, with key, call, audit row and event, are written for each dialog in turn:
what one dialog holds lies as far apart as where people write at the same time. The ids are spread
evenly over all that there are and come in order, so that no index is built in random places.
Nothing of the schema is left out; references are not checked, for they are right by the way in
which they are made.
"""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from tests.load.bench.part import Progress

EXCHANGES = 10  # in each dialog
PATIENCE_SECONDS = 1800
SOME = 50
HOURS = 24  # between two exchanges of a dialog: none is within a conversation's minutes

SPREAD = """
CREATE FUNCTION pg_temp.spread(at bigint, most bigint) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex(at * ((1::bigint << 60) / most)), 15, '0') || '08000000000000000')::uuid
$$
"""

DIALOGS = """
INSERT INTO dialogs (id, bot_id, user_id)
SELECT pg_temp.spread(d, $1), bot_id, user_id
FROM generate_series(0, $1::bigint - 1) AS d, bot_users WHERE user_id = $2
"""

# Exchange $2 of each of $1 dialogs; `id` is the trace's, the call's, the message's, the event's.
_EACH = f"""
FROM (
    SELECT pg_temp.spread(d, $1) AS dialog, pg_temp.spread(d * {EXCHANGES} + $2, $1 * {EXCHANGES})
        AS id, d * {EXCHANGES} + $2 AS number, $1 * {EXCHANGES} AS most,
        now() - make_interval(hours => {HOURS} * ({EXCHANGES} - $2::int)) AS at
    FROM generate_series(0, $1::bigint - 1) AS d OFFSET 0
) AS exchange, plugins
"""
TABLES = (
    f"""
    INSERT INTO messages (id, dialog_id, sender_type, payload, message_id, trace_id, created_at)
    SELECT pg_temp.spread(number * 2, most * 2), dialog, 'user',
        '{{"type": "text", "text": "Hello!"}}', exchange.id, exchange.id, at {_EACH}
    """,
    f"""
    INSERT INTO messages (id, dialog_id, sender_type, plugin_id, payload, trace_id, created_at)
    SELECT pg_temp.spread(number * 2 + 1, most * 2), dialog, 'plugin', plugins.id,
        '{{"text": "done"}}', exchange.id, at {_EACH}
    """,
    f"""
    INSERT INTO message_keys (dialog_id, message_id, fingerprint, invocation_id, response,
        created_at)
    SELECT dialog, exchange.id, sha256('what was sent'), exchange.id,
        repeat('answer', 50)::bytea, at {_EACH}
    """,
    f"""
    INSERT INTO plugin_calls (id, plugin_id, dialog_id, invocation_id, message_id,
        request_payload, response_payload, routing, latency_ms, status, trace_id, created_at,
        started_at, finished_at)
    SELECT exchange.id, plugins.id, dialog, exchange.id, exchange.id,
        jsonb_build_object('request', repeat('member ', 60)), '{{"text": "done"}}',
        '{{"kind": "fallback"}}', 5, 'succeeded', exchange.id, at, at, at {_EACH}
    """,
    f"""
    INSERT INTO audit_logs (event_id, source, action, details, trace_id, created_at)
    SELECT exchange.id, 'core', 'plugin_invocation_completed',
        jsonb_build_object('details', repeat('member ', 30)), exchange.id, at {_EACH}
    """,
    f"""
    INSERT INTO plugin_events (id, plugin_id, source, event_type, payload, dialog_id, occurred_at)
    SELECT exchange.id, plugins.id, 'core', 'plugin_invocation_completed',
        jsonb_build_object('details', repeat('member ', 30)), dialog, at {_EACH}
    """,
)


async def fill(pool: asyncpg.Pool, user_id: object, messages: int, progress: Progress) -> None:
    """`messages`, questions and answers together, in dialogs of one user; then ANALYZE.

    There is one plugin, which answered them all.
    """
    dialogs = messages // (2 * EXCHANGES)
    began = time.monotonic()
    async with pool.acquire() as connection:
        await _prepare(connection)
        await connection.execute(DIALOGS, dialogs, user_id, timeout=PATIENCE_SECONDS)
        await asyncio.gather(
            _exchanges(pool, dialogs, TABLES[:3]),
            _exchanges(pool, dialogs, TABLES[3:]),
        )
        await connection.execute("ANALYZE", timeout=PATIENCE_SECONDS)
        await connection.execute("CHECKPOINT", timeout=PATIENCE_SECONDS)
    progress(f"{messages} messages are stored, after {time.monotonic() - began:.0f} s")


async def _exchanges(pool: asyncpg.Pool, dialogs: int, tables: Sequence[str]) -> None:
    async with pool.acquire() as connection:
        await _prepare(connection)
        for number in range(EXCHANGES):
            for table in tables:
                await connection.execute(table, dialogs, number, timeout=PATIENCE_SECONDS)


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.execute("SET session_replication_role = replica")
    await connection.execute(SPREAD)


async def some_dialogs(pool: asyncpg.Pool) -> list[UUID]:
    """As many in each database, from all over the table."""
    rows = await pool.fetch(
        "SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS at, count(*) OVER () AS size"
        " FROM dialogs) AS found WHERE at % (size / $1) = 0 LIMIT $1",
        SOME,
    )
    return [row["id"] for row in rows]
