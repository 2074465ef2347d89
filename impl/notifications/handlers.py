from datetime import datetime
from uuid import UUID

from generated import models
from generated.core.notifications import (
    CreateSubscription201,
    CreateSubscriptionResult,
    DeleteSubscription200,
    DeleteSubscriptionResult,
    GetSubscription200,
    GetSubscriptionResult,
    ListDeliveries200,
    ListDeliveriesResult,
    ListSubscriptions200,
    ListSubscriptionsResult,
    ResendDelivery200,
    ResendDeliveryResult,
    RotateSubscriptionSecret201,
    RotateSubscriptionSecretResult,
    TestSubscription201,
    TestSubscriptionResult,
    UpdateSubscription200,
    UpdateSubscriptionResult,
)
from generated.core.security import AdminKey
from generated.errors import SubscriptionNotFound
from impl.audit.log import by_key
from impl.notifications import administration, queries
from impl.notifications.desk import SubscriptionDesk, described
from impl.notifications.queries import Changes, Subscription, Wanted


class NotificationHandlers:
    """The operations of the tag `notifications`."""

    def __init__(self, desk: SubscriptionDesk) -> None:
        self._desk = desk

    async def list_subscriptions(
        self, admin_key: AdminKey, query: models.ListSubscriptionsQuery
    ) -> ListSubscriptionsResult:
        cursors = self._desk.cursors.of("subscriptions")
        after = None if query.cursor is None else UUID(cursors.read(query.cursor)[0])
        # One more than asked for tells whether there is a further page.
        found = await queries.list_subscriptions(
            self._desk.pool, after=after, limit=query.limit + 1
        )
        shown = found[: query.limit]
        more = len(found) > len(shown)
        page = models.SubscriptionPageV1(
            items=[described(subscription) for subscription in shown],
            next_cursor=cursors.write(shown[-1].id) if more else None,
        )
        return ListSubscriptions200(body=page)

    async def create_subscription(
        self, admin_key: AdminKey, body: models.SubscriptionCreateV1
    ) -> CreateSubscriptionResult:
        await administration.check_url(self._desk.client, body.url)
        wanted = Wanted(**body.model_dump())
        async with self._desk.transaction() as connection:
            made = await administration.create(connection, by_key(admin_key), wanted)
        return CreateSubscription201(body=self._desk.created(made))

    async def get_subscription(
        self, admin_key: AdminKey, path: models.GetSubscriptionPath
    ) -> GetSubscriptionResult:
        return GetSubscription200(body=described(await self._present(path.subscription_id)))

    async def update_subscription(
        self,
        admin_key: AdminKey,
        path: models.UpdateSubscriptionPath,
        body: models.SubscriptionUpdateV1,
    ) -> UpdateSubscriptionResult:
        if body.url is not None:
            await administration.check_url(self._desk.client, body.url)
        changes = Changes(**body.model_dump())
        async with self._desk.transaction() as connection:
            after = await administration.change(
                connection, by_key(admin_key), path.subscription_id, changes
            )
        return UpdateSubscription200(body=described(after))

    async def delete_subscription(
        self, admin_key: AdminKey, path: models.DeleteSubscriptionPath
    ) -> DeleteSubscriptionResult:
        async with self._desk.transaction() as connection:
            after = await administration.delete(connection, by_key(admin_key), path.subscription_id)
        return DeleteSubscription200(body=described(after))

    async def rotate_subscription_secret(
        self,
        admin_key: AdminKey,
        path: models.RotateSubscriptionSecretPath,
        body: models.SecretRotateV1,
    ) -> RotateSubscriptionSecretResult:
        async with self._desk.transaction() as connection:
            after = await administration.rotate(
                connection, by_key(admin_key), path.subscription_id, body.overlap_seconds
            )
        return RotateSubscriptionSecret201(body=self._desk.created(after))

    async def test_subscription(
        self, admin_key: AdminKey, path: models.TestSubscriptionPath
    ) -> TestSubscriptionResult:
        async with self._desk.transaction() as connection:
            delivery = await administration.test(
                connection, by_key(admin_key), path.subscription_id
            )
        return TestSubscription201(body=models.DeliveryV1.model_validate(delivery))

    async def list_deliveries(
        self,
        admin_key: AdminKey,
        path: models.ListDeliveriesPath,
        query: models.ListDeliveriesQuery,
    ) -> ListDeliveriesResult:
        await self._present(path.subscription_id)
        cursors = self._desk.cursors.of("deliveries", path.subscription_id, query.status)
        after: tuple[datetime | None, UUID | None] = (None, None)
        if query.cursor is not None:
            moment, delivery_id = cursors.read(query.cursor)
            after = datetime.fromisoformat(moment), UUID(delivery_id)
        rows = await queries.list_deliveries(
            self._desk.pool,
            path.subscription_id,
            status=query.status,
            after=after,
            limit=query.limit + 1,
        )
        page, cursor = cursors.page(rows, query.limit, "created_at", "id")
        found = {"items": page, "next_cursor": cursor}
        return ListDeliveries200(body=models.DeliveryPageV1.model_validate(found))

    async def resend_delivery(
        self, admin_key: AdminKey, path: models.ResendDeliveryPath
    ) -> ResendDeliveryResult:
        async with self._desk.transaction() as connection:
            delivery = await administration.resend(
                connection, by_key(admin_key), path.subscription_id, path.delivery_id
            )
        return ResendDelivery200(body=models.DeliveryV1.model_validate(delivery))

    async def _present(self, subscription_id: UUID) -> Subscription:
        found = await queries.read(self._desk.pool, subscription_id)
        if found is None:
            raise SubscriptionNotFound
        return found
