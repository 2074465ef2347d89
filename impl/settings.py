"""Every setting, read once from the environment (prefix `BOTCORE_`) and injected from there."""

from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from generated.triggers import (
    DEGRADED_LAG_SECONDS,
    DEGRADED_RECOVERY_SECONDS,
    DEGRADED_REDIS_SECONDS,
    HEARTBEAT_MISSED_SECONDS,
    NOTIFICATION_FAILING_DAYS,
    PLUGIN_CRITICAL_FAILURES,
    SCALING_ALERT_ENTRIES,
)
from impl.llm.settings import LLMSettings
from impl.outgoing.addresses import Network, holds_loopback, read_network
from impl.secrecy.urls import POSTGRESQL_FORM, REDIS_FORM, is_postgresql, is_redis

KIB = 1024
PLUGIN_SCOPES = "plugins:read telemetry:read telemetry:write"
# From the end of a call's deadline until its lease ends: time to store the outcome.
LEASE_MARGIN_SECONDS = 10


def _listed(value: object) -> object:
    """`a, b` as a tuple; what is none passes."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip().lower() for part in value.split(",") if part.strip())


def _networks(value: object) -> object:
    parts = _listed(value)
    if not isinstance(parts, tuple):
        return value
    return tuple(read_network(part) if isinstance(part, str) else part for part in parts)


Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]


class OutgoingSettings(BaseSettings):
    """What may go out; a command that asks a plugin needs no more."""

    model_config = SettingsConfigDict(env_prefix="BOTCORE_", frozen=True, extra="ignore")

    development: bool = Field(default=False, description="opens loopback addresses to plugins")
    plugin_networks: Networks = Field(
        default=(), description="private ranges to open, as 10.0.0.0/8,fd12::/16"
    )
    plugin_hosts: Hosts = Field(
        default=(), description="the only hosts of plugins, as plugins.local,*.example.com"
    )
    plugin_hosts_denied: Hosts = Field(default=(), description="hosts that are no plugin's")
    plugin_connect_seconds: float = Field(default=2.0, gt=0, le=60)
    # The same for webhooks: who may be called as a plugin is not who may be told of it.
    notification_networks: Networks = Field(default=(), description="private ranges to open")
    notification_hosts: Hosts = Field(default=(), description="the only hosts of webhooks")
    notification_hosts_denied: Hosts = Field(default=(), description="hosts that are no webhook's")

    @field_validator("plugin_networks", "notification_networks")
    @classmethod
    def _without_loopback(
        cls, networks: tuple[Network, ...], info: ValidationInfo
    ) -> tuple[Network, ...]:
        """No URL of others is ever to reach what listens on the core's own machine alone."""
        for network in networks:
            if holds_loopback(network) and not info.data.get("development"):
                raise ValueError(
                    f"{network} holds loopback addresses: name narrower ranges; on a developer's"
                    " machine BOTCORE_DEVELOPMENT=true opens loopback"
                )
        return networks


class RetentionSettings(BaseSettings):
    """What is kept, and for how long: docs/operations.md."""

    model_config = SettingsConfigDict(env_prefix="BOTCORE_", frozen=True, extra="ignore")

    retention_audit_days: int = Field(default=365, ge=180, le=36_500)
    retention_events_days: int = Field(default=30, ge=1, le=36_500)
    retention_keys_days: int = Field(
        default=30, ge=1, le=36_500, description="of messages that a reset deleted"
    )
    retention_batch: int = Field(default=1000, ge=1, le=100_000, description="rows in one commit")
    retention_every_seconds: float = Field(
        default=3600, ge=0, le=86_400, description="how often a worker removes; 0: never"
    )


