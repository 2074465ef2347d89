# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `notifications`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.core.security import AdminKey, Authenticator
from generated.errors import ERRORS
from generated.runtime import edge as runtime
from generated.runtime.edge import (
    Call,
    Edge,
    Endpoint,
    Operation,
    Rendered,
    Reply,
    Result,
)
from generated.runtime.problems import InvalidValue
from generated.runtime.validation import read_json, read_strings


@dataclass(slots=True, kw_only=True)
class ListSubscriptions200:
    """A page of subscriptions."""

    body: models.SubscriptionPageV1 | Rendered[models.SubscriptionPageV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListSubscriptions422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


ListSubscriptionsResult = ListSubscriptions200 | ListSubscriptions422


@dataclass(slots=True, kw_only=True)
class CreateSubscription201:
    """The subscription is new. Keep the secret; it is shown this once."""

    body: models.SubscriptionCreatedV1 | Rendered[models.SubscriptionCreatedV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[201]] = 201

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(201, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class CreateSubscription422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


CreateSubscriptionResult = CreateSubscription201 | CreateSubscription422


@dataclass(slots=True, kw_only=True)
class GetSubscription200:
    """The subscription."""

    body: models.SubscriptionV1 | Rendered[models.SubscriptionV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class GetSubscription404:
    """Absent, or not yours."""

    code: Literal["subscription_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class GetSubscription422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


GetSubscriptionResult = GetSubscription200 | GetSubscription404 | GetSubscription422


@dataclass(slots=True, kw_only=True)
class DeleteSubscription200:
    """The subscription is deleted; it is shown as it was."""

    body: models.SubscriptionV1 | Rendered[models.SubscriptionV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class DeleteSubscription404:
    """Absent, or not yours."""

    code: Literal["subscription_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class DeleteSubscription422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


DeleteSubscriptionResult = DeleteSubscription200 | DeleteSubscription404 | DeleteSubscription422


@dataclass(slots=True, kw_only=True)
class UpdateSubscription200:
    """The subscription as it is now."""

    body: models.SubscriptionV1 | Rendered[models.SubscriptionV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class UpdateSubscription404:
    """Absent, or not yours."""

    code: Literal["subscription_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class UpdateSubscription422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


UpdateSubscriptionResult = UpdateSubscription200 | UpdateSubscription404 | UpdateSubscription422


@dataclass(slots=True, kw_only=True)
class RotateSubscriptionSecret201:
    """The new secret. Keep it; it is shown this once."""

    body: models.SubscriptionCreatedV1 | Rendered[models.SubscriptionCreatedV1]
    cache_control: Literal["no-store"] = "no-store"
    status: ClassVar[Literal[201]] = 201

    def reply(self) -> Reply:
        headers = {
            "Cache-Control": str(self.cache_control),
        }
        return Reply(201, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class RotateSubscriptionSecret404:
    """Absent, or not yours."""

    code: Literal["subscription_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class RotateSubscriptionSecret422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


RotateSubscriptionSecretResult = (
    RotateSubscriptionSecret201 | RotateSubscriptionSecret404 | RotateSubscriptionSecret422
)


@dataclass(slots=True, kw_only=True)
class TestSubscription201:
    """The delivery waits to be sent."""

    body: models.DeliveryV1 | Rendered[models.DeliveryV1]
    status: ClassVar[Literal[201]] = 201

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(201, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class TestSubscription404:
    """Absent, or not yours."""

    code: Literal["subscription_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class TestSubscription409:
    """Another request or registration stands in the way."""

    code: Literal["subscription_disabled"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[409]] = 409

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class TestSubscription422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


TestSubscriptionResult = (
    TestSubscription201 | TestSubscription404 | TestSubscription409 | TestSubscription422
)


@dataclass(slots=True, kw_only=True)
class ListDeliveries200:
    """A page of deliveries."""

    body: models.DeliveryPageV1 | Rendered[models.DeliveryPageV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListDeliveries404:
    """Absent, or not yours."""

    code: Literal["subscription_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class ListDeliveries422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


ListDeliveriesResult = ListDeliveries200 | ListDeliveries404 | ListDeliveries422


@dataclass(slots=True, kw_only=True)
class ResendDelivery200:
    """The delivery waits to be sent."""

    body: models.DeliveryV1 | Rendered[models.DeliveryV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ResendDelivery404:
    """Absent, or not yours."""

    code: Literal["subscription_not_found", "delivery_not_found"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[404]] = 404

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class ResendDelivery409:
    """Another request or registration stands in the way."""

    code: Literal["subscription_disabled"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[409]] = 409

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


@dataclass(slots=True, kw_only=True)
class ResendDelivery422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


ResendDeliveryResult = ResendDelivery200 | ResendDelivery404 | ResendDelivery409 | ResendDelivery422


class NotificationsHandlers(Protocol):
    """What `impl/` fills in for the tag `notifications`."""

    async def list_subscriptions(
        self, admin_key: AdminKey, query: models.ListSubscriptionsQuery
    ) -> ListSubscriptionsResult:
        """List the subscriptions."""
        ...

    async def create_subscription(
        self, admin_key: AdminKey, body: models.SubscriptionCreateV1
    ) -> CreateSubscriptionResult:
        """Subscribe a webhook."""
        ...

    async def get_subscription(
        self, admin_key: AdminKey, path: models.GetSubscriptionPath
    ) -> GetSubscriptionResult:
        """Read a subscription."""
        ...

    async def delete_subscription(
        self, admin_key: AdminKey, path: models.DeleteSubscriptionPath
    ) -> DeleteSubscriptionResult:
        """Delete a subscription."""
        ...

    async def update_subscription(
        self,
        admin_key: AdminKey,
        path: models.UpdateSubscriptionPath,
        body: models.SubscriptionUpdateV1,
    ) -> UpdateSubscriptionResult:
        """Change a subscription."""
        ...

    async def rotate_subscription_secret(
        self,
        admin_key: AdminKey,
        path: models.RotateSubscriptionSecretPath,
        body: models.SecretRotateV1,
    ) -> RotateSubscriptionSecretResult:
        """Replace a subscription's secret, with an overlap."""
        ...

    async def test_subscription(
        self, admin_key: AdminKey, path: models.TestSubscriptionPath
    ) -> TestSubscriptionResult:
        """Send a test notification."""
        ...

    async def list_deliveries(
        self,
        admin_key: AdminKey,
        path: models.ListDeliveriesPath,
        query: models.ListDeliveriesQuery,
    ) -> ListDeliveriesResult:
        """List what was sent to a subscription."""
        ...

    async def resend_delivery(
        self, admin_key: AdminKey, path: models.ResendDeliveryPath
    ) -> ResendDeliveryResult:
        """Send a notification again."""
        ...


LIST_SUBSCRIPTIONS = Operation(
    id="listSubscriptions",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        ListSubscriptions200,
        ListSubscriptions422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
LIST_SUBSCRIPTIONS_SCOPES = frozenset({"notifications:manage"})

CREATE_SUBSCRIPTION = Operation(
    id="createSubscription",
    produces="application/json",
    takes_body=True,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        CreateSubscription201,
        CreateSubscription422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
CREATE_SUBSCRIPTION_SCOPES = frozenset({"notifications:manage"})

GET_SUBSCRIPTION = Operation(
    id="getSubscription",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "subscription_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        GetSubscription200,
        GetSubscription404,
        GetSubscription422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
GET_SUBSCRIPTION_SCOPES = frozenset({"notifications:manage"})

DELETE_SUBSCRIPTION = Operation(
    id="deleteSubscription",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "subscription_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        DeleteSubscription200,
        DeleteSubscription404,
        DeleteSubscription422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
DELETE_SUBSCRIPTION_SCOPES = frozenset({"notifications:manage"})

UPDATE_SUBSCRIPTION = Operation(
    id="updateSubscription",
    produces="application/json",
    takes_body=True,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "subscription_not_found",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        UpdateSubscription200,
        UpdateSubscription404,
        UpdateSubscription422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
UPDATE_SUBSCRIPTION_SCOPES = frozenset({"notifications:manage"})

ROTATE_SUBSCRIPTION_SECRET = Operation(
    id="rotateSubscriptionSecret",
    produces="application/json",
    takes_body=True,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "subscription_not_found",
            "invalid_json",
            "invalid_utf8",
            "duplicate_key",
            "body_too_large",
            "unsupported_media_type",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        RotateSubscriptionSecret201,
        RotateSubscriptionSecret404,
        RotateSubscriptionSecret422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
ROTATE_SUBSCRIPTION_SECRET_SCOPES = frozenset({"notifications:manage"})

TEST_SUBSCRIPTION = Operation(
    id="testSubscription",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "subscription_not_found",
            "subscription_disabled",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        TestSubscription201,
        TestSubscription404,
        TestSubscription409,
        TestSubscription422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
TEST_SUBSCRIPTION_SCOPES = frozenset({"notifications:manage"})

LIST_DELIVERIES = Operation(
    id="listDeliveries",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "subscription_not_found",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        ListDeliveries200,
        ListDeliveries404,
        ListDeliveries422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
LIST_DELIVERIES_SCOPES = frozenset({"notifications:manage"})

RESEND_DELIVERY = Operation(
    id="resendDelivery",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "subscription_not_found",
            "delivery_not_found",
            "subscription_disabled",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        ResendDelivery200,
        ResendDelivery404,
        ResendDelivery409,
        ResendDelivery422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
RESEND_DELIVERY_SCOPES = frozenset({"notifications:manage"})


def notifications_router(
    handlers: NotificationsHandlers, authenticator: Authenticator, edge: Edge
) -> APIRouter:
    """The router of the tag `notifications`, its operations bound to `handlers`."""

    async def list_subscriptions(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, LIST_SUBSCRIPTIONS_SCOPES)
        query = read_strings(models.ListSubscriptionsQuery, call.query(), "query")
        return await handlers.list_subscriptions(admin_key, query)

    async def create_subscription(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, CREATE_SUBSCRIPTION_SCOPES)
        call.refuse_query()
        body = read_json(models.SubscriptionCreateV1, await call.body(), 72)
        return await handlers.create_subscription(admin_key, body)

    async def get_subscription(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, GET_SUBSCRIPTION_SCOPES)
        path = read_strings(models.GetSubscriptionPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.get_subscription(admin_key, path)

    async def delete_subscription(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, DELETE_SUBSCRIPTION_SCOPES)
        path = read_strings(models.DeleteSubscriptionPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.delete_subscription(admin_key, path)

    async def update_subscription(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, UPDATE_SUBSCRIPTION_SCOPES)
        path = read_strings(models.UpdateSubscriptionPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.SubscriptionUpdateV1, await call.body(), 72)
        return await handlers.update_subscription(admin_key, path, body)

    async def rotate_subscription_secret(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, ROTATE_SUBSCRIPTION_SECRET_SCOPES)
        path = read_strings(models.RotateSubscriptionSecretPath, call.scope["path_params"], "path")
        call.refuse_query()
        body = read_json(models.SecretRotateV1, await call.body(), 3)
        return await handlers.rotate_subscription_secret(admin_key, path, body)

    async def test_subscription(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, TEST_SUBSCRIPTION_SCOPES)
        path = read_strings(models.TestSubscriptionPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.test_subscription(admin_key, path)

    async def list_deliveries(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, LIST_DELIVERIES_SCOPES)
        path = read_strings(models.ListDeliveriesPath, call.scope["path_params"], "path")
        query = read_strings(models.ListDeliveriesQuery, call.query(), "query")
        return await handlers.list_deliveries(admin_key, path, query)

    async def resend_delivery(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, RESEND_DELIVERY_SCOPES)
        path = read_strings(models.ResendDeliveryPath, call.scope["path_params"], "path")
        call.refuse_query()
        return await handlers.resend_delivery(admin_key, path)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/notifications/subscriptions",
            Endpoint(
                edge,
                {
                    "GET": (LIST_SUBSCRIPTIONS, list_subscriptions),
                    "POST": (CREATE_SUBSCRIPTION, create_subscription),
                },
            ),
            name="listSubscriptions",
        ),
        Route(
            "/api/v1/notifications/subscriptions/{subscription_id}",
            Endpoint(
                edge,
                {
                    "GET": (GET_SUBSCRIPTION, get_subscription),
                    "DELETE": (DELETE_SUBSCRIPTION, delete_subscription),
                    "PATCH": (UPDATE_SUBSCRIPTION, update_subscription),
                },
            ),
            name="getSubscription",
        ),
        Route(
            "/api/v1/notifications/subscriptions/{subscription_id}/rotate-secret",
            Endpoint(
                edge,
                {
                    "POST": (ROTATE_SUBSCRIPTION_SECRET, rotate_subscription_secret),
                },
            ),
            name="rotateSubscriptionSecret",
        ),
        Route(
            "/api/v1/notifications/subscriptions/{subscription_id}/test",
            Endpoint(
                edge,
                {
                    "POST": (TEST_SUBSCRIPTION, test_subscription),
                },
            ),
            name="testSubscription",
        ),
        Route(
            "/api/v1/notifications/subscriptions/{subscription_id}/deliveries",
            Endpoint(
                edge,
                {
                    "GET": (LIST_DELIVERIES, list_deliveries),
                },
            ),
            name="listDeliveries",
        ),
        Route(
            "/api/v1/notifications/subscriptions/{subscription_id}/deliveries/{delivery_id}/resend",
            Endpoint(
                edge,
                {
                    "POST": (RESEND_DELIVERY, resend_delivery),
                },
            ),
            name="resendDelivery",
        ),
    ]
    return APIRouter(routes=routes)
