# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Every metric of the contract (`x-metrics`), and the values that its labels may take."""

from dataclasses import dataclass
from typing import Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from generated.runtime.metrics import Family, Gauge

OperationLabel = Literal[
    "upsertUser",
    "eraseUser",
    "getDialog",
    "addDialogMessage",
    "getDialogMessage",
    "resetDialog",
    "listPlugins",
    "listPluginEvents",
    "streamPluginEvents",
    "registerPlugin",
    "sendPluginHeartbeat",
    "reportPluginEvent",
    "listBots",
    "createBot",
    "revokeBot",
    "listBotTokens",
    "issueBotToken",
    "revokeBotToken",
    "narrowBotToken",
    "rotateBotToken",
    "setBotCallback",
    "removeBotCallback",
    "listPluginTokens",
    "issuePluginToken",
    "revokePluginToken",
    "narrowPluginToken",
    "rotatePluginToken",
    "listAllPlugins",
    "deletePlugin",
    "enablePlugin",
    "disablePlugin",
    "getLimit",
    "setLimit",
    "resetLimit",
    "explainRouting",
    "listAuditEntries",
    "listSubscriptions",
    "createSubscription",
    "getSubscription",
    "deleteSubscription",
    "updateSubscription",
    "rotateSubscriptionSecret",
    "testSubscription",
    "listDeliveries",
    "resendDelivery",
    "getContract",
    "getPluginContract",
    "getEventsContract",
    "getReferencePage",
    "getReferenceScript",
    "getHealth",
    "getReadiness",
    "getMetrics",
    "none",
]
StatusLabel = Literal[
    200,
    201,
    202,
    400,
    401,
    403,
    404,
    405,
    406,
    409,
    413,
    415,
    422,
    429,
    500,
    503,
    499,
]
CodeLabel = Literal[
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
    "client_disconnected",
]
ReasonLabel = Literal[
    "requests",
    "work",
    "connections",
    "token",
]
ConnectionsCutTotalReasonLabel = Literal[
    "slow_head",
    "slow_body",
    "slow_reader",
    "too_many",
]
StageLabel = Literal[
    "command",
    "regex",
    "custom",
    "classifier",
    "fallback",
    "failure",
    "none",
]
PluginCallsTotalCodeLabel = Literal[
    "plugin_unavailable",
    "plugin_timeout",
    "plugin_rejected",
    "plugin_answer_invalid",
    "plugin_answer_too_large",
    "plugin_output_invalid",
    "plugin_circuit_open",
    "no_plugin_available",
    "dialog_reset",
    "none",
]
PluginRetriesTotalReasonLabel = Literal[
    "no_connection",
    "no_answer",
    "busy",
]
KindLabel = Literal[
    "prompt",
    "completion",
]
ProviderLabel = Literal[
    "openai",
    "local",
]
SubsystemLabel = Literal[
    "routing",
    "text_reply",
    "other",
]
LlmRequestsTotalOperationLabel = Literal[
    "invoke",
    "classify",
    "generate_code",
    "health",
]
OutcomeLabel = Literal[
    "ok",
    "failed",
    "cached",
]
LlmErrorsTotalCodeLabel = Literal[
    "timeout",
    "unavailable",
    "rate_limited",
    "quota_exceeded",
    "refused",
    "invalid_answer",
    "answer_too_large",
    "not_supported",
]
QueueLabel = Literal[
    "calls",
    "lost_calls",
    "outbox",
    "notifications",
]
StreamLabel = Literal[
    "plugin:events",
    "plugin:invocations",
    "dialog:events",
]
PluginsStatusLabel = Literal[
    "registering",
    "active",
    "degraded",
    "disabled",
]
ResultLabel = Literal[
    "ok",
    "unhealthy",
    "golden_example",
]
PluginOutagesTotalReasonLabel = Literal[
    "heartbeat",
    "health",
]
DependencyLabel = Literal[
    "database",
    "redis",
]
ToLabel = Literal[
    "degraded",
    "normal",
]
DegradedTransitionsTotalReasonLabel = Literal[
    "redis",
    "lag",
]
StateLabel = Literal[
    "used",
    "idle",
]
EndLabel = Literal[
    "client",
    "database",
    "max_seconds",
    "slow",
    "stopping",
    "token",
]
TableLabel = Literal[
    "audit_logs",
    "message_keys",
    "outbox",
    "plugin_events",
]
CauseLabel = Literal[
    "asked",
    "deadline",
    "plugin_busy",
    "retry",
]
ClassifierTrainingsTotalOutcomeLabel = Literal[
    "published",
    "failed",
]
TriggerLabel = Literal[
    "plugin-lost",
    "plugin-back",
    "TR-004",
    "TR-005",
    "TR-009",
    "TR-010",
    "subscription-dead",
]
NotificationsTotalResultLabel = Literal[
    "delivered",
    "failed",
    "given_up",
]
MetricLabel = Literal[
    "botcore_requests_total",
    "botcore_request_errors_total",
    "botcore_error_rate",
    "botcore_request_latency_seconds",
    "botcore_core_latency_seconds",
    "botcore_requests_under_way",
    "botcore_requests_refused_total",
    "botcore_work_under_way",
    "botcore_work_limit",
    "botcore_work_wait_seconds",
    "botcore_connections",
    "botcore_connections_cut_total",
    "botcore_routing_decisions_total",
    "botcore_routing_seconds",
    "botcore_plugin_calls_total",
    "botcore_plugin_latency_seconds",
    "botcore_plugin_retries_total",
    "botcore_plugin_breakers_open",
    "botcore_token_usage_total",
    "llm_requests_total",
    "llm_tokens_total",
    "llm_errors_total",
    "botcore_llm_quotas_alone",
    "botcore_queue_depth",
    "botcore_stream_lag_seconds",
    "botcore_sample_age_seconds",
    "botcore_plugins",
    "botcore_plugins_differing",
    "botcore_plugin_probes_total",
    "botcore_plugin_outages_total",
    "botcore_plugin_recoveries_total",
    "botcore_dependency_up",
    "botcore_degraded",
    "botcore_degraded_transitions_total",
    "botcore_limits_alone",
    "botcore_database_connections",
    "botcore_database_connections_limit",
    "botcore_events_published_total",
    "botcore_event_streams",
    "botcore_event_streams_ended_total",
    "botcore_rows_removed_total",
    "botcore_calls_recovered_total",
    "botcore_calls_queued_total",
    "botcore_queue_wait_seconds",
    "botcore_classifier_trainings_total",
    "botcore_triggers_fired_total",
    "botcore_scaling_alert",
    "botcore_notifications_total",
    "botcore_metric_mistakes_total",
]


