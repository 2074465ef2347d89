from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from impl.tables.base import (
    SEVERITIES,
    SOURCES,
    json_object,
    length,
    metadata,
    moment,
    moment_now,
    one_of,
    reference,
    size,
    uuid_key,
    words,
)

EVENT_TYPES = (
    "plugin_registered",
    "plugin_heartbeat",
    "plugin_heartbeat_missed",
    "plugin_invocation_queued",
    "plugin_invocation_started",
    "plugin_invocation_completed",
    "plugin_failed",
    "plugin_timeout",
    "plugin_recovered",
    "plugin_disabled",
    "llm_unavailable",
)
LISTED_EVENT_TYPES = ", ".join(f"'{name}'" for name in EVENT_TYPES)

plugins = Table(
    "plugins",
    metadata,
    uuid_key(),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("intents", JSONB, nullable=False, server_default=text("'[]'")),
    Column("status", Text, nullable=False, server_default=text("'registering'")),
    Column("base_url", Text, nullable=False),
    Column("manifest", JSONB, nullable=False),
    Column("manifest_hash", Text, nullable=False),
    moment("last_heartbeat"),
    Column("reported_status", Text),  # by its latest heartbeat since it registered
    moment("disabled_at"),  # by the core or an operator: no heartbeat undoes it
    moment("deleted_at"),  # its calls and events stay
    Column("heartbeat_interval_sec", Integer, nullable=False, server_default=text("30")),
    words("supported_schema_versions"),
    Column("schema_version", Text, nullable=False, server_default=text("'v1alpha'")),
    Column("is_fallback", Boolean, nullable=False, server_default=text("false")),
    Column("supports_retry", Boolean, nullable=False, server_default=text("true")),
    Column("sticky_bonus", Double, nullable=False, server_default=text("0")),
    # What its answers must fit, as it was when it registered, wherever it came from.
    Column("output_schema", JSONB),
    Column("output_schema_digest", Text),
    moment_now("registered_at"),  # or was enabled or first well: signs of life are due
    moment("outage_since"),  # until it is healthy and has given a sign of life since
    Column("outage_reason", Text),
    Column("probe_failures", Integer, nullable=False, server_default=text("0")),
    moment_now("next_probe_at"),  # a worker that probes it moves it beyond the probe's end
    Column("probe_claim", Uuid),  # of the worker that probes it now
    moment("manifest_read_at"),
    Column("served_manifest_hash", Text),  # of its own GET /manifest, when it was last read
    words("scopes"),
    json_object("metadata"),
    moment_now("created_at"),
    moment_now("updated_at"),
    UniqueConstraint("name", "version"),
    one_of("status", ("active", "disabled", "degraded", "registering")),
    one_of("reported_status", ("active", "degraded", "disabled")),
    CheckConstraint("heartbeat_interval_sec > 0", name="heartbeat_interval_sec_value"),
    CheckConstraint("deleted_at IS NULL OR disabled_at IS NOT NULL", name="deleted_at_value"),
    length("name", 128),
    length("version", 128),
    length("base_url", 2048),
    length("manifest_hash", 128),
    length("schema_version", 32),
    length("outage_reason", 128),
    length("output_schema_digest", 128),
    length("served_manifest_hash", 128),
    CheckConstraint("probe_failures >= 0", name="probe_failures_value"),
    CheckConstraint("sticky_bonus BETWEEN 0 AND 1", name="sticky_bonus_value"),
    size("intents"),
    size("output_schema"),
    size("manifest"),
    size("metadata"),
    Index(None, "status"),
    Index(
        "ix_plugins_next_probe_at", "next_probe_at", postgresql_where=text("disabled_at IS NULL")
    ),
    info={"about": "Each version of each plugin, its manifest and whether it lives."},
)