class Settings(LLMSettings, OutgoingSettings, RetentionSettings):
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    database_url: SecretStr = Field(description=POSTGRESQL_FORM)
    database_pool_size: int = Field(default=10, ge=1, le=100)
    database_statement_cache: bool = Field(
        default=True, description="false behind a pgbouncer in transaction mode"
    )
    database_listen_url: SecretStr | None = Field(
        default=None, description="past a pgbouncer, which passes no LISTEN on; for wake-ups alone"
    )
    redis_url: SecretStr = Field(description=REDIS_FORM)
    # No request waits for Redis for longer, and none of them twice.
    redis_timeout_seconds: float = Field(default=0.25, gt=0, le=0.25)
    secret_key: SecretStr = Field(
        min_length=32, description="derives the bearer that plugins are called with"
    )

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    serve_workers: int = Field(
        default=1, ge=1, le=64, description="processes of one `botcore serve`, behind its port"
    )
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="of the metrics alone; 0: the API's own port"
    )

    # Overload: docs/decisions/0021-overload.md.
    connections: int = Field(default=5000, ge=1, le=1_000_000, description="of clients, open")
    requests_under_way: int = Field(
        default=1000, ge=1, le=1_000_000, description="those that wait for a plugin among them"
    )
    requests_per_token: int = Field(default=200, ge=1, le=1_000_000, description="under way")
    work_under_way: int = Field(
        default=200, ge=1, le=1_000_000, description="requests that wait for nobody"
    )
    work_wait_seconds: float = Field(
        default=0.1, gt=0, le=60, description="work that waits for longer lets less of it in"
    )

    # Caps of requirements.md, section 3.
    max_body_bytes: int = Field(default=256 * KIB, ge=KIB)
    max_plugin_answer_bytes: int = Field(default=1024 * KIB, ge=KIB)
    call_deadline_seconds: float = Field(default=8.0, gt=0, le=600)
    call_lease_seconds: float = Field(default=30.0, gt=0, le=600)
    history_in_context: int = Field(default=10, ge=5, le=100)

    plugin_retries: int = Field(default=2, ge=0, le=5)
    plugin_retry_budget: float = Field(
        default=0.2, ge=0, le=1, description="retries as a share of a plugin's calls"
    )
    # A plugin that fails so often is not called for a while.
    breaker_window_seconds: float = Field(default=30.0, gt=0, le=600)
    breaker_calls: int = Field(default=10, ge=1, le=10_000, description="fewer say nothing")
    breaker_failures: float = Field(default=0.5, gt=0, le=1, description="as a share of calls")
    breaker_open_seconds: float = Field(default=5.0, gt=0, le=600)
    breaker_patience_seconds: float = Field(
        default=1.0, ge=0, le=600, description="a call that had less time says nothing by its end"
    )

    fallback_plugin: str = "text_reply"
    classifier: Literal["local", "llm", "off"] = Field(
        default="local", description="who says what a message means that no rule matches"
    )
    classifier_llm_seconds: float = Field(
        default=2.0, gt=0, le=2.5, description="for a model's choice; then the local one answers"
    )
    llm_cache_seconds: int = Field(
        default=0, ge=0, le=600, description="how long a model's choice is kept; 0: not at all"
    )
    classifier_threshold: float = Field(
        default=0.4, ge=0, le=1, description="of intents that name none of their own"
    )
    classifier_training_seconds: float = Field(default=300.0, gt=0, le=3600)
    probe_timeout_seconds: float = Field(default=2.0, gt=0, le=30)
    heartbeat_missed_seconds: float = Field(default=HEARTBEAT_MISSED_SECONDS, gt=0, le=86_400)
    probe_interval_seconds: float = Field(default=30.0, gt=0, le=300)
    watch_seconds: float = Field(default=1.0, gt=0, le=60)
    plugin_scopes: str = Field(
        default=PLUGIN_SCOPES, description="what a plugin may be permitted, separated by spaces"
    )
    plugin_token_days: int = Field(default=90, ge=1, le=3650)
    plugin_token_overlap_seconds: int = Field(default=600, ge=0)
    catalogue_refresh_seconds: float = Field(default=1.0, gt=0, le=60)
    limits_refresh_seconds: float = Field(default=1.0, gt=0, le=60)
    limits_alone_share: float = Field(
        default=1.0, gt=0, le=1, description="of a quota, permitted by each instance without Redis"
    )
    token_cache_seconds: float = Field(default=30.0, ge=0, le=30)
    token_refresh_seconds: float = Field(
        default=0.5, gt=0, le=30, description="how often to look for tokens that were revoked"
    )
    # Failures in a minute; whoever has more is refused without a look at the token.
    token_failures_per_id: int = Field(
        default=10, ge=1, le=1_000_000, description="of a token, from one address"
    )
    token_failures_per_address: int = Field(default=100, ge=1, le=1_000_000)
    trusted_proxies: Networks = Field(
        default=(), description="whose X-Forwarded-For is believed, as 10.0.0.0/8,fd12::/16"
    )

    # TR-009.
    degraded_redis_seconds: float = Field(default=DEGRADED_REDIS_SECONDS, gt=0, le=3600)
    degraded_lag_seconds: float = Field(default=DEGRADED_LAG_SECONDS, gt=0, le=3600)
    degraded_recovery_seconds: float = Field(
        default=DEGRADED_RECOVERY_SECONDS,
        ge=0,
        le=3600,
        description="well for so long before it is degraded no more",
    )
    degraded_look_seconds: float = Field(default=1.0, gt=0, le=5)

    relay_poll_seconds: float = Field(default=0.5, gt=0, le=5, description="where no wake-up came")
    relay_batch: int = Field(default=500, ge=1, le=10_000)
    event_streams: int = Field(default=2000, ge=0, le=100_000, description="open at once")
    event_streams_per_token: int = Field(default=20, ge=1, le=100_000)
    # The queue of calls.
    plugin_concurrency: int = Field(
        default=64, ge=1, le=10_000, description="calls of one plugin under way, in each process"
    )
    plugin_failure_policy: Literal["failed", "fallback"] = Field(
        default="failed", description="fallback: the fallback plugin answers for one that failed"
    )
    queue_limit: int = Field(default=10_000, ge=0, description="more that wait are refused: 503")
    queue_seconds: float = Field(
        default=300, gt=0, le=86_400, description="how long a queued call is worth making"
    )
    queue_poll_seconds: float = Field(default=0.2, gt=0, le=60)
    queue_backoff_seconds: float = Field(
        default=1.0, gt=0, le=60, description="before the second attempt; doubled for each more"
    )
    call_attempts: int = Field(default=5, ge=1, le=100)
    unready_seconds: float = Field(
        default=2.0,
        ge=0,
        le=600,
        description="/readyz says no, and all is served, before the drain",
    )
    drain_seconds: float = Field(default=3.0, ge=0, le=600)
    # Triggers, see docs/TRIGGERS.md.
    plugin_critical_failures: int = Field(
        default=PLUGIN_CRITICAL_FAILURES, ge=0, description="0: failures disable nobody"
    )
    scaling_alert_entries: int = Field(default=SCALING_ALERT_ENTRIES, ge=1, le=1_000_000)
    # Notifications.
    notification_poll_seconds: float = Field(default=0.5, gt=0, le=60)
    notification_timeout_seconds: float = Field(default=15.0, gt=0, le=60)
    notification_concurrency: int = Field(
        default=4, ge=1, le=100, description="to one webhook at once, in each process"
    )
    notification_retry_scale: float = Field(
        default=1.0, gt=0, le=1, description="shortens the pauses between attempts, for tests"
    )
    notification_failing_days: float = Field(default=NOTIFICATION_FAILING_DAYS, gt=0, le=365)
    notification_keep_days: float = Field(
        default=30.0, gt=0, le=3650, description="how long ended deliveries can be listed"
    )

    @model_validator(mode="after")
    def _model_is_set(self) -> Self:
        if self.classifier == "llm" and self.llm_base_url is None:
            raise ValueError(
                "BOTCORE_CLASSIFIER is llm: set BOTCORE_LLM_BASE_URL and BOTCORE_LLM_MODEL,"
                " or BOTCORE_CLASSIFIER=local"
            )
        return self

    @field_validator("call_lease_seconds")
    @classmethod
    def _outlasts_the_deadline(cls, lease: float, info: ValidationInfo) -> float:
        """A lease that ends while the plugin may still answer has it called twice."""
        deadline = info.data.get("call_deadline_seconds", 0)  # absent where it was refused itself
        if lease < deadline + LEASE_MARGIN_SECONDS:
            raise ValueError(
                f"must be at least {LEASE_MARGIN_SECONDS} s more than call_deadline_seconds"
                f" ({deadline:g} s)"
            )
        return lease

    @field_validator("database_url", "database_listen_url")
    @classmethod
    def _of_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        """A wrong one is told here: a library would quote it, and so its password."""
        if url is not None and not is_postgresql(url.get_secret_value()):
            raise ValueError(f"is no URL of a PostgreSQL database: its form is {POSTGRESQL_FORM}")
        return url

    @field_validator("redis_url")
    @classmethod
    def _of_redis(cls, url: SecretStr) -> SecretStr:
        if not is_redis(url.get_secret_value()):
            raise ValueError(f"is no URL of a Redis: its form is {REDIS_FORM}")
        return url

    @field_validator("plugin_scopes")
    @classmethod
    def _known(cls, scopes: str) -> str:
        if set(scopes.split()) - set(PLUGIN_SCOPES.split()):
            raise ValueError(f"must be of {PLUGIN_SCOPES}")
        return scopes

    @property
    def listen_url(self) -> str:
        return (self.database_listen_url or self.database_url).get_secret_value()

    @property
    def allowed_plugin_scopes(self) -> frozenset[str]:
        return frozenset(self.plugin_scopes.split())
