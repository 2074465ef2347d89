"""What a developer's own botcore needs: one bot, one user, and a key of each kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from impl.db import Executor
from impl.tokens import queries
from impl.tokens.format import Kind, parse
from impl.tokens.issue import issue
from impl.tokens.scopes import ADMIN_SCOPES, REGISTRY_SCOPES
from impl.tokens.verifier import VerifiedToken, check

# How its keys are told from those that an operator made.
NAME = "development"
LOCK = 0x626F74646576  # "botdev"

# A developer's bot that was revoked works again: `botcore up` always ends with one that does.
MAKE_BOT = """
    INSERT INTO bots (name) VALUES ('development')
    ON CONFLICT (name) DO UPDATE SET revoked_at = NULL
    RETURNING id
"""

MAKE_USER = """
    WITH made AS (
        INSERT INTO users (telegram_id, locale) VALUES (1, 'en')
        ON CONFLICT (telegram_id) DO UPDATE SET updated_at = users.updated_at
        RETURNING id
    ), member AS (
        INSERT INTO bot_users (bot_id, user_id, display_name, locale)
        SELECT $1, id, 'Developer', 'en' FROM made
        ON CONFLICT DO NOTHING
    )
    SELECT id FROM made
"""


# Whoever lost one cannot say so; what this run does not hand out, nobody shall have.
REVOKE_LOST_KEYS = """
    UPDATE tokens SET revoked_at = now()
    WHERE kind IN ('admin', 'registry')
        AND name = $1
        AND revoked_at IS NULL
        AND id <> ALL ($2::text[])
"""


@dataclass(frozen=True, slots=True)
class _Key:
    variable: str
    kind: Kind
    scopes: frozenset[str]


BOT_SCOPES = frozenset({"dialogs:read", "dialogs:write", "users:erase", "users:write"})
KEYS = (
    _Key("BOTCORE_BOT_TOKEN", "bot", BOT_SCOPES),
    _Key("BOTCORE_REGISTRY_KEY", "registry", REGISTRY_SCOPES),
    _Key(
        "BOTCORE_ADMIN_KEY",
        "admin",
        ADMIN_SCOPES,
    ),
)


async def ensure(database_url: str, previous: Mapping[str, str]) -> dict[str, str]:
    """Return BOTCORE_BOT_TOKEN, BOTCORE_REGISTRY_KEY, BOTCORE_ADMIN_KEY and USER_ID.

    What is good in `previous` (the same names) stays; the rest is issued anew. Of what was issued
    here before nothing else stays valid.
    """
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            return await _ensure(connection, previous)
    finally:
        await connection.close()


async def _ensure(executor: Executor, previous: Mapping[str, str]) -> dict[str, str]:
    bot_id: UUID = await executor.fetchval(MAKE_BOT)
    values = {"USER_ID": str(await executor.fetchval(MAKE_USER, bot_id))}
    for key in KEYS:
        subject_id = bot_id if key.kind == "bot" else None
        values[key.variable] = await _ensure_key(
            executor, key, subject_id, previous.get(key.variable, "")
        )
    known = [parsed.id for key in KEYS if (parsed := parse(values[key.variable]))]
    await queries.revoke_bot_tokens_except(executor, bot_id, known)
    await executor.execute(REVOKE_LOST_KEYS, NAME, known)
    return values


async def _ensure_key(executor: Executor, key: _Key, subject_id: UUID | None, previous: str) -> str:
    found = await _verified(executor, key.kind, previous)
    if found and found.subject_id == subject_id and found.scopes >= key.scopes:
        return previous
    # Ours, but too narrow for what a developer needs today. (Bot tokens: see _ensure.)
    if found and key.kind != "bot":
        await queries.revoke(executor, found.token_id)
    new = await issue(executor, key.kind, subject_id=subject_id, scopes=key.scopes, name=NAME)
    return new.plaintext


async def _verified(executor: Executor, kind: Kind, text: str) -> VerifiedToken | None:
    parsed = parse(text)
    if parsed is None or parsed.kind != kind:
        return None
    found = await check(executor, parsed, text)
    return found[0] if found else None
