# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Every event of the contract (`events.asyncapi.yaml`): its type, stream, severity and payload."""

from pydantic import BaseModel

from generated import models
from generated.runtime.events import Event, Stream

PLUGIN_EVENTS = Stream("plugin:events", max_length=100000)
PLUGIN_INVOCATIONS = Stream("plugin:invocations:{plugin_id}", max_length=100000)
DIALOG_EVENTS = Stream("dialog:events", max_length=100000)

STREAMS = (
    PLUGIN_EVENTS,
    PLUGIN_INVOCATIONS,
    DIALOG_EVENTS,
)


# A plugin registered, or its token was rotated.
PLUGIN_REGISTERED = Event(
    "plugin_registered",
    PLUGIN_EVENTS,
    models.PluginRegisteredV1,
    fixed={"event_type": "plugin_registered", "source": "core", "severity": "info"},
)

# A plugin gave a sign of life.
PLUGIN_HEARTBEAT = Event(
    "plugin_heartbeat",
    PLUGIN_EVENTS,
    models.PluginHeartbeatV1,
    fixed={"event_type": "plugin_heartbeat", "source": "core", "severity": "info"},
)

# A plugin's heartbeats or its health failed; it is `degraded`, once for each outage.
PLUGIN_HEARTBEAT_MISSED = Event(
    "plugin_heartbeat_missed",
    PLUGIN_EVENTS,
    models.PluginHeartbeatMissedV1,
    fixed={"event_type": "plugin_heartbeat_missed", "source": "core", "severity": "warning"},
)

# A plugin's outage ended by a good probe and a sign of life.
PLUGIN_RECOVERED = Event(
    "plugin_recovered",
    PLUGIN_EVENTS,
    models.PluginRecoveredV1,
    fixed={"event_type": "plugin_recovered", "source": "core", "severity": "info"},
)

# A plugin was disabled or deleted, and is called no more.
PLUGIN_DISABLED = Event(
    "plugin_disabled",
    PLUGIN_EVENTS,
    models.PluginDisabledV1,
    fixed={"event_type": "plugin_disabled", "source": "core"},
)

# A webhook answered 410 or took nothing for days, and is sent nothing more.
SUBSCRIPTION_DISABLED = Event(
    "subscription_disabled",
    PLUGIN_EVENTS,
    models.SubscriptionDisabledV1,
    fixed={"event_type": "subscription_disabled", "source": "core", "severity": "warning"},
)

# More waits in `plugin:invocations` than the workers can drain.
SCALING_ALERT = Event(
    "scaling_alert",
    PLUGIN_EVENTS,
    models.ScalingAlertV1,
    fixed={"event_type": "scaling_alert", "source": "core", "severity": "warning"},
)

# What waited in `plugin:invocations` was drained to half of what raised the alert.
SCALING_ALERT_ENDED = Event(
    "scaling_alert_ended",
    PLUGIN_EVENTS,
    models.ScalingAlertV1,
    fixed={"event_type": "scaling_alert_ended", "source": "core", "severity": "info"},
)

# A plugin reported an event of its own; `event_type` is the one that it named.
PLUGIN_REPORTED = Event(
    "plugin_reported",
    PLUGIN_EVENTS,
    models.PluginReportedV1,
    fixed={"source": "plugin"},
)

# A language model's availability fell below the bound; the other provider answers.
LLM_UNAVAILABLE = Event(
    "llm_unavailable",
    PLUGIN_EVENTS,
    models.LLMUnavailableV1,
    fixed={"event_type": "llm_unavailable", "source": "core", "severity": "warning"},
)

# Redis is away, or the streams are late; the core goes on without.
CORE_DEGRADED = Event(
    "core_degraded",
    PLUGIN_EVENTS,
    models.CoreDegradedV1,
    fixed={"event_type": "core_degraded", "source": "core", "severity": "warning"},
)

# Redis is there again, and the streams have caught up.
CORE_RECOVERED = Event(
    "core_recovered",
    PLUGIN_EVENTS,
    models.CoreRecoveredV1,
    fixed={"event_type": "core_recovered", "source": "core", "severity": "info"},
)

# A plugin call waits to be made, or to be made again.
PLUGIN_INVOCATION_QUEUED = Event(
    "plugin_invocation_queued",
    PLUGIN_INVOCATIONS,
    models.PluginInvocationEntryV1,
    fixed={"event_type": "plugin_invocation_queued", "source": "core", "severity": "info"},
    empty=frozenset(["request_payload", "response_payload"]),
)

# A plugin call is being made.
PLUGIN_INVOCATION_STARTED = Event(
    "plugin_invocation_started",
    PLUGIN_INVOCATIONS,
    models.PluginInvocationEntryV1,
    fixed={"event_type": "plugin_invocation_started", "source": "core", "severity": "info"},
    empty=frozenset(["request_payload", "response_payload"]),
)

# A plugin answered.
PLUGIN_INVOCATION_COMPLETED = Event(
    "plugin_invocation_completed",
    PLUGIN_INVOCATIONS,
    models.PluginInvocationEntryV1,
    fixed={"event_type": "plugin_invocation_completed", "source": "core", "severity": "info"},
    empty=frozenset(["request_payload", "response_payload"]),
)

# A plugin call failed.
PLUGIN_FAILED = Event(
    "plugin_failed",
    PLUGIN_INVOCATIONS,
    models.PluginInvocationEntryV1,
    fixed={"event_type": "plugin_failed", "source": "core"},
    empty=frozenset(["request_payload", "response_payload"]),
)

# A plugin did not answer before the deadline.
PLUGIN_TIMEOUT = Event(
    "plugin_timeout",
    PLUGIN_INVOCATIONS,
    models.PluginInvocationEntryV1,
    fixed={"event_type": "plugin_timeout", "source": "core", "severity": "warning"},
    empty=frozenset(["request_payload", "response_payload"]),
)

# A person became known to the core.
USER_CREATED = Event(
    "user_created",
    DIALOG_EVENTS,
    models.UserCreatedV1,
    fixed={"event_type": "user_created", "source": "core", "severity": "info"},
)

# A user was erased, or one bot's part of them.
USER_ERASED = Event(
    "user_erased",
    DIALOG_EVENTS,
    models.UserErasedV1,
    fixed={"event_type": "user_erased", "source": "core", "severity": "info"},
)

# A dialog's messages were deleted.
DIALOG_RESET = Event(
    "dialog_reset",
    DIALOG_EVENTS,
    models.DialogResetV1,
    fixed={"event_type": "dialog_reset", "source": "core", "severity": "info"},
)

EVENTS = {
    event.name: event
    for event in (
        PLUGIN_REGISTERED,
        PLUGIN_HEARTBEAT,
        PLUGIN_HEARTBEAT_MISSED,
        PLUGIN_RECOVERED,
        PLUGIN_DISABLED,
        SUBSCRIPTION_DISABLED,
        SCALING_ALERT,
        SCALING_ALERT_ENDED,
        PLUGIN_REPORTED,
        LLM_UNAVAILABLE,
        CORE_DEGRADED,
        CORE_RECOVERED,
        PLUGIN_INVOCATION_QUEUED,
        PLUGIN_INVOCATION_STARTED,
        PLUGIN_INVOCATION_COMPLETED,
        PLUGIN_FAILED,
        PLUGIN_TIMEOUT,
        USER_CREATED,
        USER_ERASED,
        DIALOG_RESET,
    )
}
PAYLOADS: dict[str, type[BaseModel]] = {name: event.payload for name, event in EVENTS.items()}
