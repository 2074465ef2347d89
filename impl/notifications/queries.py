"""SQL of what operators do with subscriptions. Rows stay; a deleted subscription is in no list."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from generated import models
from impl.db import Executor

_COLUMNS = """id, url, event_types, min_severity, owner, bot_id, description, disabled_reason,
    disabled_at, failing_since, created_at, updated_at, salt,
    CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until"""

INSERT = f"""
INSERT INTO notification_subscriptions
    (url, event_types, min_severity, owner, description, bot_id)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING {_COLUMNS}
"""  # noqa: S608  # constants of our own

READ = f"SELECT {_COLUMNS} FROM notification_subscriptions WHERE id = $1 AND deleted_at IS NULL"  # noqa: S608  # constants of our own

LOCK = READ + " FOR NO KEY UPDATE"

LOCK_CALLBACK = f"""
SELECT {_COLUMNS} FROM notification_subscriptions
WHERE bot_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE
"""  # noqa: S608  # constants of our own

LOCK_BOT = "SELECT id FROM bots WHERE id = $1 AND revoked_at IS NULL FOR NO KEY UPDATE"

# Rows never go: the last subscription of a page tells where the next begins.
LIST = f"""
SELECT {_COLUMNS} FROM notification_subscriptions
WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR (created_at, id) < (
    SELECT created_at, id FROM notification_subscriptions WHERE id = $1))
ORDER BY created_at DESC, id DESC LIMIT $2
"""  # noqa: S608  # constants of our own

# Whoever enables it believes that it works: the days are counted anew.
UPDATE = f"""
UPDATE notification_subscriptions SET updated_at = now(),
    url = coalesce($2, url), event_types = coalesce($3, event_types),
    min_severity = coalesce($4, min_severity), description = coalesce($5, description),
    disabled_at = CASE $6 WHEN 'active' THEN NULL
        WHEN 'disabled' THEN coalesce(disabled_at, now()) ELSE disabled_at END,
    disabled_reason = CASE $6 WHEN 'active' THEN NULL
        WHEN 'disabled' THEN coalesce(disabled_reason, 'operator') ELSE disabled_reason END,
    failing_since = CASE $6 WHEN 'active' THEN NULL ELSE failing_since END
WHERE id = $1 RETURNING {_COLUMNS}
"""  # noqa: S608  # constants of our own

ROTATE = f"""
UPDATE notification_subscriptions SET updated_at = now(), salt = gen_random_uuid(),
    old_salt = CASE WHEN $2 > 0 THEN salt END,
    old_secret_until = CASE WHEN $2 > 0 THEN now() + make_interval(secs => $2) END
WHERE id = $1 RETURNING {_COLUMNS}
"""  # noqa: S608  # constants of our own

# What waits to be sent goes with it.
DELETE = f"""
WITH dropped AS (
    UPDATE notification_deliveries SET status = 'failed', finished_at = now(), claim = NULL,
        last_error = 'the subscription was deleted'
    WHERE subscription_id = $1 AND status = 'pending'
)
UPDATE notification_subscriptions SET updated_at = now(), deleted_at = now(),
    disabled_at = coalesce(disabled_at, now()),
    disabled_reason = coalesce(disabled_reason, 'operator')
WHERE id = $1 RETURNING {_COLUMNS}
"""  # noqa: S608  # constants of our own

DELETED = f"SELECT {_COLUMNS} FROM notification_subscriptions WHERE id = $1"  # noqa: S608  # constants of our own

_DELIVERY = """id, subscription_id, event_id, event_type, severity, status, attempts,
    CASE status WHEN 'pending' THEN next_attempt_at END AS next_attempt_at,
    last_status, last_error, created_at, finished_at, body AS notification"""

LIST_DELIVERIES = f"""
SELECT {_DELIVERY} FROM notification_deliveries
WHERE subscription_id = $1 AND ($2::text IS NULL OR status = $2)
    AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
ORDER BY created_at DESC, id DESC LIMIT $5
"""  # noqa: S608  # constants of our own

INSERT_TEST = f"""
INSERT INTO notification_deliveries (subscription_id, event_id, event_type, severity, body)
SELECT $1::uuid, gen_random_uuid(), 'notification_test', 'info', jsonb_build_object(
    'type', 'notification_test', 'timestamp', now(),
    'data', jsonb_build_object('subscription_id', $1::uuid))
