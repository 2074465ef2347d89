"""SQL of the sender. A claim fences: what an attempt found counts while the delivery is its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from generated.events import SUBSCRIPTION_DISABLED
from impl.db import Executor
from impl.events.log import published

# Each subscription has places of its own, so that one that hangs fills these and no other's. The
# rows are picked in a CTE: as a subquery the join might run it, and lock, again and again.
CLAIM = """
WITH free AS MATERIALIZED (
    SELECT subscription.id, coalesce(held.places, $2) AS places
    FROM notification_subscriptions AS subscription
    LEFT JOIN unnest($3::uuid[], $4::int[]) AS held (id, places) USING (id)
    WHERE disabled_at IS NULL
), due AS MATERIALIZED (
    SELECT waiting.id FROM free CROSS JOIN LATERAL (
        SELECT id FROM notification_deliveries
        WHERE subscription_id = free.id AND status = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT free.places FOR UPDATE SKIP LOCKED
    ) AS waiting LIMIT $5
)
UPDATE notification_deliveries AS delivery SET claim = gen_random_uuid(),
    attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => $1)
FROM due, notification_subscriptions AS subscription
WHERE delivery.id = due.id AND subscription.id = subscription_id
RETURNING delivery.id, subscription_id, event_type, body, attempts, claim, url, salt,
    CASE WHEN old_secret_until > now() THEN old_salt END AS old_salt,
    extract(epoch FROM clock_timestamp())::bigint AS moment
"""

RELEASE = """
UPDATE notification_deliveries SET claim = NULL, next_attempt_at = now(), attempts = attempts - 1
WHERE claim = ANY($1) AND status = 'pending'
"""

# One row's lock a statement: operators lock the subscription first, and then deliveries of it.
WELL = """
UPDATE notification_subscriptions SET failing_since = NULL
WHERE id = $1 AND failing_since IS NOT NULL
"""
ILL = """
UPDATE notification_subscriptions SET failing_since = now() WHERE id = $1 AND failing_since IS NULL
"""

DELIVERED = """
UPDATE notification_deliveries SET status = 'delivered', claim = NULL, last_status = $3,
    last_error = NULL, finished_at = now()
WHERE id = $1 AND claim = $2 AND status = 'pending'
RETURNING id
"""

# Without a pause it is given up.
FAILED = """
UPDATE notification_deliveries SET claim = NULL, last_status = $3, last_error = $4,
    status = CASE WHEN $5::float8 IS NULL THEN 'failed' ELSE 'pending' END,
    finished_at = CASE WHEN $5::float8 IS NULL THEN now() END,
    next_attempt_at = now() + make_interval(secs => coalesce($5, 0))
WHERE id = $1 AND claim = $2 AND status = 'pending'
RETURNING id
"""

DISABLE = f"""
WITH dead AS (
    UPDATE notification_subscriptions SET disabled_at = now(), updated_at = now(),
        disabled_reason = CASE WHEN $2 THEN 'gone' ELSE 'failing' END
    WHERE id = $1 AND disabled_at IS NULL
        AND ($2 OR failing_since <= now() - make_interval(secs => $3 * 86400))
    RETURNING id AS subscription_id, disabled_reason AS reason, failing_since
)
{published(SUBSCRIPTION_DISABLED, "dead", event_id="$4", trace_id="$5")}
SELECT subscription_id FROM dead
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is this worker's to make, and the database's time in seconds since 1970."""

    id: UUID
    subscription_id: UUID
    event_type: str
    body: dict[str, Any]
    attempts: int  # this one included
    claim: UUID
    url: str
    salt: UUID
    old_salt: UUID | None
    moment: int


async def claim(
    executor: Executor, lease_seconds: float, most: int, free: Mapping[UUID, int], at_once: int
) -> list[Due]:
    """At most `most` of each subscription, and of those in `free` as many; `at_once` of all."""
    places = list(free.values())
    rows = await executor.fetch(CLAIM, lease_seconds, most, list(free), places, at_once)
    return [Due(**row) for row in rows]


async def release(executor: Executor, claims: list[UUID]) -> None:
    """Gives attempts back that were not made, for another worker to make at once."""
    await executor.execute(RELEASE, claims)


async def note_delivered(executor: Executor, due: Due, status: int | None) -> bool:
    """Whether it was still this worker's, as below."""
    # First: who dies in between sends it again, and never forgets that it arrived.
    await executor.execute(WELL, due.subscription_id)
    return await executor.fetchval(DELIVERED, due.id, due.claim, status) is not None


async def note_failed(
    executor: Executor, due: Due, status: int | None, error: str | None, pause: float | None
) -> bool:
    """To be made again after `pause` seconds; None gives it up."""
    values = (due.id, due.claim, status, error, pause)
    noted = await executor.fetchval(FAILED, *values) is not None
    if noted:
        await executor.execute(ILL, due.subscription_id)
    return noted


async def disable(
    executor: Executor, subscription_id: UUID, *, gone: bool, days: float, trace_id: str
) -> bool:
    """Whether this call did: where it is gone, or nothing arrived for `days`."""
    event_id = SUBSCRIPTION_DISABLED.new_id()
    values = (subscription_id, gone, days, event_id, trace_id)
    return await executor.fetchval(DISABLE, *values) is not None
