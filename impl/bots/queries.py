"""SQL of bots. A revoked bot keeps its row, its name and its dialogs."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from generated import models
from impl.db import Executor

_BOT = """
    bots.id, bots.name, bots.created_at, bots.revoked_at, (
        SELECT count(*) FROM tokens
        WHERE tokens.bot_id = bots.id
            AND tokens.revoked_at IS NULL
            AND (tokens.expires_at IS NULL OR tokens.expires_at > now())
    ) AS tokens, (
        SELECT url FROM notification_subscriptions AS callback
        WHERE callback.bot_id = bots.id AND callback.deleted_at IS NULL
    ) AS callback_url
"""

INSERT = "INSERT INTO bots (name) VALUES ($1) ON CONFLICT (name) DO NOTHING RETURNING id"

READ = f"SELECT {_BOT} FROM bots WHERE id = $1"  # noqa: S608  # constants of our own

# Names never change and rows never go: the last bot of a page tells where the next begins.
LIST = f"""
    SELECT {_BOT} FROM bots
    WHERE $1::uuid IS NULL OR bots.name > (SELECT name FROM bots WHERE id = $1)
    ORDER BY bots.name LIMIT $2
"""  # noqa: S608  # constants of our own

# A bot's name can have the form of another bot's id: the id wins.
FIND = """
    SELECT id FROM bots WHERE id::text = lower($1) OR name = $1 ORDER BY name = $1 LIMIT 1
"""

# The first time stays.
REVOKE = "UPDATE bots SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id"


@dataclass(frozen=True, slots=True)
class Bot:
    id: UUID
    name: str
    created_at: datetime
    revoked_at: datetime | None
    tokens: int  # those that are valid now
    callback_url: str | None = None


def described(bot: Bot) -> models.BotV1:
    return models.BotV1(**asdict(bot))


async def insert_bot(executor: Executor, name: str) -> UUID | None:
    """Return None where the name is taken."""
    bot_id: UUID | None = await executor.fetchval(INSERT, name)
    return bot_id


async def read_bot(executor: Executor, bot_id: UUID) -> Bot | None:
    row = await executor.fetchrow(READ, bot_id)
    return None if row is None else Bot(**row)


async def list_bots(
    executor: Executor, *, after: UUID | None = None, limit: int | None = None
) -> list[Bot]:
    """Return them by name, those after the bot `after`; without a limit all of them."""
    return [Bot(**row) for row in await executor.fetch(LIST, after, limit)]


async def find_bot(executor: Executor, name_or_id: str) -> UUID | None:
    bot_id: UUID | None = await executor.fetchval(FIND, name_or_id)
    return bot_id


async def mark_revoked(executor: Executor, bot_id: UUID) -> bool:
    """Return whether it was this call that did; of two the second waits for the first."""
    return await executor.fetchval(REVOKE, bot_id) is not None