RETURNING {_DELIVERY}
"""  # constants of our own

# An attempt that is being made counts no more.
RESEND = f"""
UPDATE notification_deliveries SET status = 'pending', attempts = 0, next_attempt_at = now(),
    claim = NULL, finished_at = NULL
WHERE id = $2 AND subscription_id = $1 RETURNING {_DELIVERY}
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Subscription:
    """As operators see it, and the salt of its secret."""

    id: UUID
    url: str
    event_types: list[str]
    min_severity: models.Severity
    owner: str | None
    bot_id: UUID | None
    description: str | None
    disabled_reason: Literal["operator", "gone", "failing"] | None
    disabled_at: datetime | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime
    salt: UUID = field(repr=False)

    @property
    def status(self) -> models.SubscriptionStatus:
        return "active" if self.disabled_at is None else "disabled"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new subscription is sent, and where."""

    url: str
    event_types: Sequence[str] = ()
    min_severity: models.Severity = "warning"
    owner: str | None = None
    description: str | None = None
    bot_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """None leaves it as it is."""

    url: str | None = None
    event_types: Sequence[str] | None = None
    min_severity: models.Severity | None = None
    description: str | None = None
    status: models.SubscriptionStatus | None = None


def _read(row: asyncpg.Record | None) -> Subscription | None:
    return None if row is None else Subscription(**row)


async def insert(executor: Executor, wanted: Wanted) -> Subscription:
    row = await executor.fetchrow(
        INSERT,
        wanted.url,
        list(wanted.event_types),
        wanted.min_severity,
        wanted.owner,
        wanted.description,
        wanted.bot_id,
    )
    return Subscription(**row)


async def read(executor: Executor, subscription_id: UUID) -> Subscription | None:
    return _read(await executor.fetchrow(READ, subscription_id))


async def read_deleted(executor: Executor, subscription_id: UUID) -> Subscription | None:
    return _read(await executor.fetchrow(DELETED, subscription_id))


async def lock(executor: Executor, subscription_id: UUID) -> Subscription | None:
    """As it is until the caller's transaction ends."""
    return _read(await executor.fetchrow(LOCK, subscription_id))


async def lock_bot(executor: Executor, bot_id: UUID) -> bool:
    """Whether there is such a bot, not revoked; of two that set its callback the second waits."""
    return await executor.fetchval(LOCK_BOT, bot_id) is not None


async def lock_callback(executor: Executor, bot_id: UUID) -> Subscription | None:
    return _read(await executor.fetchrow(LOCK_CALLBACK, bot_id))


async def list_subscriptions(
    executor: Executor, *, after: UUID | None = None, limit: int | None = None
) -> list[Subscription]:
    """Those that were made last first; without a limit all of them."""
    return [Subscription(**row) for row in await executor.fetch(LIST, after, limit)]


async def update(executor: Executor, subscription_id: UUID, changes: Changes) -> Subscription:
    types = None if changes.event_types is None else list(changes.event_types)
    values = (changes.url, types, changes.min_severity, changes.description, changes.status)
    return Subscription(**await executor.fetchrow(UPDATE, subscription_id, *values))


async def rotate(executor: Executor, subscription_id: UUID, overlap_seconds: int) -> Subscription:
    return Subscription(**await executor.fetchrow(ROTATE, subscription_id, overlap_seconds))


async def delete(executor: Executor, subscription_id: UUID) -> Subscription:
    return Subscription(**await executor.fetchrow(DELETE, subscription_id))


async def list_deliveries(
    executor: Executor,
    subscription_id: UUID,
    *,
    status: models.DeliveryStatus | None = None,
    after: tuple[datetime | None, UUID | None] = (None, None),
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """The newest first, each a DeliveryV1; `after`: when the last one was made, and its id."""
    rows = await executor.fetch(LIST_DELIVERIES, subscription_id, status, *after, limit)
    return [dict(row) for row in rows]


async def insert_test(executor: Executor, subscription_id: UUID) -> dict[str, Any]:
    return dict(await executor.fetchrow(INSERT_TEST, subscription_id))


async def resend(
    executor: Executor, subscription_id: UUID, delivery_id: UUID
) -> dict[str, Any] | None:
    row = await executor.fetchrow(RESEND, subscription_id, delivery_id)
    return None if row is None else dict(row)
