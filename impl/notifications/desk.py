"""What the handlers of subscriptions and of bots' callbacks share: resources, and models out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import asyncpg

from generated import models
from impl.cursor import Cursors
from impl.db import Pool
from impl.notifications.queries import Subscription
from impl.notifications.signing import Secrets
from impl.outgoing.client import OutgoingClient


@dataclass(frozen=True, slots=True)
class SubscriptionDesk:
    """`client` is the one of webhooks: it says where nothing may be sent."""

    pool: Pool
    client: OutgoingClient
    secrets: Secrets
    cursors: Cursors

    def created(self, subscription: Subscription) -> models.SubscriptionCreatedV1:
        return models.SubscriptionCreatedV1(
            subscription=described(subscription), secret=self.secret(subscription)
        )

    def secret(self, subscription: Subscription) -> str:
        return self.secrets.of(subscription.id, subscription.salt)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection


def described(subscription: Subscription) -> models.SubscriptionV1:
    members = asdict(subscription)
    del members["salt"]
    return models.SubscriptionV1(**members, status=subscription.status)
