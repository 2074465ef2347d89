"""What operators do with subscriptions, over the API and by command, in the caller's transaction.

The audit trail has a webhook's id and host: its whole URL may be a secret itself.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from yarl import URL

from generated.errors import (
    BotNotFound,
    DeliveryNotFound,
    SubscriptionDisabled,
    SubscriptionNotFound,
    ValidationFailed,
)
from generated.runtime.problems import InvalidValue
from impl.audit.log import Actor, record
from impl.notifications import queries
from impl.notifications.collecting_queries import ANSWERED
from impl.notifications.queries import Changes, Subscription, Wanted
from impl.outgoing.client import OutgoingClient
from impl.outgoing.urls import ForbiddenUrlError


@dataclass(frozen=True, slots=True)
class Callback:
    subscription: Subscription
    created: bool


async def check_url(client: OutgoingClient, url: str, pointer: str = "/url") -> None:
    """Before a transaction. Raises ValidationFailed for where nothing may be sent.

    A host that has no address now may have one later: each attempt looks again.
    """
    try:
        await client.check(url)
    except ForbiddenUrlError as error:
        fault = InvalidValue("body", pointer, "url_forbidden", f"Not permitted: {error}")
        raise ValidationFailed(errors=[fault]) from None
    except OSError:
        pass


async def create(connection: asyncpg.Connection, actor: Actor, wanted: Wanted) -> Subscription:
    made = await queries.insert(connection, wanted)
    await _record(connection, actor, "subscription_created", made)
    return made


async def change(
    connection: asyncpg.Connection, actor: Actor, subscription_id: UUID, changes: Changes
) -> Subscription:
    """Raises SubscriptionNotFound."""
    before = await _locked(connection, subscription_id)
    after = await queries.update(connection, subscription_id, changes)
    if after.status != before.status:
        action = "subscription_enabled" if after.status == "active" else "subscription_disabled"
        await _record(connection, actor, action, after)
    else:
        await _record(connection, actor, "subscription_changed", after)
    return after


async def rotate(
    connection: asyncpg.Connection, actor: Actor, subscription_id: UUID, overlap_seconds: int
) -> Subscription:
    """Raises SubscriptionNotFound."""
    await _locked(connection, subscription_id)
    after = await queries.rotate(connection, subscription_id, overlap_seconds)
    await _record(
        connection, actor, "subscription_secret_rotated", after, overlap_seconds=overlap_seconds
    )
    return after


async def delete(
    connection: asyncpg.Connection, actor: Actor, subscription_id: UUID
) -> Subscription:
    """Raises SubscriptionNotFound; one that was deleted before is found, and left as it is."""
    if await queries.lock(connection, subscription_id) is None:
        found = await queries.read_deleted(connection, subscription_id)
        if found is None:
            raise SubscriptionNotFound
        return found
    after = await queries.delete(connection, subscription_id)
    await _record(connection, actor, "subscription_deleted", after)
    return after


async def test(
    connection: asyncpg.Connection, actor: Actor, subscription_id: UUID
) -> dict[str, Any]:
    """A DeliveryV1. Raises SubscriptionNotFound, SubscriptionDisabled."""
    subscription = await _locked_active(connection, subscription_id)
    await _record(connection, actor, "subscription_tested", subscription)
    return await queries.insert_test(connection, subscription_id)


async def resend(
    connection: asyncpg.Connection, actor: Actor, subscription_id: UUID, delivery_id: UUID
) -> dict[str, Any]:
    """A DeliveryV1. Raises SubscriptionNotFound, SubscriptionDisabled, DeliveryNotFound."""
    subscription = await _locked_active(connection, subscription_id)
    delivery = await queries.resend(connection, subscription_id, delivery_id)
    if delivery is None:
        raise DeliveryNotFound
    await _record(connection, actor, "notification_resent", subscription, delivery_id=delivery_id)
    return delivery


async def set_callback(
    connection: asyncpg.Connection, actor: Actor, bot_id: UUID, url: str
) -> Callback:
    """Raises BotNotFound. Another URL keeps the secret, and enables it again."""
    if not await queries.lock_bot(connection, bot_id):
        raise BotNotFound
    known = await queries.lock_callback(connection, bot_id)
    if known is not None:
        changes = Changes(url=url, status="active")
        return Callback(await change(connection, actor, known.id, changes), created=False)
    wanted = Wanted(url, (ANSWERED,), "info", bot_id=bot_id)
    return Callback(await create(connection, actor, wanted), created=True)


async def remove_callback(connection: asyncpg.Connection, actor: Actor, bot_id: UUID) -> None:
    """A bot without one stays as it is."""
    known = await queries.lock_callback(connection, bot_id)
    if known is not None:
        await delete(connection, actor, known.id)


async def _locked(connection: asyncpg.Connection, subscription_id: UUID) -> Subscription:
    found = await queries.lock(connection, subscription_id)
    if found is None:
        raise SubscriptionNotFound
    return found


async def _locked_active(connection: asyncpg.Connection, subscription_id: UUID) -> Subscription:
    found = await _locked(connection, subscription_id)
    if found.status == "disabled":
        raise SubscriptionDisabled
    return found


async def _record(
    connection: asyncpg.Connection,
    actor: Actor,
    action: str,
    subscription: Subscription,
    **more: object,
) -> None:
    details = {"subscription_id": subscription.id, "host": URL(subscription.url).host}
    bot = {} if subscription.bot_id is None else {"bot_id": subscription.bot_id}
    await record(connection, actor, action, {**details, **bot, **more})