class RequestsTotal(Family[Counter]):
    """Requests by operation and status; 499 where the caller left before it."""

    def at(self, operation: OperationLabel, status: StatusLabel) -> Counter:
        return self.child(operation, status)


class RequestErrorsTotal(Family[Counter]):
    """Requests that were answered by an error, by its code."""

    def at(self, operation: OperationLabel, code: CodeLabel) -> Counter:
        return self.child(operation, code)


class RequestLatencySeconds(Family[Histogram]):
    """From a request to its answer, by operation; a plugin's time is in it."""

    def at(self, operation: OperationLabel) -> Histogram:
        return self.child(operation)


class RequestsRefusedTotal(Family[Counter]):
    """Requests refused by this process, by what there was too much of."""

    def at(self, reason: ReasonLabel) -> Counter:
        return self.child(reason)


class ConnectionsCutTotal(Family[Counter]):
    """Connections of clients that this process broke off, by why."""

    def at(self, reason: ConnectionsCutTotalReasonLabel) -> Counter:
        return self.child(reason)


class RoutingDecisionsTotal(Family[Counter]):
    """Messages by what decided who answers them."""

    def at(self, stage: StageLabel) -> Counter:
        return self.child(stage)


class PluginCallsTotal(Family[Counter]):
    """Calls of plugins that ended, by the error's code, or none."""

    def at(self, code: PluginCallsTotalCodeLabel) -> Counter:
        return self.child(code)


