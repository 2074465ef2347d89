# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Every event of the contract (`events.asyncapi.yaml`): its type, stream and payload."""

from enum import StrEnum

from pydantic import BaseModel

from generated import models


class EventType(StrEnum):
    """What happened."""

    PLUGIN_REGISTERED = "plugin_registered"
    PLUGIN_HEARTBEAT = "plugin_heartbeat"
    PLUGIN_INVOCATION_STARTED = "plugin_invocation_started"
    PLUGIN_INVOCATION_COMPLETED = "plugin_invocation_completed"
    PLUGIN_FAILED = "plugin_failed"
    PLUGIN_TIMEOUT = "plugin_timeout"
    USER_CREATED = "user_created"


STREAMS: dict[EventType, str] = {
    EventType.PLUGIN_REGISTERED: "plugin:events",
    EventType.PLUGIN_HEARTBEAT: "plugin:events",
    EventType.PLUGIN_INVOCATION_STARTED: "plugin:invocations:{plugin_id}",
    EventType.PLUGIN_INVOCATION_COMPLETED: "plugin:invocations:{plugin_id}",
    EventType.PLUGIN_FAILED: "plugin:invocations:{plugin_id}",
    EventType.PLUGIN_TIMEOUT: "plugin:invocations:{plugin_id}",
    EventType.USER_CREATED: "dialog:events",
}

PAYLOADS: dict[EventType, type[BaseModel]] = {
    EventType.PLUGIN_REGISTERED: models.PluginRegisteredV1,
    EventType.PLUGIN_HEARTBEAT: models.PluginHeartbeatV1,
    EventType.PLUGIN_INVOCATION_STARTED: models.PluginInvocationEntryV1,
    EventType.PLUGIN_INVOCATION_COMPLETED: models.PluginInvocationEntryV1,
    EventType.PLUGIN_FAILED: models.PluginInvocationEntryV1,
    EventType.PLUGIN_TIMEOUT: models.PluginInvocationEntryV1,
    EventType.USER_CREATED: models.UserCreatedV1,
}
