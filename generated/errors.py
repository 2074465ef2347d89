# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Every error code of the contract (`errors.yaml`), each with its exception."""

from typing import Literal

from generated.runtime.problems import ProblemError

ErrorCode = Literal[
    "invalid_json",
    "invalid_utf8",
    "duplicate_key",
    "unsupported_schema_version",
    "missing_credentials",
    "invalid_credentials",
    "insufficient_scope",
    "not_found",
    "dialog_not_found",
    "message_not_found",
    "user_not_found",
    "plugin_not_found",
    "bot_not_found",
    "token_not_found",
    "subject_not_found",
    "subscription_not_found",
    "delivery_not_found",
    "method_not_allowed",
    "not_acceptable",
    "message_in_flight",
    "plugin_conflict",
    "bot_name_taken",
    "token_revoked",
    "subscription_disabled",
    "body_too_large",
    "unsupported_media_type",
    "validation_failed",
    "message_id_reused",
    "event_id_reused",
    "last_event_id_expired",
    "rate_limited",
    "too_many_streams",
    "internal_error",
    "database_unavailable",
    "overloaded",
    "queue_full",
]


class InvalidJson(ProblemError):  # noqa: N818  # named by its code
    """Invalid JSON."""

    code = "invalid_json"
    status = 400
    title = "Invalid JSON"
    default_detail = "The body is not one JSON value, or holds NaN or Infinity."


class InvalidUtf8(ProblemError):  # noqa: N818  # named by its code
    """Not UTF-8."""

    code = "invalid_utf8"
    status = 400
    title = "Not UTF-8"
    default_detail = "The body is not UTF-8."


class DuplicateKey(ProblemError):  # noqa: N818  # named by its code
    """Duplicate key."""

    code = "duplicate_key"
    status = 400
    title = "Duplicate key"
    default_detail = "An object names a key twice."


class UnsupportedSchemaVersion(ProblemError):  # noqa: N818  # named by its code
    """Unsupported schema version."""

    code = "unsupported_schema_version"
    status = 400
    title = "Unsupported schema version"
    default_detail = (
        "`X-Schema-Version` names a version that is not served; the detail lists those that are."
    )


class MissingCredentials(ProblemError):  # noqa: N818  # named by its code
    """Credentials missing."""

    code = "missing_credentials"
    status = 401
    title = "Credentials missing"
    default_detail = "The request carries no token."


class InvalidCredentials(ProblemError):  # noqa: N818  # named by its code
    """Credentials invalid."""

    code = "invalid_credentials"
    status = 401
    title = "Credentials invalid"
    default_detail = "The token is malformed, unknown, expired or revoked."


class InsufficientScope(ProblemError):  # noqa: N818  # named by its code
    """Scope missing."""

    code = "insufficient_scope"
    status = 403
    title = "Scope missing"
    default_detail = "The token is good but lacks a scope that the operation needs."


class NotFound(ProblemError):  # noqa: N818  # named by its code
    """No such path."""

    code = "not_found"
    status = 404
    title = "No such path"
    default_detail = "Nothing is served at this path."


class DialogNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such dialog."""

    code = "dialog_not_found"
    status = 404
    title = "No such dialog"
    default_detail = "The dialog does not exist, or belongs to another bot."


class MessageNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such message."""

    code = "message_not_found"
    status = 404
    title = "No such message"
    default_detail = "The dialog has no such message, or belongs to another bot."


class UserNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such user."""

    code = "user_not_found"
    status = 404
    title = "No such user"
    default_detail = "The user does not exist, or this bot has not registered them."


class PluginNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such plugin."""

    code = "plugin_not_found"
    status = 404
    title = "No such plugin"
    default_detail = "The plugin does not exist, or the token belongs to another."


class BotNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such bot."""

    code = "bot_not_found"
    status = 404
    title = "No such bot"
    default_detail = "The bot does not exist, or is revoked."


class TokenNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such token."""

    code = "token_not_found"
    status = 404
    title = "No such token"
    default_detail = "The token does not exist, or is not of this bot or plugin."


class SubjectNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such subject."""

    code = "subject_not_found"
    status = 404
    title = "No such subject"
    default_detail = "No such bot, user or plugin exists."


class SubscriptionNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such subscription."""

    code = "subscription_not_found"
    status = 404
    title = "No such subscription"
    default_detail = "The subscription does not exist, or was deleted."


class DeliveryNotFound(ProblemError):  # noqa: N818  # named by its code
    """No such delivery."""

    code = "delivery_not_found"
    status = 404
    title = "No such delivery"
    default_detail = "The delivery does not exist, or is of another subscription."


