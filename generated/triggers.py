# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Every trigger that the core runs (`triggers.yaml`), and the figures that they are decided by."""

from typing import Final

from generated.runtime.triggers import Trigger

# A plugin gives no sign of life for more than `heartbeat_missed_seconds`, or its
# probe fails `probe_failures` times in a row
PLUGIN_LOST = Trigger("plugin-lost", severity="warning", events=["plugin_heartbeat_missed"])
# A plugin in an outage answers a probe well and has given a sign of life since the
# outage began
PLUGIN_BACK = Trigger("plugin-back", severity="info", events=["plugin_recovered"])
# A `plugin_failed` of the severity `critical`, which the plugin reported itself, or
# the core published since `plugin_critical_failures` answers in a row broke the
# contract or were refusals
TR_004 = Trigger("TR-004", severity="critical", events=["plugin_disabled", "plugin_failed"])
# Of a language model's calls in `llm_window_seconds`, `llm_window_calls` or more,
# fewer than `llm_availability` (as a share) were good
TR_005 = Trigger("TR-005", severity="warning", events=["llm_unavailable"])
# Redis is away for more than `degraded_redis_seconds`, or a stream is more than
# `degraded_lag_seconds` late
TR_009 = Trigger("TR-009", severity="warning", events=["core_degraded", "core_recovered"])
# More than `scaling_alert_entries` wait in `plugin:invocations`, as calls in the
# queue that may be made now and as entries that are not published yet
TR_010 = Trigger("TR-010", severity="warning", events=["scaling_alert", "scaling_alert_ended"])
# A webhook answers 410, or no notification has arrived there for
# `notification_failing_days`
SUBSCRIPTION_DEAD = Trigger(
    "subscription-dead", severity="warning", events=["subscription_disabled"]
)

TRIGGERS: dict[str, Trigger] = {
    "plugin-lost": PLUGIN_LOST,
    "plugin-back": PLUGIN_BACK,
    "TR-004": TR_004,
    "TR-005": TR_005,
    "TR-008": TR_004,
    "TR-009": TR_009,
    "TR-010": TR_010,
    "subscription-dead": SUBSCRIPTION_DEAD,
}

# The defaults of settings.
HEARTBEAT_MISSED_SECONDS: Final = 120
PLUGIN_CRITICAL_FAILURES: Final = 50
LLM_WINDOW_SECONDS: Final = 300
LLM_WINDOW_CALLS: Final = 34
LLM_AVAILABILITY: Final = 0.97
DEGRADED_REDIS_SECONDS: Final = 30
DEGRADED_LAG_SECONDS: Final = 5
DEGRADED_RECOVERY_SECONDS: Final = 5
SCALING_ALERT_ENTRIES: Final = 1000
NOTIFICATION_FAILING_DAYS: Final = 5

# What no setting changes.
PROBE_FAILURES: Final = 3
