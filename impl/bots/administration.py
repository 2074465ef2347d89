"""What operators do with bots, over the API and by command alike, in the caller's transaction."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from generated.errors import BotNameTaken, BotNotFound
from impl.audit.log import Actor, record
from impl.audit.log import revoked as told
from impl.bots import queries
from impl.bots.queries import Bot
from impl.notifications.administration import remove_callback
from impl.tokens.administration import actions
from impl.tokens.administration.actions import Grant, Issued
from impl.tokens.administration.queries import Holder
from impl.tokens.issue import PreparedToken
from impl.tokens.queries import revoke_bot_tokens_except


@dataclass(frozen=True, slots=True)
class Revoked:
    bot: Bot
    token_ids: list[str]  # what this call revoked
    was_revoked: bool


async def create(
    connection: asyncpg.Connection,
    actor: Actor,
    name: str,
    first: PreparedToken,
    grant: Grant,
) -> tuple[Bot, Issued]:
    """Raises BotNameTaken."""
    bot_id = await queries.insert_bot(connection, name)
    if bot_id is None:
        raise BotNameTaken
    await record(connection, actor, "bot_created", {"bot_id": bot_id, "name": name})
    issued = await actions.issue(connection, actor, Holder("bot", bot_id), first, grant)
    return await _read(connection, bot_id), issued


async def revoke(connection: asyncpg.Connection, actor: Actor, bot_id: UUID) -> Revoked:
    """Raises BotNotFound; a bot that was revoked before is found, and left as it is."""
    token_ids: list[str] = []
    revoked = await queries.mark_revoked(connection, bot_id)
    if revoked:
        # A statement of its own, behind the bot's lock: it sees what was issued until then.
        token_ids = await revoke_bot_tokens_except(connection, bot_id, [])
        await remove_callback(connection, actor, bot_id)
        details = {"bot_id": bot_id, **told(token_ids)}
        await record(connection, actor, "bot_revoked", details)
    return Revoked(await _read(connection, bot_id), token_ids, not revoked)


async def _read(connection: asyncpg.Connection, bot_id: UUID) -> Bot:
    bot = await queries.read_bot(connection, bot_id)
    if bot is None:
        raise BotNotFound
    return bot
