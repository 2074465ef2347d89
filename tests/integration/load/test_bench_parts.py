"""What the bench's figures rest on: the load that it makes, and the rows that it fills in."""

import asyncpg
import pytest

from impl.dialogs.queries.reading import read_dialog
from tests.faults.errors import CannotRunError
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.load.bench.alone import quick_plugin
from tests.load.bench.filling import EXCHANGES, fill, some_dialogs
from tests.load.bench.requests import Request, closed_loop
from tests.load.usage import postmaster, processor_seconds

TRACE = "0b6f2a52-3c1f-4a53-9f4e-3d1f6f3c9a10"
LOST = """
SELECT count(*) FROM messages
LEFT JOIN dialogs ON dialogs.id = dialog_id
LEFT JOIN plugin_calls AS call ON call.dialog_id = dialogs.id AND call.trace_id = messages.trace_id
LEFT JOIN message_keys AS key
    ON key.dialog_id = dialogs.id AND key.message_id = call.invocation_id::text
LEFT JOIN plugin_events AS event ON event.id = call.invocation_id
LEFT JOIN audit_logs AS audit ON audit.event_id = event.id
WHERE dialogs.id IS NULL OR call.id IS NULL OR key.dialog_id IS NULL OR audit.id IS NULL
"""


async def test_a_closed_loop_asks_as_often_as_it_should() -> None:
    async with quick_plugin() as url:
        request = Request("POST", "/invoke", {}, lambda: {"trace_id": TRACE})
        answers = await closed_loop(url, request, 4, most=50)
    assert len(answers.took) == answers.statuses[200] == 50
    assert answers.a_second > 0
    assert 0 < answers.at(50) <= answers.at(99)


async def test_a_closed_loop_ends_where_it_is_refused() -> None:
    async with quick_plugin(health="503 Service Unavailable") as url:
        with pytest.raises(CannotRunError, match="503"):
            await closed_loop(url, Request("GET", "/health", {}), 2, seconds=5)


async def test_what_is_filled_in_is_whole(pool: asyncpg.Pool) -> None:
    bot_id = await make_bot(pool)
    await make_plugin(pool)
    user_id = await pool.fetchval("INSERT INTO users (telegram_id) VALUES (7) RETURNING id")
    await pool.execute(
        "INSERT INTO bot_users (bot_id, user_id, display_name) VALUES ($1, $2, 'Ada')",
        bot_id,
        user_id,
    )
    await fill(pool, user_id, 2000, lambda _: None)

    assert await pool.fetchval("SELECT count(*) FROM messages") == 2000
    assert await pool.fetchval(LOST) == 0
    dialogs = await some_dialogs(pool)
    assert len(set(dialogs)) == 50
    found = await read_dialog(pool, bot_id=bot_id, dialog_id=dialogs[7], before=None, limit=100)
    assert found is not None
    assert [each["sender_type"] for each in found["messages"]] == ["user", "plugin"] * EXCHANGES


async def test_the_database_is_told_from_others(pool: asyncpg.Pool) -> None:
    pid = await postmaster(pool)
    before = processor_seconds(pid)
    await pool.fetchval("SELECT count(md5(n::text)) FROM generate_series(1, 300000) AS n")
    assert processor_seconds(pid) > before
