from datetime import timedelta

import asyncpg

from impl.bots import queries
from impl.tokens import queries as tokens
from impl.tokens.issue import issue
from tests.integration.tokens.rows import make_bot


async def test_a_bots_name_is_taken_once(pool: asyncpg.Pool) -> None:
    assert await queries.insert_bot(pool, "one")
    assert await queries.insert_bot(pool, "one") is None


async def test_a_bot_is_found_by_name_and_by_id_and_the_id_wins(pool: asyncpg.Pool) -> None:
    one = await make_bot(pool, "one")
    await make_bot(pool, str(one))
    assert await queries.find_bot(pool, "one") == one
    assert await queries.find_bot(pool, str(one).upper()) == one
    assert await queries.find_bot(pool, str(one)) == one
    assert await queries.find_bot(pool, "nobody") is None


async def test_bots_are_listed_with_their_valid_tokens(pool: asyncpg.Pool) -> None:
    bot_id, other_id = await make_bot(pool, "one"), await make_bot(pool, "other")
    kept = await issue(pool, "bot", subject_id=bot_id, scopes=[])
    revoked = await issue(pool, "bot", subject_id=bot_id, scopes=[])
    await issue(pool, "bot", subject_id=bot_id, scopes=[], expires_in=timedelta(seconds=-1))
    assert await tokens.revoke(pool, revoked.id)
    assert not await tokens.revoke(pool, revoked.id)
    listed = await queries.list_bots(pool)
    assert [(bot.id, bot.name, bot.tokens) for bot in listed] == [
        (bot_id, "one", 1),
        (other_id, "other", 0),
    ]
    assert await tokens.find(pool, kept.id, "bot")