# request_payload is stored without the context's messages: a reset deletes those for good.
plugin_calls = Table(
    "plugin_calls",
    metadata,
    uuid_key(),
    Column("seq", BigInteger, Identity(always=True), nullable=False),  # in order within a dialog
    reference("plugin_id", "plugins.id"),
    reference("dialog_id", "dialogs.id"),
    Column("invocation_id", Uuid, nullable=False),
    Column("message_id", Text),
    Column("user_id", Uuid),
    Column("reset_version", Integer, nullable=False, server_default=text("0")),
    Column("request_payload", JSONB, nullable=False),
    Column("response_payload", JSONB),
    Column("routing", JSONB),
    Column("latency_ms", Integer),
    Column("status", Text, nullable=False, server_default=text("'queued'")),
    Column("error_code", Text),
    Column("trace_id", Uuid, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("excused", Integer, nullable=False, server_default=text("0")),  # attempts not made
    Column("replaces", Uuid),  # the invocation that failed, for which this one answers
    moment("queued_at"),  # since then its answer is one that comes later
    moment_now("available_at"),  # a queued call is made no earlier
    moment("lease_until"),
    moment("deadline_at"),
    moment_now("created_at"),
    moment_now("started_at"),
    moment("finished_at"),
    UniqueConstraint("plugin_id", "invocation_id"),
    one_of("status", ("queued", "in_progress", "succeeded", "failed", "timeout", "rejected")),
    CheckConstraint("reset_version >= 0", name="reset_version_value"),
    CheckConstraint("latency_ms >= 0", name="latency_ms_value"),
    CheckConstraint("attempt >= 0", name="attempt_value"),
    CheckConstraint("excused BETWEEN 0 AND attempt", name="excused_value"),
    length("message_id", 128),
    length("error_code", 128),
    size("request_payload"),
    size("response_payload"),
    size("routing"),
    Index(None, "dialog_id", "created_at"),
    Index(None, "status", "started_at"),
    Index(
        "ix_plugin_calls_lease_until",
        "lease_until",
        postgresql_where=text("status = 'in_progress'"),
    ),
    Index(
        "ix_plugin_calls_queued",
        "plugin_id",
        "available_at",
        postgresql_where=text("status = 'queued'"),
    ),
    Index(
        "ix_plugin_calls_deadline_at",
        "deadline_at",
        postgresql_where=text("status IN ('queued', 'in_progress')"),
    ),
    Index(
        "ix_plugin_calls_open",
        "dialog_id",
        "seq",
        postgresql_where=text("status IN ('queued', 'in_progress')"),
    ),
    info={"about": "Each call of a plugin, why it was chosen and how the call ended."},
)

# `id` is the event's id. dialog_id has no foreign key: a plugin may name any dialog it likes.
# fingerprint is of what a plugin reported, and tells whether it reports the same again.
plugin_events = Table(
    "plugin_events",
    metadata,
    uuid_key(),
    reference("plugin_id", "plugins.id"),
    Column("source", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("severity", Text, nullable=False, server_default=text("'info'")),
    json_object("payload"),
    Column("dialog_id", Uuid),
    Column("fingerprint", LargeBinary),
    moment_now("occurred_at"),
    moment_now("created_at"),
    one_of("source", SOURCES),
    CheckConstraint(
        f"event_type IN ({LISTED_EVENT_TYPES}) OR starts_with(event_type, 'plugin_custom_')",
        name="event_type_value",
    ),
    length("event_type", 128),
    one_of("severity", SEVERITIES),
    size("payload"),
    CheckConstraint("octet_length(fingerprint) BETWEEN 16 AND 64", name="fingerprint_length"),
    Index(None, "plugin_id", "occurred_at"),
    # Pages of events: newest first, by what they may be filtered by.
    Index(None, "occurred_at", "id"),
    Index(None, "dialog_id", "occurred_at"),
    Index(None, "event_type", "occurred_at"),
    Index(
        "ix_plugin_events_unusual",
        "severity",
        "occurred_at",
        postgresql_where=text("severity <> 'info'"),
    ),
    info={"about": "What happened to a plugin or what it reported, by the event's id."},
)