class PluginRetriesTotal(Family[Counter]):
    """Attempts beyond the first of a call, by why the one before them failed."""

    def at(self, reason: PluginRetriesTotalReasonLabel) -> Counter:
        return self.child(reason)


class TokenUsageTotal(Family[Counter]):
    """Tokens of language models, as the plugins' answers tell them."""

    def at(self, kind: KindLabel) -> Counter:
        return self.child(kind)


class LlmRequestsTotal(Family[Counter]):
    """Calls of language models by what came of them; retries are not counted."""

    def at(
        self,
        provider: ProviderLabel,
        subsystem: SubsystemLabel,
        operation: LlmRequestsTotalOperationLabel,
        outcome: OutcomeLabel,
    ) -> Counter:
        return self.child(provider, subsystem, operation, outcome)


class LlmTokensTotal(Family[Counter]):
    """Tokens that the core's own calls of language models used."""

    def at(self, provider: ProviderLabel, subsystem: SubsystemLabel, kind: KindLabel) -> Counter:
        return self.child(provider, subsystem, kind)


class LlmErrorsTotal(Family[Counter]):
    """Calls of language models that failed, by the error's code."""

    def at(
        self, provider: ProviderLabel, subsystem: SubsystemLabel, code: LlmErrorsTotalCodeLabel
    ) -> Counter:
        return self.child(provider, subsystem, code)


class QueueDepth(Family[Gauge]):
    """Calls, lost calls, events and notifications that wait; to 10000."""

    def at(self, queue: QueueLabel) -> Gauge:
        return self.child(queue)


class StreamLagSeconds(Family[Gauge]):
    """The age of the oldest event that is not in its stream yet."""

    def at(self, stream: StreamLabel) -> Gauge:
        return self.child(stream)


class Plugins(Family[Gauge]):
    """Plugins that are registered and not deleted, by their status."""

    def at(self, status: PluginsStatusLabel) -> Gauge:
        return self.child(status)


class PluginProbesTotal(Family[Counter]):
    """Probes of plugins by this process, by what they found."""

    def at(self, result: ResultLabel) -> Counter:
        return self.child(result)


class PluginOutagesTotal(Family[Counter]):
    """Outages of plugins that this process found, by their reason."""

    def at(self, reason: PluginOutagesTotalReasonLabel) -> Counter:
        return self.child(reason)


class DependencyUp(Family[Gauge]):
    """Whether this process reached it when it last tried."""

    def at(self, dependency: DependencyLabel) -> Gauge:
        return self.child(dependency)


class DegradedTransitionsTotal(Family[Counter]):
    """Times that this process found the core degraded, or recovered, by why."""

    def at(self, to: ToLabel, reason: DegradedTransitionsTotalReasonLabel) -> Counter:
        return self.child(to, reason)


class DatabaseConnections(Family[Gauge]):
    """Connections of this process's pool."""

    def at(self, state: StateLabel) -> Gauge:
        return self.child(state)


class EventsPublishedTotal(Family[Counter]):
    """Entries that this process added to the streams."""

    def at(self, stream: StreamLabel) -> Counter:
        return self.child(stream)


class EventStreamsEndedTotal(Family[Counter]):
    """Streams of events that ended, by who or what ended them."""

    def at(self, end: EndLabel) -> Counter:
        return self.child(end)


class RowsRemovedTotal(Family[Counter]):
    """Rows that this process removed since nobody needs to keep them."""

    def at(self, table: TableLabel) -> Counter:
        return self.child(table)


class CallsQueuedTotal(Family[Counter]):
    """Calls that this process put into the queue, by their cause."""

    def at(self, cause: CauseLabel) -> Counter:
        return self.child(cause)


class ClassifierTrainingsTotal(Family[Counter]):
    """Trainings of the local classifier by this worker, by how they ended."""

    def at(self, outcome: ClassifierTrainingsTotalOutcomeLabel) -> Counter:
        return self.child(outcome)


class TriggersFiredTotal(Family[Counter]):
    """How often this process fired a trigger, by its id in docs/TRIGGERS.md."""

    def at(self, trigger: TriggerLabel) -> Counter:
        return self.child(trigger)


