"""Two operators at once: whatever they do, one did it first, and the second saw that."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from generated.errors import (
    BotNotFound,
    PluginNotFound,
    TokenRevoked,
    ValidationFailed,
)
from generated.runtime.problems import ProblemError
from impl.audit.log import on_this_machine
from impl.bots import administration as bots
from impl.tokens.administration import actions
from impl.tokens.administration.actions import Grant, Issued
from impl.tokens.administration.queries import Holder, Token
from impl.tokens.issue import prepare
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.patience import PATIENT_SECONDS

HOUR = timedelta(hours=1)
Act = Callable[[asyncpg.Connection], Awaitable[Any]]


async def one_then_other(pool: asyncpg.Pool, one: Act, other: Act) -> tuple[Any, Any]:
    """`one` ends only when `other` waits for it; return what each got, or the problem it met."""
    async with pool.acquire() as connection, connection.transaction():
        first = await one(connection)
        task = asyncio.create_task(committed(pool, other))
        await until_somebody_waits(pool, task)
    return first, await task


async def committed(pool: asyncpg.Pool, act: Act) -> Any:
    try:
        async with pool.acquire() as connection, connection.transaction():
            return await act(connection)
    except ProblemError as problem:
        return problem


async def until_somebody_waits(pool: asyncpg.Pool, task: "asyncio.Task[Any]") -> None:
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(PATIENT_SECONDS):
        while not await pool.fetchval(waiting):
            assert not task.done(), "it did not wait"


class Bot:
    """A bot with one token, and what two operators do to them."""

    def __init__(self, pool: asyncpg.Pool, bot_id: UUID, token_id: str) -> None:
        self.pool, self.bot_id, self.token_id = pool, bot_id, token_id
        self.holder = Holder("bot", bot_id)

    async def issue(self) -> Act:
        new = await prepare("bot")
        grant = Grant(["users:write"])
        return lambda it: actions.issue(it, on_this_machine(), self.holder, new, grant)

    async def rotate(self, overlap: timedelta = HOUR) -> Act:
        new = await prepare("bot")
        return lambda it: actions.rotate(
            it, on_this_machine(), self.holder, self.token_id, new, overlap=overlap
        )

    def revoke_token(self) -> Act:
        return lambda it: actions.revoke(it, on_this_machine(), self.holder, self.token_id)

    def narrow(self, *scopes: str) -> Act:
        return lambda it: actions.narrow(
            it, on_this_machine(), self.holder, self.token_id, scopes=scopes
        )

    def revoke(self) -> Act:
        return lambda it: bots.revoke(it, on_this_machine(), self.bot_id)

    async def good(self) -> set[str]:
        """Its tokens that are good, for their own sake: whether or not the bot is revoked."""
        rows = await self.pool.fetch(
            "SELECT id FROM tokens WHERE bot_id = $1 AND revoked_at IS NULL "
            "AND (expires_at IS NULL OR expires_at > now())",
            self.bot_id,
        )
        return {row["id"] for row in rows}


@pytest.fixture
async def bot(pool: asyncpg.Pool) -> Bot:
    bot_id, new = await make_bot(pool), await prepare("bot")
    grant = Grant(["dialogs:read", "dialogs:write", "users:write"])
    issued = await committed(
        pool, lambda it: actions.issue(it, on_this_machine(), Holder("bot", bot_id), new, grant)
    )
    return Bot(pool, bot_id, issued.token.id)


async def test_a_token_that_is_being_revoked_is_not_rotated(bot: Bot, pool: asyncpg.Pool) -> None:
    _, problem = await one_then_other(pool, bot.revoke_token(), await bot.rotate())
    assert isinstance(problem, TokenRevoked)
    assert await bot.good() == set()


async def test_a_token_that_is_being_rotated_is_revoked_and_its_successor_stays(
    bot: Bot, pool: asyncpg.Pool
) -> None:
    rotated, revoked = await one_then_other(pool, await bot.rotate(), bot.revoke_token())
    assert isinstance(revoked, Token)
    assert await bot.good() == {rotated.token.id}


async def test_of_two_that_replace_a_token_at_once_one_does(bot: Bot, pool: asyncpg.Pool) -> None:
    none = timedelta(0)
    one, other = await one_then_other(pool, await bot.rotate(none), await bot.rotate(none))
    assert isinstance(other, TokenRevoked)
    assert await bot.good() == {one.token.id}


async def test_of_two_that_narrow_a_token_the_second_does_not_widen_it(
    bot: Bot, pool: asyncpg.Pool
) -> None:
    one, other = bot.narrow("dialogs:read"), bot.narrow("users:write", "dialogs:read")
    narrowed, problem = await one_then_other(pool, one, other)
    assert isinstance(problem, ValidationFailed)
    assert narrowed.scopes == ["dialogs:read"]
    kept = await pool.fetchval("SELECT scopes FROM tokens WHERE id = $1", bot.token_id)
    assert kept == ["dialogs:read"]


async def test_a_rotation_passes_on_what_another_left(bot: Bot, pool: asyncpg.Pool) -> None:
    _, rotated = await one_then_other(pool, bot.narrow("dialogs:read"), await bot.rotate())
    assert rotated.token.scopes == ["dialogs:read"]


@pytest.mark.parametrize("what", ["issue", "rotate"])
async def test_a_bot_that_is_being_revoked_gets_no_token(
    bot: Bot, pool: asyncpg.Pool, what: str
) -> None:
    act = await bot.issue() if what == "issue" else await bot.rotate()
    _, problem = await one_then_other(pool, bot.revoke(), act)
    assert isinstance(problem, BotNotFound)
    assert await bot.good() == set()


@pytest.mark.parametrize("what", ["issue", "rotate"])
async def test_a_bot_is_revoked_with_the_token_that_it_is_just_given(
    bot: Bot, pool: asyncpg.Pool, what: str
) -> None:
    """The statement that revokes its tokens must see what was committed while it waited."""
    act = await bot.issue() if what == "issue" else await bot.rotate()
    issued, done = await one_then_other(pool, act, bot.revoke())
    assert isinstance(issued, Issued)
    assert set(done.token_ids) == {bot.token_id, issued.token.id}
    assert await bot.good() == set()


async def test_a_bot_is_revoked_once(bot: Bot, pool: asyncpg.Pool) -> None:
    one, other = await one_then_other(pool, bot.revoke(), bot.revoke())
    assert (one.was_revoked, other.was_revoked) == (False, True)
    assert one.bot == other.bot
    assert await pool.fetchval("SELECT count(*) FROM audit_logs WHERE action = 'bot_revoked'") == 1


async def test_a_plugin_that_is_being_deleted_gets_no_token(pool: asyncpg.Pool) -> None:
    plugin_id, new = await make_plugin(pool, "plugins:read"), await prepare("plugin")
    holder, grant = Holder("plugin", plugin_id), Grant(["plugins:read"])

    async def delete(connection: asyncpg.Connection) -> None:
        await connection.execute("UPDATE plugins SET disabled_at = now(), deleted_at = now()")

    _, problem = await one_then_other(
        pool, delete, lambda it: actions.issue(it, on_this_machine(), holder, new, grant)
    )
    assert isinstance(problem, PluginNotFound)
    assert await pool.fetchval("SELECT count(*) FROM tokens") == 0


async def test_a_message_to_a_plugin_does_not_wait_for_its_operator(pool: asyncpg.Pool) -> None:
    """The foreign key of its call takes a lock that goes with ours."""
    plugin_id, new = await make_plugin(pool, "plugins:read"), await prepare("plugin")
    async with pool.acquire() as connection, connection.transaction():
        holder, grant = Holder("plugin", plugin_id), Grant(["plugins:read"])
        await actions.issue(connection, on_this_machine(), holder, new, grant)
        key_share = "SELECT id FROM plugins WHERE id = $1 FOR KEY SHARE NOWAIT"
        assert await pool.fetchval(key_share, plugin_id) == plugin_id


async def test_many_at_once_leave_what_some_order_leaves(bot: Bot, pool: asyncpg.Pool) -> None:
    acts = [
        *[await bot.rotate(timedelta(0)) for _ in range(4)],
        *[await bot.issue() for _ in range(4)],
        *[bot.narrow("dialogs:read", "users:write") for _ in range(4)],
        bot.revoke_token(),
        bot.revoke(),
    ]
    done = await asyncio.gather(*(committed(pool, act) for act in acts))
    assert await bot.good() == set(), "the bot is revoked, and what it was given before with it"
    assert sum(isinstance(each, Issued) for each in done[:4]) <= 1
    assert not [each for each in done if isinstance(each, Exception)
                and not isinstance(each, BotNotFound | TokenRevoked)]  # fmt: skip