class MethodNotAllowed(ProblemError):  # noqa: N818  # named by its code
    """Method not allowed."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"
    default_detail = "`Allow` lists the methods of this path."


class NotAcceptable(ProblemError):  # noqa: N818  # named by its code
    """Not acceptable."""

    code = "not_acceptable"
    status = 406
    title = "Not acceptable"
    default_detail = "`Accept` excludes the media type that the operation answers with."


class MessageInFlight(ProblemError):  # noqa: N818  # named by its code
    """Message in flight."""

    code = "message_in_flight"
    status = 409
    title = "Message in flight"
    default_detail = (
        "The same message is still being answered; repeat the request after `Retry-After`."
    )


class PluginConflict(ProblemError):  # noqa: N818  # named by its code
    """Plugin conflict."""

    code = "plugin_conflict"
    status = 409
    title = "Plugin conflict"
    default_detail = (
        "The name and version are registered with another manifest, or were deleted; raise "
        "the version. With another manifest, the plugin's own token helps too."
    )


class BotNameTaken(ProblemError):  # noqa: N818  # named by its code
    """Name taken."""

    code = "bot_name_taken"
    status = 409
    title = "Name taken"
    default_detail = "Another bot has this name, or had it before it was revoked."


class TokenRevoked(ProblemError):  # noqa: N818  # named by its code
    """Token revoked."""

    code = "token_revoked"
    status = 409
    title = "Token revoked"
    default_detail = "The token is revoked or expired; issue another."


class SubscriptionDisabled(ProblemError):  # noqa: N818  # named by its code
    """Subscription disabled."""

    code = "subscription_disabled"
    status = 409
    title = "Subscription disabled"
    default_detail = "The subscription is sent nothing; enable it first."


class BodyTooLarge(ProblemError):  # noqa: N818  # named by its code
    """Body too large."""

    code = "body_too_large"
    status = 413
    title = "Body too large"
    default_detail = "The body exceeds the cap that the detail names."


class UnsupportedMediaType(ProblemError):  # noqa: N818  # named by its code
    """Unsupported media type."""

    code = "unsupported_media_type"
    status = 415
    title = "Unsupported media type"
    default_detail = "The body is not `application/json` in UTF-8."


class ValidationFailed(ProblemError):  # noqa: N818  # named by its code
    """Values refused."""

    code = "validation_failed"
    status = 422
    title = "Values refused"
    default_detail = "Values break the contract; `errors` points at each of them."


class MessageIdReused(ProblemError):  # noqa: N818  # named by its code
    """Message id reused."""

    code = "message_id_reused"
    status = 422
    title = "Message id reused"
    default_detail = (
        "The message id was used in this dialog for another message; a new message needs a new id."
    )


class EventIdReused(ProblemError):  # noqa: N818  # named by its code
    """Event id reused."""

    code = "event_id_reused"
    status = 422
    title = "Event id reused"
    default_detail = "The event id names another event; a new event needs a new id."


class LastEventIdExpired(ProblemError):  # noqa: N818  # named by its code
    """Event id expired."""

    code = "last_event_id_expired"
    status = 422
    title = "Event id expired"
    default_detail = (
        "`Last-Event-ID` names a place whose events are no longer kept, or were never here; "
        "connect without it, and read what was missed from the list of events."
    )


class RateLimited(ProblemError):  # noqa: N818  # named by its code
    """Too many requests."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"
    default_detail = (
        "A quota is used up, or the token has as many requests under way as it may; "
        "`RateLimit` tells which, and `Retry-After` when to come back."
    )


class TooManyStreams(ProblemError):  # noqa: N818  # named by its code
    """Too many streams."""

    code = "too_many_streams"
    status = 429
    title = "Too many streams"
    default_detail = "The token has as many streams open as it may; end one of them."


class InternalError(ProblemError):
    """Internal error."""

    code = "internal_error"
    status = 500
    title = "Internal error"
    default_detail = "Our mistake; the log holds it under the trace id."


class DatabaseUnavailable(ProblemError):  # noqa: N818  # named by its code
    """Database unavailable."""

    code = "database_unavailable"
    status = 503
    title = "Database unavailable"
    default_detail = (
        "Nothing was stored that was not acknowledged; repeat the request after `Retry-After`."
    )


class Overloaded(ProblemError):  # noqa: N818  # named by its code
    """Overloaded."""

    code = "overloaded"
    status = 503
    title = "Overloaded"
    default_detail = "The process takes no more work now; repeat the request after `Retry-After`."


class QueueFull(ProblemError):  # noqa: N818  # named by its code
    """Queue full."""

    code = "queue_full"
    status = 503
    title = "Queue full"
    default_detail = (
        "As many calls wait as may; nothing was stored, repeat the request after `Retry-After`."
    )


ERRORS: dict[str, type[ProblemError]] = {
    "invalid_json": InvalidJson,
    "invalid_utf8": InvalidUtf8,
    "duplicate_key": DuplicateKey,
    "unsupported_schema_version": UnsupportedSchemaVersion,
    "missing_credentials": MissingCredentials,
    "invalid_credentials": InvalidCredentials,
    "insufficient_scope": InsufficientScope,
    "not_found": NotFound,
    "dialog_not_found": DialogNotFound,
    "message_not_found": MessageNotFound,
    "user_not_found": UserNotFound,
    "plugin_not_found": PluginNotFound,
    "bot_not_found": BotNotFound,
    "token_not_found": TokenNotFound,
    "subject_not_found": SubjectNotFound,
    "subscription_not_found": SubscriptionNotFound,
    "delivery_not_found": DeliveryNotFound,
    "method_not_allowed": MethodNotAllowed,
    "not_acceptable": NotAcceptable,
    "message_in_flight": MessageInFlight,
    "plugin_conflict": PluginConflict,
    "bot_name_taken": BotNameTaken,
    "token_revoked": TokenRevoked,
    "subscription_disabled": SubscriptionDisabled,
    "body_too_large": BodyTooLarge,
    "unsupported_media_type": UnsupportedMediaType,
    "validation_failed": ValidationFailed,
    "message_id_reused": MessageIdReused,
    "event_id_reused": EventIdReused,
    "last_event_id_expired": LastEventIdExpired,
    "rate_limited": RateLimited,
    "too_many_streams": TooManyStreams,
    "internal_error": InternalError,
    "database_unavailable": DatabaseUnavailable,
    "overloaded": Overloaded,
    "queue_full": QueueFull,
}
