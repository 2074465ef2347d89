from dataclasses import dataclass
from uuid import UUID, uuid4

from generated.events import EventType
from impl.db import Executor
from impl.events.log import EVENT_ROWS, stream_of

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
), event AS (
    SELECT $6::uuid AS event_id, 'core' AS source, '{EventType.USER_CREATED}' AS event_type,
        'info' AS severity, $7 AS stream, NULL::uuid AS plugin_id, NULL::uuid AS dialog_id,
        $8::uuid AS trace_id, jsonb_build_object('user_id', id) AS payload
    FROM person WHERE created
)
{EVENT_ROWS}
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
        uuid4(),
        stream_of(EventType.USER_CREATED),
        trace_id,
    )
    return Upserted(row["user_id"], row["created"])
