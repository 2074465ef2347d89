from dataclasses import dataclass
from uuid import UUID

from generated.events import USER_CREATED
from impl.db import Executor
from impl.events.log import published

# xmax is 0 on a row that this statement inserted, and not on one that it updated.
UPSERT_USER = f"""
WITH person AS (
    INSERT INTO users (telegram_id, locale) VALUES ($2, $4)
    ON CONFLICT (telegram_id) DO UPDATE
        SET locale = coalesce(excluded.locale, users.locale), updated_at = now()
    RETURNING id, xmax = 0 AS created
), member AS (
    INSERT INTO bot_users (bot_id, user_id, display_name, locale, metadata)
    SELECT $1, id, $3, $4, $5 FROM person
    ON CONFLICT (bot_id, user_id) DO UPDATE
        SET display_name = excluded.display_name, locale = excluded.locale,
            metadata = excluded.metadata, updated_at = now()
    RETURNING user_id, xmax = 0 AS created
), news AS (SELECT id AS user_id FROM person WHERE created)
{published(USER_CREATED, "news", event_id="$6", trace_id="$7")}
SELECT user_id, created FROM member
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Upserted:
    user_id: UUID
    created: bool


async def upsert_user(
    executor: Executor,
    *,
    bot_id: UUID,
    telegram_id: int,
    display_name: str,
    locale: str | None,
    metadata: object,
    trace_id: str,
) -> Upserted:
    row = await executor.fetchrow(
        UPSERT_USER,
        bot_id,
        telegram_id,
        display_name,
        locale,
        metadata,
        USER_CREATED.new_id(),
        trace_id,
    )
    return Upserted(row["user_id"], row["created"])