class NotificationsTotal(Family[Counter]):
    """Attempts of this process to send a notification, by what became of it."""

    def at(self, result: NotificationsTotalResultLabel) -> Counter:
        return self.child(result)


class MetricMistakesTotal(Family[Counter]):
    """Values that the contract does not list, and so were not counted."""

    def at(self, metric: MetricLabel) -> Counter:
        return self.child(metric)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Those of one process; `registry` holds what a scrape shows."""

    registry: CollectorRegistry
    requests_total: RequestsTotal
    request_errors_total: RequestErrorsTotal
    error_rate: Gauge
    request_latency_seconds: RequestLatencySeconds
    core_latency_seconds: Histogram
    requests_under_way: Gauge
    requests_refused_total: RequestsRefusedTotal
    work_under_way: Gauge
    work_limit: Gauge
    work_wait_seconds: Gauge
    connections: Gauge
    connections_cut_total: ConnectionsCutTotal
    routing_decisions_total: RoutingDecisionsTotal
    routing_seconds: Histogram
    plugin_calls_total: PluginCallsTotal
    plugin_latency_seconds: Histogram
    plugin_retries_total: PluginRetriesTotal
    plugin_breakers_open: Gauge
    token_usage_total: TokenUsageTotal
    llm_requests_total: LlmRequestsTotal
    llm_tokens_total: LlmTokensTotal
    llm_errors_total: LlmErrorsTotal
    llm_quotas_alone: Gauge
    queue_depth: QueueDepth
    stream_lag_seconds: StreamLagSeconds
    sample_age_seconds: Gauge
    plugins: Plugins
    plugins_differing: Gauge
    plugin_probes_total: PluginProbesTotal
    plugin_outages_total: PluginOutagesTotal
    plugin_recoveries_total: Counter
    dependency_up: DependencyUp
    degraded: Gauge
    degraded_transitions_total: DegradedTransitionsTotal
    limits_alone: Gauge
    database_connections: DatabaseConnections
    database_connections_limit: Gauge
    events_published_total: EventsPublishedTotal
    event_streams: Gauge
    event_streams_ended_total: EventStreamsEndedTotal
    rows_removed_total: RowsRemovedTotal
    calls_recovered_total: Counter
    calls_queued_total: CallsQueuedTotal
    queue_wait_seconds: Histogram
    classifier_trainings_total: ClassifierTrainingsTotal
    triggers_fired_total: TriggersFiredTotal
    scaling_alert: Gauge
    notifications_total: NotificationsTotal
    metric_mistakes_total: MetricMistakesTotal


def make_metrics() -> Metrics:
    """Metrics of their own for whoever asks: an application, a worker, a test."""
    # When a series began is a series of its own: twice as many.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    mistakes = Counter(
        "botcore_metric_mistakes_total",
        "Values that the contract does not list, and so were not counted.",
        ("metric",),
        registry=registry,
    )
    return Metrics(
        registry=registry,
        requests_total=RequestsTotal(
            Counter(
                "botcore_requests_total",
                "Requests by operation and status; 499 where the caller left before it.",
                (
                    "operation",
                    "status",
                ),
                registry=registry,
            ),
            (
                get_args(OperationLabel),
                get_args(StatusLabel),
            ),
            mistakes.labels("botcore_requests_total"),
        ),
        request_errors_total=RequestErrorsTotal(
            Counter(
                "botcore_request_errors_total",
                "Requests that were answered by an error, by its code.",
                (
                    "operation",
                    "code",
                ),
                registry=registry,
            ),
            (
                get_args(OperationLabel),
                get_args(CodeLabel),
            ),
            mistakes.labels("botcore_request_errors_total"),
        ),
        error_rate=Gauge(
            "botcore_error_rate",
            "The share of 5xx in this process's answers of the last minute.",
            multiprocess_mode="livemax",
            registry=registry,
        ),
        request_latency_seconds=RequestLatencySeconds(
            Histogram(
                "botcore_request_latency_seconds",
                "From a request to its answer, by operation; a plugin's time is in it.",
                ("operation",),
                buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 8, 10),
                registry=registry,
            ),
            (get_args(OperationLabel),),
            mistakes.labels("botcore_request_latency_seconds"),
        ),
        core_latency_seconds=Histogram(
            "botcore_core_latency_seconds",
            "The core's part of a request that called a plugin, less the plugin's time.",
            buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5),
            registry=registry,
        ),
        requests_under_way=Gauge(
            "botcore_requests_under_way",
            "Requests that are being answered.",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        requests_refused_total=RequestsRefusedTotal(
            Counter(
                "botcore_requests_refused_total",
                "Requests refused by this process, by what there was too much of.",
                ("reason",),
                registry=registry,
            ),
            (get_args(ReasonLabel),),
            mistakes.labels("botcore_requests_refused_total"),
        ),
        work_under_way=Gauge(
            "botcore_work_under_way",
            "Requests under way that wait for no client, plugin or model.",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        work_limit=Gauge(
            "botcore_work_limit",
            "How many requests may be at work now; it falls while they wait too long.",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        work_wait_seconds=Gauge(
            "botcore_work_wait_seconds",
            "How long work waits for its turn or for a database connection, as last seen.",
            multiprocess_mode="livemax",
            registry=registry,
        ),
        connections=Gauge(
            "botcore_connections",
            "Connections of clients that this process has open.",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        connections_cut_total=ConnectionsCutTotal(
            Counter(
                "botcore_connections_cut_total",
                "Connections of clients that this process broke off, by why.",
                ("reason",),
                registry=registry,
            ),
            (get_args(ConnectionsCutTotalReasonLabel),),
            mistakes.labels("botcore_connections_cut_total"),
        ),
        routing_decisions_total=RoutingDecisionsTotal(
            Counter(
                "botcore_routing_decisions_total",
                "Messages by what decided who answers them.",
                ("stage",),
                registry=registry,
            ),
            (get_args(StageLabel),),
            mistakes.labels("botcore_routing_decisions_total"),
        ),
        routing_seconds=Histogram(
            "botcore_routing_seconds",
            "From a message to the decision who answers it; a classifier's time is in it.",
            buckets=(
                5e-05,
                0.0001,
                0.00025,
                0.0005,
                0.001,
                0.0025,
                0.005,
                0.01,
                0.025,
                0.1,
                0.5,
                1,
                3,
            ),
            registry=registry,
        ),
        plugin_calls_total=PluginCallsTotal(
            Counter(
                "botcore_plugin_calls_total",
                "Calls of plugins that ended, by the error's code, or none.",
                ("code",),
                registry=registry,
            ),
            (get_args(PluginCallsTotalCodeLabel),),
            mistakes.labels("botcore_plugin_calls_total"),
        ),
        plugin_latency_seconds=Histogram(
            "botcore_plugin_latency_seconds",
            "From a plugin's call to its answer or its failure.",
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16),
            registry=registry,
        ),
        plugin_retries_total=PluginRetriesTotal(
            Counter(
                "botcore_plugin_retries_total",
                "Attempts beyond the first of a call, by why the one before them failed.",
                ("reason",),
                registry=registry,
            ),
            (get_args(PluginRetriesTotalReasonLabel),),
            mistakes.labels("botcore_plugin_retries_total"),
        ),
        plugin_breakers_open=Gauge(
            "botcore_plugin_breakers_open",
            "Plugins that this process does not call, since they failed too often.",
            multiprocess_mode="livemax",
            registry=registry,
        ),
        token_usage_total=TokenUsageTotal(
            Counter(
                "botcore_token_usage_total",
                "Tokens of language models, as the plugins' answers tell them.",
                ("kind",),
                registry=registry,
            ),
            (get_args(KindLabel),),
            mistakes.labels("botcore_token_usage_total"),
        ),
        llm_requests_total=LlmRequestsTotal(
            Counter(
                "llm_requests_total",
                "Calls of language models by what came of them; retries are not counted.",
                (
                    "provider",
                    "subsystem",
                    "operation",
                    "outcome",
                ),
                registry=registry,
            ),
            (
                get_args(ProviderLabel),
                get_args(SubsystemLabel),
                get_args(LlmRequestsTotalOperationLabel),
                get_args(OutcomeLabel),
            ),
            mistakes.labels("llm_requests_total"),
        ),
        llm_tokens_total=LlmTokensTotal(
            Counter(
                "llm_tokens_total",
                "Tokens that the core's own calls of language models used.",
                (
                    "provider",
                    "subsystem",
                    "kind",
                ),
                registry=registry,
            ),
            (
                get_args(ProviderLabel),
                get_args(SubsystemLabel),
                get_args(KindLabel),
            ),
            mistakes.labels("llm_tokens_total"),
        ),
        llm_errors_total=LlmErrorsTotal(
            Counter(
                "llm_errors_total",
                "Calls of language models that failed, by the error's code.",
                (
                    "provider",
                    "subsystem",
                    "code",
                ),
                registry=registry,
            ),
            (
                get_args(ProviderLabel),
                get_args(SubsystemLabel),
                get_args(LlmErrorsTotalCodeLabel),
            ),
            mistakes.labels("llm_errors_total"),
        ),
        llm_quotas_alone=Gauge(
            "botcore_llm_quotas_alone",
            "Whether this process counts tokens by itself, without Redis.",
            multiprocess_mode="livemax",
            registry=registry,
        ),
        queue_depth=QueueDepth(
            Gauge(
                "botcore_queue_depth",
                "Calls, lost calls, events and notifications that wait; to 10000.",
                ("queue",),
                multiprocess_mode="livemostrecent",
                registry=registry,
            ),
            (get_args(QueueLabel),),
            mistakes.labels("botcore_queue_depth"),
        ),
        stream_lag_seconds=StreamLagSeconds(
            Gauge(
                "botcore_stream_lag_seconds",
                "The age of the oldest event that is not in its stream yet.",
                ("stream",),
                multiprocess_mode="livemostrecent",
                registry=registry,
            ),
            (get_args(StreamLabel),),
            mistakes.labels("botcore_stream_lag_seconds"),
        ),
        sample_age_seconds=Gauge(
            "botcore_sample_age_seconds",
            "How long ago the queues and streams were read; 60 s later they are left out.",
            multiprocess_mode="livemin",
            registry=registry,
        ),
        plugins=Plugins(
            Gauge(
                "botcore_plugins",
                "Plugins that are registered and not deleted, by their status.",
                ("status",),
                multiprocess_mode="livemostrecent",
                registry=registry,
            ),
            (get_args(PluginsStatusLabel),),
            mistakes.labels("botcore_plugins"),
        ),
        plugins_differing=Gauge(
            "botcore_plugins_differing",
            "Plugins that serve another manifest than they registered.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        ),
        plugin_probes_total=PluginProbesTotal(
            Counter(
                "botcore_plugin_probes_total",
                "Probes of plugins by this process, by what they found.",
                ("result",),
                registry=registry,
            ),
            (get_args(ResultLabel),),
            mistakes.labels("botcore_plugin_probes_total"),
        ),
        plugin_outages_total=PluginOutagesTotal(
            Counter(
                "botcore_plugin_outages_total",
                "Outages of plugins that this process found, by their reason.",
                ("reason",),
                registry=registry,
            ),
            (get_args(PluginOutagesTotalReasonLabel),),
            mistakes.labels("botcore_plugin_outages_total"),
        ),
        plugin_recoveries_total=Counter(
            "botcore_plugin_recoveries_total",
            "Outages of plugins whose end this process found.",
            registry=registry,
        ),
        dependency_up=DependencyUp(
            Gauge(
                "botcore_dependency_up",
                "Whether this process reached it when it last tried.",
                ("dependency",),
                multiprocess_mode="livemostrecent",
                registry=registry,
            ),
            (get_args(DependencyLabel),),
            mistakes.labels("botcore_dependency_up"),
        ),
        degraded=Gauge(
            "botcore_degraded",
            "Whether the core is degraded, as this process knows or sees it.",
            multiprocess_mode="livemax",
            registry=registry,
        ),
        degraded_transitions_total=DegradedTransitionsTotal(
            Counter(
                "botcore_degraded_transitions_total",
                "Times that this process found the core degraded, or recovered, by why.",
                (
                    "to",
                    "reason",
                ),
                registry=registry,
            ),
            (
                get_args(ToLabel),
                get_args(DegradedTransitionsTotalReasonLabel),
            ),
            mistakes.labels("botcore_degraded_transitions_total"),
        ),
        limits_alone=Gauge(
            "botcore_limits_alone",
            "Whether this process counts rate limits by itself, without Redis.",
            multiprocess_mode="livemax",
            registry=registry,
        ),
        database_connections=DatabaseConnections(
            Gauge(
                "botcore_database_connections",
                "Connections of this process's pool.",
                ("state",),
                multiprocess_mode="livesum",
                registry=registry,
            ),
            (get_args(StateLabel),),
            mistakes.labels("botcore_database_connections"),
        ),
        database_connections_limit=Gauge(
            "botcore_database_connections_limit",
            "How many connections this process's pool may open.",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        events_published_total=EventsPublishedTotal(
            Counter(
                "botcore_events_published_total",
                "Entries that this process added to the streams.",
                ("stream",),
                registry=registry,
            ),
            (get_args(StreamLabel),),
            mistakes.labels("botcore_events_published_total"),
        ),
        event_streams=Gauge(
            "botcore_event_streams",
            "Streams of events (SSE) that this process has open.",
            multiprocess_mode="livesum",
            registry=registry,
        ),
        event_streams_ended_total=EventStreamsEndedTotal(
            Counter(
                "botcore_event_streams_ended_total",
                "Streams of events that ended, by who or what ended them.",
                ("end",),
                registry=registry,
            ),
            (get_args(EndLabel),),
            mistakes.labels("botcore_event_streams_ended_total"),
        ),
        rows_removed_total=RowsRemovedTotal(
            Counter(
                "botcore_rows_removed_total",
                "Rows that this process removed since nobody needs to keep them.",
                ("table",),
                registry=registry,
            ),
            (get_args(TableLabel),),
            mistakes.labels("botcore_rows_removed_total"),
        ),
        calls_recovered_total=Counter(
            "botcore_calls_recovered_total",
            "Calls that this process took over from an instance that died.",
            registry=registry,
        ),
        calls_queued_total=CallsQueuedTotal(
            Counter(
                "botcore_calls_queued_total",
                "Calls that this process put into the queue, by their cause.",
                ("cause",),
                registry=registry,
            ),
            (get_args(CauseLabel),),
            mistakes.labels("botcore_calls_queued_total"),
        ),
        queue_wait_seconds=Histogram(
            "botcore_queue_wait_seconds",
            "From when a call could be made until this process took it from the queue.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        ),
        classifier_trainings_total=ClassifierTrainingsTotal(
            Counter(
                "botcore_classifier_trainings_total",
                "Trainings of the local classifier by this worker, by how they ended.",
                ("outcome",),
                registry=registry,
            ),
            (get_args(ClassifierTrainingsTotalOutcomeLabel),),
            mistakes.labels("botcore_classifier_trainings_total"),
        ),
        triggers_fired_total=TriggersFiredTotal(
            Counter(
                "botcore_triggers_fired_total",
                "How often this process fired a trigger, by its id in docs/TRIGGERS.md.",
                ("trigger",),
                registry=registry,
            ),
            (get_args(TriggerLabel),),
            mistakes.labels("botcore_triggers_fired_total"),
        ),
        scaling_alert=Gauge(
            "botcore_scaling_alert",
            "Whether more waits in plugin:invocations than the workers drain.",
            multiprocess_mode="livemostrecent",
            registry=registry,
        ),
        notifications_total=NotificationsTotal(
            Counter(
                "botcore_notifications_total",
                "Attempts of this process to send a notification, by what became of it.",
                ("result",),
                registry=registry,
            ),
            (get_args(NotificationsTotalResultLabel),),
            mistakes.labels("botcore_notifications_total"),
        ),
        metric_mistakes_total=MetricMistakesTotal(
            mistakes,
            (get_args(MetricLabel),),
            mistakes.labels("botcore_metric_mistakes_total"),
        ),
    )
