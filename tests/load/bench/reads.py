"""What a bot waits for a dialog's newest 50 messages, however many there are."""

from collections.abc import Mapping
from typing import Any

from tests.load.bench.alone import Stage, stage
from tests.load.bench.part import Part, Progress, Size
from tests.load.bench.requests import Request, closed_loop
from tests.load.measures import Caller, medians

NEWEST = 50
MESSAGES = {"of_50": 50, "of_10_000": 10_000, "of_1_000_000": 1_000_000}
PROMISE = 1.2
CONNECTIONS = 16

# The rows as the core writes them, a message and its answer in turn. What their references would
# check is so by itself.
FILL = """
INSERT INTO messages (dialog_id, sender_type, payload, message_id, trace_id)
SELECT $1, CASE WHEN number % 2 = 1 THEN 'user' ELSE 'plugin' END,
    '{"type": "text", "text": "What was said, as long as people write."}',
    CASE WHEN number % 2 = 1 THEN number::text END, gen_random_uuid()
FROM generate_series(1, $2::bigint) AS number
"""


async def _run(size: Size, progress: Progress) -> Mapping[str, Any]:
    reads, seconds = (150, 1.5) if size.short else (1000, 5.0)
    async with stage() as built:
        dialogs = {name: await _dialog(built, number) for name, number in MESSAGES.items()}
        await built.pool.execute("ANALYZE messages")
        progress("the dialogs are there")
        caller = Caller(built.world.bot.session, built.world.bot.token)
        ways = {name: (caller.dialog(built.core, f"{dialog}?limit={NEWEST}"), 200)
                for name, dialog in dialogs.items()}  # fmt: skip
        took = await medians(ways, reads)
        path = f"/api/v1/dialogs/{dialogs['of_10_000']}?limit={NEWEST}"
        request = Request("GET", path, built.bot_headers)
        answers = await closed_loop(built.core.url, request, CONNECTIONS, seconds=seconds)
    ratio = took["of_1_000_000"] / took["of_50"]
    return {
        "newest": NEWEST,
        "p50_ms": took,
        "of_1_000_000_to_of_50": ratio,
        "of_10_000_a_second": answers.a_second,
        "connections": CONNECTIONS,
        "kept": {"newest_of_many": ratio <= PROMISE},
    }


async def _dialog(built: Stage, messages: int) -> object:
    async with built.pool.acquire() as connection, connection.transaction():
        dialog = await connection.fetchval(
            "INSERT INTO dialogs (bot_id, user_id) SELECT bot_id, user_id FROM bot_users"
            " WHERE user_id = $1 RETURNING id",
            built.user_id,
        )
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(FILL, dialog, messages, timeout=600)
    return dialog


READS = Part("reads", "The newest 50 messages of a dialog", _run)
