# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from typing_extensions import TypeAliasType

from generated.runtime.scalars import Distinct, FreeObject, Int, Timestamp, Uuid


class AddDialogMessageHeader(BaseModel):
    """
    The header parameters of addDialogMessage.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    X_Deadline_Ms: Annotated[Int | None, Field(alias="X-Deadline-Ms", ge=100, le=60000)] = None


AuditAction = TypeAliasType(
    "AuditAction",
    Annotated[
        str,
        Field(
            description="What was done; for an event, its type.",
            examples=["plugin_disabled"],
            max_length=128,
            min_length=1,
            pattern="^[a-z][a-z0-9_]{0,127}$",
        ),
    ],
)


AuditDetailsV1 = TypeAliasType("AuditDetailsV1", Annotated[dict[str, Any], Field(max_length=100)])
"""
What it was about, as ids, codes, sizes and times; an event's payload.
"""


AuditSource = TypeAliasType(
    "AuditSource",
    Annotated[
        Literal["user", "core", "plugin", "system"],
        Field(
            description="Whose doing it is. `user` an operator's over the API, `system` a command on the machine itself."
        ),
    ],
)


BotScope = TypeAliasType(
    "BotScope",
    Annotated[
        Literal["dialogs:read", "dialogs:write", "users:erase", "users:write"],
        Field(description="What a bot's token may do."),
    ],
)


BotScopes = TypeAliasType(
    "BotScopes",
    Annotated[
        list[BotScope],
        Field(
            description="What a bot's token permits, each once.",
            max_length=4,
            min_length=1,
        ),
        Distinct(),
    ],
)
"""
What a bot's token permits, each once.
"""


ContentType = TypeAliasType(
    "ContentType",
    Annotated[
        Literal["text/plain", "text/markdown", "text/html"],
        Field(description="How `content` is to be read."),
    ],
)


Cursor = TypeAliasType(
    "Cursor",
    Annotated[
        str,
        Field(
            description="Where the next page begins; opaque, from `next_cursor` of the page before.",
            max_length=256,
            min_length=1,
            pattern="^[A-Za-z0-9_-]{1,256}$",
        ),
    ],
)


class CustomConditionV1(BaseModel):
    """
    An expression of CEL over `payload`, `metadata`, `locale` and `dialog` is true. docs/routing.md
    tells the language; `+`, `matches`, `map`, `filter` and `exists_one` are not in it.

    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["custom"]
    value: Annotated[
        str,
        Field(
            description="The expression.",
            examples=['locale.startsWith("ru") && metadata.source == "telegram"'],
            max_length=1024,
            min_length=1,
            pattern="^[^\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F]*$",
        ),
    ]
    threshold: Annotated[float | None, Field(ge=0.0, le=1.0)] = None


DegradedReason = TypeAliasType(
    "DegradedReason",
    Annotated[
        Literal["redis", "lag"],
        Field(
            description="Why the core is degraded. `redis`: no worker can write to Redis. `lag`: Redis is there, and the\nstreams are behind what was committed.\n"
        ),
    ],
)


DeliveryStatus = TypeAliasType(
    "DeliveryStatus",
    Annotated[
        Literal["pending", "delivered", "failed"],
        Field(
            description="Whether it arrived. `pending` it waits or is tried again, `failed` it was given up."
        ),
    ],
)


ErrorCode = TypeAliasType(
    "ErrorCode",
    Annotated[
        str,
        Field(
            description="A stable code that never changes its meaning. New ones come; read an unknown one by its status. Known: `invalid_json` (400), `invalid_utf8` (400), `duplicate_key` (400), `unsupported_schema_version` (400), `missing_credentials` (401), `invalid_credentials` (401), `insufficient_scope` (403), `not_found` (404), `dialog_not_found` (404), `message_not_found` (404), `user_not_found` (404), `plugin_not_found` (404), `bot_not_found` (404), `token_not_found` (404), `subject_not_found` (404), `subscription_not_found` (404), `delivery_not_found` (404), `method_not_allowed` (405), `not_acceptable` (406), `message_in_flight` (409), `plugin_conflict` (409), `bot_name_taken` (409), `token_revoked` (409), `subscription_disabled` (409), `body_too_large` (413), `unsupported_media_type` (415), `validation_failed` (422), `message_id_reused` (422), `event_id_reused` (422), `last_event_id_expired` (422), `rate_limited` (429), `too_many_streams` (429), `internal_error` (500), `database_unavailable` (503), `overloaded` (503), `queue_full` (503).",
            examples=[
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
            ],
            max_length=64,
            min_length=1,
            pattern="^[a-z][a-z0-9_]{0,63}$",
        ),
    ],
)


EventPayloadV1 = TypeAliasType("EventPayloadV1", Annotated[dict[str, Any], Field(max_length=100)])
"""
Figures and facts of an event, at most 64 KB as they are stored. Never a message's text or a
secret: who may read events is not who may read messages.

"""


EventType = TypeAliasType(
    "EventType",
    Annotated[
        str,
        Field(
            description="What happened, as `docs/TRIGGERS.md` lists it or a plugin names it.",
            examples=["plugin_failed"],
            max_length=128,
            min_length=1,
            pattern="^[a-z][a-z0-9_]{0,127}$",
        ),
    ],
)


ExpiresInSeconds = TypeAliasType(
    "ExpiresInSeconds",
    Annotated[
        Int,
        Field(
            description="Seconds from now, by the database's clock; ten years at most.",
            examples=[7776000],
            ge=1,
            le=315360000,
        ),
    ],
)


FeedPlace = TypeAliasType(
    "FeedPlace",
    Annotated[
        str,
        Field(
            description="A place in the order of all events; opaque.",
            max_length=64,
            min_length=1,
            pattern="^[A-Za-z0-9_-]{1,64}$",
        ),
    ],
)


class GetDialogQuery(BaseModel):
    """
    The query parameters of getDialog.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


HttpUrl = TypeAliasType(
    "HttpUrl",
    Annotated[
        str,
        Field(
            description="An absolute http or https URL without user information.",
            examples=["https://files.example.com/a.png"],
            max_length=2048,
            min_length=10,
            pattern="^https?://[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(/[A-Za-z0-9._~/?#!$&()*+,;=:@%-]*)?$",
        ),
    ],
)


IntentTag = TypeAliasType(
    "IntentTag",
    Annotated[
        str,
        Field(
            description="An intent's name within its plugin.",
            max_length=64,
            min_length=1,
            pattern="^[A-Za-z][A-Za-z0-9_.-]{0,63}$",
        ),
    ],
)


class InvalidValueV1(BaseModel):
    """
    One value that was refused.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    location: Literal["body", "path", "query", "header"]
    pointer: Annotated[
        str,
        Field(
            description="A JSON pointer (RFC 6901) into the body, or `/name` of a parameter. A name of more than 128 characters is cut, and ends with `…`.",
            max_length=2048,
        ),
    ]
    code: Annotated[
        str,
        Field(
            description="What is wrong, for programs.",
            max_length=64,
            min_length=1,
            pattern="^[a-z][a-z0-9_]{0,63}$",
        ),
    ]
    message: Annotated[
        str,
        Field(
            description="What is wrong, for people. It never repeats the value.",
            max_length=512,
            min_length=1,
        ),
    ]


JsonSchemaV1 = TypeAliasType("JsonSchemaV1", Annotated[dict[str, Any], Field(max_length=100)])
"""
A JSON Schema 2020-12, inline.
"""


LLMErrorCode = TypeAliasType(
    "LLMErrorCode",
    Annotated[
        Literal[
            "timeout",
            "unavailable",
            "rate_limited",
            "quota_exceeded",
            "refused",
            "invalid_answer",
            "answer_too_large",
            "not_supported",
        ],
        Field(
            description="Why a language model gave no answer that can be used. `timeout`: none within its time.\n`unavailable`: no connection, or the server failed. `rate_limited`: it answered 429.\n`quota_exceeded`: the tokens of the subsystem are used up, and nobody was asked. `refused`: the\nserver or the model refused the request. `invalid_answer`: its answer is not what was asked for.\n`answer_too_large`: over the cap. `not_supported`: this provider cannot do it.\n"
        ),
    ],
)


LLMProvider = TypeAliasType(
    "LLMProvider",
    Annotated[
        Literal["openai", "local"],
        Field(
            description="Who answers for a language model. `openai`: a server that speaks OpenAI's API, wherever it is.\n`local`: the core itself, without any model.\n"
        ),
    ],
)


LimitSubject = TypeAliasType(
    "LimitSubject",
    Annotated[
        Literal["bot", "user", "plugin"],
        Field(description="Whose requests are counted."),
    ],
)


Line = TypeAliasType(
    "Line",
    Annotated[
        str,
        Field(
            description="One line of text, without control characters.",
            max_length=256,
            min_length=1,
            pattern="^[^\\x00-\\x1F\\x7F]*$",
        ),
    ],
)


class ListBotTokensQuery(BaseModel):
    """
    The query parameters of listBotTokens.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ListBotsQuery(BaseModel):
    """
    The query parameters of listBots.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ListDeliveriesQuery(BaseModel):
    """
    The query parameters of listDeliveries.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: DeliveryStatus | None = None
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ListPluginTokensQuery(BaseModel):
    """
    The query parameters of listPluginTokens.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ListPluginsQuery(BaseModel):
    """
    The query parameters of listPlugins.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ListSubscriptionsQuery(BaseModel):
    """
    The query parameters of listSubscriptions.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


Locale = TypeAliasType(
    "Locale",
    Annotated[
        str,
        Field(
            description="A language tag (BCP 47), such as `ru`, `en` or `pt-BR`.",
            examples=["en"],
            max_length=30,
            min_length=2,
            pattern="^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$",
        ),
    ],
)


class ManifestCapabilitiesV1(BaseModel):
    """
    What the plugin can do beyond answering.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    streaming: bool = False
    max_tokens: Annotated[Int | None, Field(ge=1, le=10000000)] = None
    supports_retry: bool = True
    dry_run: Annotated[
        bool,
        Field(
            description="Whether it answers a call with `dry_run` and does nothing that lasts; its golden examples are then sent so."
        ),
    ] = False


ManifestHash = TypeAliasType(
    "ManifestHash",
    Annotated[
        str,
        Field(
            description="SHA-256 of the manifest's canonical JSON, in hexadecimal.",
            max_length=64,
            min_length=64,
            pattern="^[0-9a-f]{64}$",
        ),
    ],
)


class ManifestLLMV1(BaseModel):
    """
    The model that the plugin uses, for the operator to know.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    provider: Line
    model: Line
    temperature: Annotated[float | None, Field(ge=0.0, le=2.0)] = None


class ManifestMetadataV1(BaseModel):
    """
    For people.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    changelog_url: HttpUrl | None = None
    owner: Line | None = None


EventsSupportedItem = TypeAliasType(
    "EventsSupportedItem",
    Annotated[str, Field(max_length=64, min_length=1, pattern="^[a-z][a-z0-9_]{0,63}$")],
)


class ManifestTelemetryV1(BaseModel):
    """
    What the plugin reports, and how often it gives a sign of life.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    events_supported: Annotated[list[EventsSupportedItem], Field(max_length=64)] = []
    heartbeat_interval_seconds: Annotated[
        Int,
        Field(
            description="Half of the 120 s at most after which silence is an outage.",
            ge=1,
            le=60,
        ),
    ] = 30


MessageId = TypeAliasType(
    "MessageId",
    Annotated[
        str,
        Field(
            description="The client's idempotency key of a message within its dialog.",
            examples=["update-814"],
            max_length=128,
            min_length=1,
            pattern="^(\\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}|\\.{3}[A-Za-z0-9._~-]{0,125})$",
        ),
    ],
)


MetadataV1 = TypeAliasType(
    "MetadataV1",
    Annotated[
        dict[
            Annotated[
                str,
                StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$", min_length=1, max_length=64),
            ],
            Annotated[str, Field(pattern=r"^[^\x00-\x08\x0B\x0C\x0E-\x1F\x7F]*$", max_length=256)]
            | Annotated[Int, Field(ge=-9007199254740991, le=9007199254740991)]
            | Annotated[float, Field(ge=-9007199254740991.0, le=9007199254740991.0)]
            | bool
            | None,
        ],
        Field(
            description="What the bot knows beside the message (time zone, language, source). Flat and small.",
            examples=[{"time_zone": "Europe/Berlin", "source": "telegram"}],
            max_length=20,
        ),
    ],
)


Name = TypeAliasType(
    "Name",
    Annotated[
        str,
        Field(
            description="A name for people, of printable characters.",
            examples=["telegram"],
            max_length=64,
            min_length=1,
            pattern="^[^\\x00-\\x1F\\x7F-\\x9F\\u00AD\\u061C\\u180E\\u200B-\\u200F\\u2028-\\u202E\\u2060-\\u206F\\uFEFF\\uFFF9-\\uFFFB]*$",
        ),
    ],
)


NotifiedTypes = TypeAliasType(
    "NotifiedTypes",
    Annotated[
        list[EventType],
        Field(
            description="Types of events, as `docs/TRIGGERS.md` lists them or a plugin names them; none means every type.",
            max_length=64,
        ),
    ],
)
"""
Types of events, as `docs/TRIGGERS.md` lists them or a plugin names them; none means every type.
"""


OutageReason = TypeAliasType(
    "OutageReason",
    Annotated[
        Literal["heartbeat", "health"],
        Field(
            description="Why a plugin is taken for ill. `heartbeat`: it gave no sign of life for too long. `health`: its\n`/health` or a golden example failed several times in a row.\n"
        ),
    ],
)


OverlapSeconds = TypeAliasType(
    "OverlapSeconds",
    Annotated[
        Int,
        Field(
            description="How long a replaced token lives on, unless it ends before; 0 revokes it at once.",
            ge=0,
            le=2592000,
        ),
    ],
)


PluginBaseUrl = TypeAliasType(
    "PluginBaseUrl",
    Annotated[
        str,
        Field(
            description="Where the plugin's own contract is served; a path may follow the host, a query may not.",
            examples=["http://127.0.0.1:9000"],
            max_length=1024,
            min_length=10,
            pattern="^https?://[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(/[A-Za-z0-9._~-]+){0,8}/?$",
        ),
    ],
)


class PluginDisableV1(BaseModel):
    """
    Why a plugin is disabled.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: Line


PluginErrorCode = TypeAliasType(
    "PluginErrorCode",
    Annotated[
        Literal[
            "plugin_unavailable",
            "plugin_timeout",
            "plugin_rejected",
            "plugin_answer_invalid",
            "plugin_answer_too_large",
            "plugin_output_invalid",
            "plugin_circuit_open",
            "no_plugin_available",
            "dialog_reset",
        ],
        Field(
            description="Why a plugin gave no answer. `plugin_unavailable`: no connection, or it answered 429, 502, 503 or 504.\n`plugin_timeout`: the deadline passed. `plugin_rejected`: it refused the call with another status.\n`plugin_answer_invalid`: its answer breaks the plugin contract. `plugin_answer_too_large`: over the cap.\n`plugin_output_invalid`: its answer fits the plugin contract, but not its own `output_schema`.\n`plugin_circuit_open`: it was not called, since it failed too often lately.\n`no_plugin_available`: nobody could be called, not even the fallback.\n`dialog_reset`: the dialog was reset before the call was made.\n"
        ),
    ],
)


MetricsAdditionalProperty = TypeAliasType(
    "MetricsAdditionalProperty",
    Annotated[float, Field(ge=-9007199254740991.0, le=9007199254740991.0)],
)


PluginHeartbeatStatus = TypeAliasType(
    "PluginHeartbeatStatus",
    Annotated[
        Literal["active", "degraded", "disabled"],
        Field(description="How the plugin sees itself."),
    ],
)


PluginName = TypeAliasType(
    "PluginName",
    Annotated[
        str,
        Field(
            description="The plugin's name, unique together with its version.",
            examples=["weather"],
            max_length=64,
            min_length=1,
            pattern="^[a-z][a-z0-9_-]{0,63}$",
        ),
    ],
)


PluginScope = TypeAliasType(
    "PluginScope",
    Annotated[
        Literal["plugins:read", "telemetry:write", "telemetry:read"],
        Field(description="What a plugin's token may do."),
    ],
)


PluginScopes = TypeAliasType(
    "PluginScopes",
    Annotated[
        list[PluginScope],
        Field(
            description="What a plugin's token permits, each once. Without any it still permits heartbeats.",
            max_length=3,
        ),
        Distinct(),
    ],
)
"""
What a plugin's token permits, each once. Without any it still permits heartbeats.
"""


PluginStatus = TypeAliasType(
    "PluginStatus",
    Annotated[
        Literal["registering", "active", "degraded", "disabled"],
        Field(
            description="How the core sees a plugin. `registering` until the first good probe or heartbeat."
        ),
    ],
)


class PluginTokenIssueV1(BaseModel):
    """
    What a further token of a plugin shall permit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    scopes: PluginScopes
    expires_in_seconds: Annotated[
        ExpiresInSeconds | None, Field(description="When it expires; null for never.")
    ] = None
    name: Annotated[Name | None, Field(description="What to call it in lists.")] = None


class PluginTokenNarrowV1(BaseModel):
    """
    What a token of a plugin shall still permit, and until when; null leaves it as it is.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    scopes: Annotated[PluginScopes | None, Field(description="Some of those that it has.")] = None
    expires_in_seconds: Annotated[
        ExpiresInSeconds | None,
        Field(description="An end that comes before its present one."),
    ] = None


Quota = TypeAliasType(
    "Quota",
    Annotated[
        Int,
        Field(
            description="Requests in a window; as many may come at once.",
            examples=[600],
            ge=1,
            le=1000000,
        ),
    ],
)


class ReadinessV1(BaseModel):
    """
    The process can serve.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["ready"]
    mode: Annotated[
        Literal["normal", "degraded"],
        Field(
            description="`degraded`: Redis is away, from here or from all workers, or the streams are late; nothing is lost, they are filled when it is back."
        ),
    ]


class RegexConditionV1(BaseModel):
    """
    The text matches an RE2 pattern somewhere; anchor it with `^` and `$` where it must match whole.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["regex"]
    value: Annotated[
        str,
        Field(
            description="The pattern, in RE2 syntax.",
            examples=["(?i)^/weather\\b"],
            max_length=1024,
            min_length=1,
            pattern="^[^\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F]*$",
        ),
    ]
    threshold: Annotated[float | None, Field(ge=0.0, le=1.0)] = None


class RegistrationCapabilitiesV1(BaseModel):
    """
    What the deployed instance can do. It is checked, and not kept.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    streaming: bool = False
    throttling: bool = False


ReportedEventType = TypeAliasType(
    "ReportedEventType",
    Annotated[
        str,
        Field(
            description="What a plugin may report, its own `plugin_custom_…` among it. It changes nothing of a call.",
            examples=["plugin_custom_cache_emptied"],
            max_length=64,
            min_length=1,
            pattern="^(plugin_invocation_started|plugin_invocation_completed|plugin_failed|plugin_timeout|plugin_custom_[a-z0-9_]{1,50})$",
        ),
    ],
)


ResetReason = TypeAliasType(
    "ResetReason",
    Annotated[
        str,
        Field(
            description="Why, as a code and never as text; events carry it.",
            examples=["user_requested"],
            max_length=64,
            min_length=1,
            pattern="^[a-z][a-z0-9_]{0,63}$",
        ),
    ],
)


class RoutingClassifierV1(BaseModel):
    """
    Who was asked what the text means. The names are null where it gave no answer.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: Line | None
    version: Line | None
    catalogue_version: Annotated[
        Line | None,
        Field(description="Of the examples and descriptions that it learned from."),
    ]
    fallback: Annotated[
        Line | None,
        Field(description="Why another classifier answered than was asked, or none."),
    ]


RoutingStage = TypeAliasType(
    "RoutingStage",
    Annotated[
        Literal["command", "regex", "custom", "classifier", "fallback", "failure", "none"],
        Field(
            description="What decided. `command`, `regex`, `custom`: a rule. `classifier`: what the text means. `fallback`:\nnothing else fitted. `failure`: the plugin that was chosen first failed. `none`: nobody can answer.\n"
        ),
    ],
)


class ScalingAlertV1(BaseModel):
    """
    How much waits in `plugin:invocations`.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    waiting_calls: Annotated[
        Int,
        Field(description="Calls in the queue that may be made now.", ge=0, le=2147483647),
    ]
    waiting_entries: Annotated[
        Int,
        Field(
            description="Entries of the calls' streams that are not published yet.",
            ge=0,
            le=2147483647,
        ),
    ]
    threshold: Annotated[
        Int,
        Field(
            description="More than so many of both raise the alert.",
            ge=1,
            le=2147483647,
        ),
    ]


SchemaDigest = TypeAliasType(
    "SchemaDigest",
    Annotated[
        str,
        Field(
            description="SHA-256 of a JSON Schema's canonical JSON, in hexadecimal.",
            max_length=64,
            min_length=64,
            pattern="^[0-9a-f]{64}$",
        ),
    ],
)


SchemaVersion = TypeAliasType(
    "SchemaVersion",
    Annotated[Literal["v1alpha"], Field(description="A version of this contract.")],
)


SchemaVersionName = TypeAliasType(
    "SchemaVersionName",
    Annotated[
        str,
        Field(
            description="A version of this contract, whether the core serves it or not.",
            examples=["v1alpha"],
            max_length=32,
            min_length=2,
            pattern="^v[0-9][A-Za-z0-9._-]{0,30}$",
        ),
    ],
)


class SecretRotateV1(BaseModel):
    """
    How a secret is replaced.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    overlap_seconds: Annotated[
        Int,
        Field(
            description="How long the old secret signs along; 0 ends it at once.",
            ge=0,
            le=2592000,
        ),
    ] = 86400


SemanticVersion = TypeAliasType(
    "SemanticVersion",
    Annotated[
        str,
        Field(
            description="A version by Semantic Versioning 2.0.0.",
            examples=["1.4.0"],
            max_length=128,
            min_length=5,
            pattern="^(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})\\.(0|[1-9][0-9]{0,8})(-[0-9A-Za-z-]{1,20}(\\.[0-9A-Za-z-]{1,20}){0,3})?(\\+[0-9A-Za-z-]{1,20}(\\.[0-9A-Za-z-]{1,20}){0,3})?$",
        ),
    ],
)


Severity = TypeAliasType(
    "Severity",
    Annotated[
        Literal["info", "warning", "critical"],
        Field(
            description="Who must look. `info` nobody, `warning` who is about, `critical` somebody now."
        ),
    ],
)


StoredPayloadV1 = TypeAliasType("StoredPayloadV1", Annotated[dict[str, Any], Field(max_length=32)])
"""
What was sent to or by a plugin, as it stands in `plugin_calls`.
"""


class StreamPluginEventsHeader(BaseModel):
    """
    The header parameters of streamPluginEvents.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    Last_Event_ID: Annotated[FeedPlace | None, Field(alias="Last-Event-ID")] = None


class StreamedEventV1(BaseModel):
    """
    An event as a stream tells it, by the fields of server-sent events.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: FeedPlace
    event: EventType
    data: Annotated[
        str,
        Field(
            description="The event as JSON.",
            json_schema_extra={"contentMediaType": "application/json"},
            max_length=131072,
            min_length=2,
        ),
    ]


class SubscriptionCreateV1(BaseModel):
    """
    A webhook, and what it is sent.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    url: HttpUrl
    event_types: NotifiedTypes = []
    min_severity: Severity = "warning"
    owner: Annotated[
        Line | None,
        Field(
            description="Only what is about plugins whose manifest names this `metadata.owner`; null for all."
        ),
    ] = None
    description: Annotated[Line | None, Field(description="What it is for.")] = None


SubscriptionStatus = TypeAliasType(
    "SubscriptionStatus",
    Annotated[Literal["active", "disabled"], Field(description="Whether it is sent anything.")],
)


class SubscriptionUpdateV1(BaseModel):
    """
    What shall change of a subscription; null leaves it as it is.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    url: Annotated[HttpUrl | None, Field(description="Where it is sent to.")] = None
    event_types: Annotated[
        NotifiedTypes | None,
        Field(description="The types that it is sent, in place of those before."),
    ] = None
    min_severity: Annotated[
        Severity | None, Field(description="What is less severe is not sent.")
    ] = None
    description: Annotated[Line | None, Field(description="What it is for.")] = None
    status: Annotated[
        SubscriptionStatus | None, Field(description="Whether it is sent anything.")
    ] = None


class SuggestedActionV1(BaseModel):
    """
    A button that the bot may offer.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    label: Line
    value: Line


Text = TypeAliasType(
    "Text",
    Annotated[
        str,
        Field(
            description="What a person reads. No control characters but tab, line feed and carriage return.",
            max_length=4096,
            min_length=1,
            pattern="^[^\\x00-\\x08\\x0B\\x0C\\x0E-\\x1F\\x7F]*$",
        ),
    ],
)


Token = TypeAliasType(
    "Token",
    Annotated[
        str,
        Field(
            description="A secret, shown once.",
            max_length=256,
            min_length=16,
            pattern="^[A-Za-z0-9_]{16,256}$",
        ),
    ],
)


TokenId = TypeAliasType(
    "TokenId",
    Annotated[
        str,
        Field(
            description="A token's public id, the part of it that is no secret.",
            examples=["EXAMPLE0EXAMPLE0"],
            max_length=16,
            min_length=16,
            pattern="^[0-9A-Za-z]{16}$",
        ),
    ],
)


TokenKind = TypeAliasType(
    "TokenKind",
    Annotated[Literal["bot", "plugin"], Field(description="Whose token it is.")],
)


class TokenRotateV1(BaseModel):
    """
    How a token is replaced by one of the same scopes and name.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    overlap_seconds: OverlapSeconds = 600
    expires_in_seconds: Annotated[
        ExpiresInSeconds | None,
        Field(
            description="When the new one expires; null gives it the old one's lifetime, from issue to end."
        ),
    ] = None


TokenScope = TypeAliasType(
    "TokenScope",
    Annotated[
        str,
        Field(
            description="What a token permits. A newer core may issue scopes that this one does not know.",
            examples=["dialogs:read"],
            max_length=64,
            min_length=3,
            pattern="^[a-z]+:[a-z]+$",
        ),
    ],
)


class TokenV1(BaseModel):
    """
    A token without its secret, which nobody can show again.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: TokenId
    kind: TokenKind
    name: Annotated[Name | None, Field(description="What an operator called it.")]
    scopes: Annotated[list[TokenScope], Field(description="What it permits.", max_length=32)]
    created_at: Timestamp
    expires_at: Annotated[Timestamp | None, Field(description="Its end; null for never.")]
    revoked_at: Annotated[
        Timestamp | None,
        Field(description="When it was revoked; null where it was not."),
    ]
    last_used_at: Annotated[
        Timestamp | None,
        Field(description="Its latest use, to the minute or so; null for never."),
    ]


class UserUpsertV1(BaseModel):
    """
    A person, as the bot knows them.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    telegram_id: Annotated[
        Int,
        Field(description="The person's id in Telegram.", ge=1, le=9223372036854775807),
    ]
    display_name: Line
    locale: Locale | None = None
    metadata: MetadataV1 = {}


WebhookSecret = TypeAliasType(
    "WebhookSecret",
    Annotated[
        str,
        Field(
            description="A secret to sign with, as Standard Webhooks write it. It is shown once.",
            max_length=50,
            min_length=50,
            pattern="^whsec_[A-Za-z0-9+/]{43}=$",
        ),
    ],
)


WindowSeconds = TypeAliasType(
    "WindowSeconds",
    Annotated[
        Int,
        Field(
            description="The window, in seconds. What was used comes back evenly within it.",
            examples=[60],
            ge=1,
            le=86400,
        ),
    ],
)


class AddDialogMessagePath(BaseModel):
    """
    The path parameters of addDialogMessage.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Uuid


class AdminPluginV1(BaseModel):
    """
    A registered version of a plugin, as operators see it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    name: PluginName
    version: SemanticVersion
    status: PluginStatus
    base_url: Annotated[
        str,
        Field(
            description="Where it is called.",
            max_length=2048,
            min_length=10,
            pattern="^https?://[!-~]*$",
        ),
    ]
    scopes: Annotated[list[TokenScope], Field(description="What its token may do.", max_length=32)]
    manifest_hash: ManifestHash
    last_heartbeat: Annotated[
        Timestamp | None,
        Field(description="Its latest sign of life; null where it never gave one."),
    ]
    created_at: Timestamp
    disabled_at: Annotated[
        Timestamp | None,
        Field(
            description="Since when the core or an operator keeps it disabled; null where neither does."
        ),
    ]
    deleted_at: Annotated[
        Timestamp | None, Field(description="When it was deleted; null in every list.")
    ]
    schema_version: SchemaVersion
    is_fallback: Annotated[bool, Field(description="Whether its manifest 1.0 says `is_default`.")]
    outage_since: Annotated[
        Timestamp | None,
        Field(description="Since when it is taken for ill; null while it is not."),
    ]
    outage_reason: OutageReason | None
    served_manifest_hash: Annotated[
        ManifestHash | None,
        Field(
            description="Of the manifest that the plugin itself served last; it differs from `manifest_hash` where the plugin serves another than it registered. Null where it was not read yet."
        ),
    ]
    output_schema_digest: Annotated[
        SchemaDigest | None,
        Field(
            description="Of the `output_schema` that its answers are held against, as it was when it registered; null where it has none."
        ),
    ]


class AttachmentV1(BaseModel):
    """
    A file that belongs to a message; the core stores its address, never its bytes.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: Uuid
    type: Annotated[
        str,
        Field(
            description="The kind of file, as the bot names it.",
            examples=["image/png"],
            max_length=64,
            min_length=1,
            pattern="^[A-Za-z0-9][A-Za-z0-9!#$&^_.+/-]{0,63}$",
        ),
    ]
    url: HttpUrl


AttachmentsV1 = TypeAliasType(
    "AttachmentsV1",
    Annotated[list[AttachmentV1], Field(description="At most ten files.", max_length=10)],
)
"""
At most ten files.
"""


class AuditEntryV1(BaseModel):
    """
    One thing that happened or was done.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: Annotated[Int, Field(ge=1, le=9007199254740991)]
    event_id: Annotated[
        Uuid | None,
        Field(description="The event that it repeats; null where it is none."),
    ]
    source: AuditSource
    action: AuditAction
    details: AuditDetailsV1
    trace_id: Uuid
    severity: Severity
    created_at: Timestamp


class AuditPageV1(BaseModel):
    """
    A page of the audit trail, the newest entries first.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[list[AuditEntryV1], Field(max_length=100)]
    next_cursor: Annotated[
        Cursor | None,
        Field(description="The page of older entries; null on the last one."),
    ]


class BotCallbackSetV1(BaseModel):
    """
    Where a bot is told that an answer is there.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    callback_url: HttpUrl


class BotCreateV1(BaseModel):
    """
    A new bot, and what its first token permits.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: Name
    scopes: BotScopes = ["dialogs:read", "dialogs:write", "users:write"]
    expires_in_seconds: Annotated[
        ExpiresInSeconds | None,
        Field(description="When the token expires; null for never."),
    ] = None


class BotTokenIssueV1(BaseModel):
    """
    What a further token of a bot shall permit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    scopes: BotScopes
    expires_in_seconds: Annotated[
        ExpiresInSeconds | None, Field(description="When it expires; null for never.")
    ] = None
    name: Annotated[Name | None, Field(description="What to call it in lists.")] = None


class BotTokenNarrowV1(BaseModel):
    """
    What a token of a bot shall still permit, and until when; null leaves it as it is.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    scopes: Annotated[BotScopes | None, Field(description="Some of those that it has.")] = None
    expires_in_seconds: Annotated[
        ExpiresInSeconds | None,
        Field(description="An end that comes before its present one."),
    ] = None


class BotV1(BaseModel):
    """
    A bot.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: Uuid
    name: Name
    created_at: Timestamp
    revoked_at: Annotated[
        Timestamp | None,
        Field(description="When it was revoked, for good; null where it was not."),
    ]
    tokens: Annotated[
        Int,
        Field(description="How many of its tokens are valid now.", ge=0, le=2147483647),
    ]
    callback_url: Annotated[
        HttpUrl | None,
        Field(description="Where it is told that a late answer is there; null where it is not."),
    ]


class ClassifierConditionV1(BaseModel):
    """
    The classifier names this intent with at least `threshold` confidence.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["classifier"]
    value: Line | None = None
    threshold: Annotated[float | None, Field(ge=0.0, le=1.0)] = None


class CommandPayloadV1(BaseModel):
    """
    A command such as `/start`, with its arguments.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["command"]
    text: Text
    attachments: Annotated[AttachmentsV1, Field(validate_default=True)] = []


class CoreDegradedV1(BaseModel):
    """
    The core goes on by PostgreSQL alone: the streams are late, limits are counted by each instance.
    One for each such time, whatever the number of workers. It reaches its stream when that can be written.

    """

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: DegradedReason
    since: Annotated[
        Timestamp,
        Field(description="When Redis was last written to, or since when the oldest event waits."),
    ]
    seconds: Annotated[float, Field(description="How long ago that was.", ge=0.0, le=10000000000.0)]
    lag_seconds: Annotated[
        float,
        Field(
            description="The age of the oldest event that waits; 0 where none does.",
            ge=0.0,
            le=10000000000.0,
        ),
    ]


class CoreRecoveredV1(BaseModel):
    """
    Redis is there and the streams have caught up; one for each `core_degraded`.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: DegradedReason
    since: Annotated[Timestamp, Field(description="When the core became degraded.")]
    seconds: Annotated[float, Field(description="How long it was.", ge=0.0, le=10000000000.0)]
    lag_seconds: Annotated[
        float,
        Field(
            description="The age of the oldest event that waits; 0 where none does.",
            ge=0.0,
            le=10000000000.0,
        ),
    ]


class DeletePluginPath(BaseModel):
    """
    The path parameters of deletePlugin.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid


class DeletePluginQuery(BaseModel):
    """
    The query parameters of deletePlugin.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: Line | None = None


class DeleteSubscriptionPath(BaseModel):
    """
    The path parameters of deleteSubscription.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid


class DialogResetRequestV1(BaseModel):
    """
    Who wants a dialog forgotten, and why.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Annotated[Uuid | None, Field(description="Where given, it equals the path's.")] = (
        None
    )
    user_id: Annotated[Uuid, Field(description="The dialog's user.")]
    reason: ResetReason = "user_requested"


class DialogResetV1(BaseModel):
    """
    A dialog's messages were deleted.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Uuid
    user_id: Uuid
    reason: ResetReason
    reset_version: Annotated[
        Int,
        Field(
            description="How often the dialog was reset, this time included.",
            ge=1,
            le=2147483647,
        ),
    ]


class DialogSummaryV1(BaseModel):
    """
    A dialog without its messages.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: Uuid
    user_id: Uuid
    status: Literal["active", "archived"]
    reset_version: Annotated[
        Int, Field(description="How often the dialog was reset.", ge=0, le=2147483647)
    ]
    created_at: Timestamp


class DisablePluginPath(BaseModel):
    """
    The path parameters of disablePlugin.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid


class EnablePluginPath(BaseModel):
    """
    The path parameters of enablePlugin.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid


class EnablePluginQuery(BaseModel):
    """
    The query parameters of enablePlugin.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: Line | None = None


class EraseUserPath(BaseModel):
    """
    The path parameters of eraseUser.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: Uuid


class EventAckV1(BaseModel):
    """
    The event is stored.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: Annotated[
        Literal["accepted", "duplicate"],
        Field(description="`duplicate` where it had been stored before."),
    ]
    event_id: Uuid


class EventEnvelopeV1(BaseModel):
    """
    What every event says of itself beside its payload. In a stream these are the entry's fields, as
    text, and one that is null is left out; the payload is the further field `payload`, as JSON. An
    entry may come twice, with the same `event_id`; `trace_id` is that of the request that caused it.

    """

    model_config = ConfigDict(
        extra="forbid",
    )
    event_id: Uuid
    event_type: EventType
    source: Annotated[
        Literal["core", "plugin"],
        Field(description="Who says so, the core itself or a plugin."),
    ]
    severity: Severity
    plugin_id: Annotated[Uuid | None, Field(description="The plugin that it is about.")] = None
    dialog_id: Annotated[Uuid | None, Field(description="The dialog that it is about.")] = None
    trace_id: Uuid
    occurred_at: Timestamp


class EventNoticeV1(BaseModel):
    """
    An event, as its stream has it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    event_id: Uuid
    event_type: EventType
    source: Annotated[
        Literal["core", "plugin"],
        Field(description="Who says so, the core itself or a plugin."),
    ]
    severity: Severity
    plugin_id: Annotated[Uuid | None, Field(description="The plugin that it is about.")]
    dialog_id: Annotated[Uuid | None, Field(description="The dialog that it is about.")]
    trace_id: Uuid
    occurred_at: Timestamp
    payload: EventPayloadV1


class GetDialogMessagePath(BaseModel):
    """
    The path parameters of getDialogMessage.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Uuid
    message_id: MessageId


class GetDialogPath(BaseModel):
    """
    The path parameters of getDialog.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Uuid


class GetLimitPath(BaseModel):
    """
    The path parameters of getLimit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subject: LimitSubject
    subject_id: Uuid


class GetSubscriptionPath(BaseModel):
    """
    The path parameters of getSubscription.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid


class HealthV1(BaseModel):
    """
    The process lives.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["ok"]
    version: SemanticVersion


class HeartbeatAckV1(BaseModel):
    """
    The status that the core holds after this heartbeat.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: PluginStatus


class ImagePayloadV1(BaseModel):
    """
    One or more pictures.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["image"]
    attachments: Annotated[
        list[AttachmentV1],
        Field(description="One to ten files.", max_length=10, min_length=1),
    ]


class InvokePluginHeader(BaseModel):
    """
    The header parameters of invokePlugin.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    X_Invocation_Id: Annotated[Uuid, Field(alias="X-Invocation-Id")]
    X_Deadline_Ms: Annotated[Int | None, Field(alias="X-Deadline-Ms", ge=1, le=600000)] = None


class IssueBotTokenPath(BaseModel):
    """
    The path parameters of issueBotToken.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid


class IssuePluginTokenPath(BaseModel):
    """
    The path parameters of issuePluginToken.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid


JsonSchemaOrUrl = TypeAliasType(
    "JsonSchemaOrUrl",
    Annotated[
        HttpUrl | JsonSchemaV1 | None,
        Field(
            description="A JSON Schema 2020-12, inline or as a URL on the origin of `base_url`. At most 64 KiB, 32 levels and\n1,000 subschemas; `$ref` begins with `#`, patterns are RE2's, and there is no `$dynamicRef`.\n"
        ),
    ],
)


class LLMErrorV1(BaseModel):
    """
    What a language model, or its provider, did wrong. It never repeats what was said to it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    code: LLMErrorCode
    message: Line
    provider: LLMProvider
    retryable: Annotated[bool, Field(description="Whether the same request may fare better later.")]


class LLMUnavailableV1(BaseModel):
    """
    So many calls of a model failed that the other provider answers now. One for each outage that an
    instance sees: several instances see one outage several times.

    """

    model_config = ConfigDict(
        extra="forbid",
    )
    provider: LLMProvider
    fallback: LLMProvider
    availability: Annotated[
        float,
        Field(description="The share of good calls in the window.", ge=0.0, le=1.0),
    ]
    window_seconds: Annotated[
        float, Field(description="How long the window is.", ge=0.0, le=86400.0)
    ]
    calls: Annotated[Int, Field(description="Calls in the window.", ge=1, le=1000000000)]
    error: LLMErrorV1


class LLMUsageV1(BaseModel):
    """
    What a language model was used for this answer, in tokens.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    provider: Line
    model: Line
    prompt_tokens: Annotated[Int, Field(ge=0, le=1000000000)]
    completion_tokens: Annotated[Int, Field(ge=0, le=1000000000)]
    total_tokens: Annotated[Int, Field(ge=0, le=2000000000)]
    cost_usd: Annotated[float | None, Field(description="In US dollars.", ge=0.0, le=1000000.0)] = (
        None
    )


class LimitChangeV1(BaseModel):
    """
    A limit of its own for a bot, a user or a plugin.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    quota: Quota
    window_seconds: WindowSeconds


class LimitV1(BaseModel):
    """
    How often a bot, a user or a plugin may ask.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subject: LimitSubject
    subject_id: Uuid
    quota: Quota
    window_seconds: WindowSeconds
    is_default: Annotated[bool, Field(description="Whether it is the contract's own.")]
    updated_at: Annotated[
        Timestamp | None,
        Field(description="When an operator set it, or took it back; null where nobody ever did."),
    ]


class ListAllPluginsQuery(BaseModel):
    """
    The query parameters of listAllPlugins.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: PluginStatus | None = None
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ListAuditEntriesQuery(BaseModel):
    """
    The query parameters of listAuditEntries.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    trace_id: Uuid | None = None
    action: AuditAction | None = None
    source: AuditSource | None = None
    severity: Severity | None = None
    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    to: Timestamp | None = None
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ListBotTokensPath(BaseModel):
    """
    The path parameters of listBotTokens.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid


class ListDeliveriesPath(BaseModel):
    """
    The path parameters of listDeliveries.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid


class ListPluginEventsQuery(BaseModel):
    """
    The query parameters of listPluginEvents.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid | None = None
    event_type: EventType | None = None
    severity: Severity | None = None
    dialog_id: Uuid | None = None
    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    to: Timestamp | None = None
    limit: Annotated[Int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class ListPluginTokensPath(BaseModel):
    """
    The path parameters of listPluginTokens.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid


class ManifestAuthV1(BaseModel):
    """
    How the plugin is called, and what it asks for.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["bearer"]
    scopes: Annotated[list[PluginScope], Field(max_length=16)] = []


class MessageAnsweredV1(BaseModel):
    """
    A message that was answered 202, or not at all since the instance died, has its answer; read it at the message's own address.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Uuid
    message_id: MessageId
    status: Annotated[
        Literal["accepted", "failed"],
        Field(description="As the message's own address tells it."),
    ]
    trace_id: Uuid


class NarrowBotTokenPath(BaseModel):
    """
    The path parameters of narrowBotToken.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid
    token_id: TokenId


class NarrowPluginTokenPath(BaseModel):
    """
    The path parameters of narrowPluginToken.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    token_id: TokenId


class NotificationTestV1(BaseModel):
    """
    Somebody tries whether notifications arrive.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid


class NotificationV1(BaseModel):
    """
    What is sent to a webhook: a POST with this body and the headers `webhook-id`, `webhook-timestamp`
    and `webhook-signature`. The `webhook-id` is the delivery's id; it tells repeats.

    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: EventType
    timestamp: Timestamp
    data: Annotated[
        EventNoticeV1 | MessageAnsweredV1 | NotificationTestV1,
        Field(description="What it is about, by its type."),
    ]


class PluginDisabledV1(BaseModel):
    """
    A plugin was taken out of service.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    name: PluginName
    version: SemanticVersion
    reason: Annotated[Line | None, Field(description="As it was given; null where none was.")]
    deleted: Annotated[
        bool,
        Field(description="Whether it was deleted with it and can never be enabled again."),
    ]
    owner: Annotated[
        Line | None,
        Field(description="Of the plugin, as its manifest names it; null where it names none."),
    ]


class PluginErrorV1(BaseModel):
    """
    What a plugin did wrong, for the bot to show or to log.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    code: PluginErrorCode
    message: Line
    plugin_id: Uuid | None = None
    retryable: Annotated[
        bool,
        Field(description="Whether a new message of the same content may fare better."),
    ]


class PluginEventRecordV1(BaseModel):
    """
    An event of a plugin as it is stored, whether the core or the plugin itself told it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    event_id: Uuid
    plugin_id: Uuid
    dialog_id: Uuid | None
    event_type: EventType
    source: Annotated[Literal["core", "plugin"], Field(description="Who says so.")]
    severity: Severity
    payload: Annotated[
        EventPayloadV1 | None,
        Field(description="Null for a plugin that reads another's."),
    ]
    occurred_at: Timestamp
    received_at: Timestamp


class PluginEventV1(BaseModel):
    """
    What a plugin reports of itself.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    event_id: Annotated[
        Uuid,
        Field(
            description="The plugin's choice, a new one for each event; the same again is the same event."
        ),
    ]
    plugin_id: Uuid
    dialog_id: Annotated[
        Uuid | None,
        Field(description="The dialog that it is about, where there is one."),
    ] = None
    event_type: ReportedEventType
    severity: Severity = "info"
    payload: EventPayloadV1 = {}
    occurred_at: Annotated[
        Timestamp, Field(description="At most five minutes ahead of the core's clock.")
    ]


class PluginHealthV1(BaseModel):
    """
    The plugin lives.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: Literal["ok", "degraded"]
    version: SemanticVersion


class PluginHeartbeatMissedV1(BaseModel):
    """
    A plugin is taken for ill, and called only where no healthier one fits. One for each outage.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    name: PluginName
    version: SemanticVersion
    reason: OutageReason
    last_heartbeat: Annotated[
        Timestamp | None,
        Field(description="Its latest sign of life; null where it never gave one."),
    ]
    outage_since: Timestamp


class PluginHeartbeatRequestV1(BaseModel):
    """
    A sign of life.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    status: PluginHeartbeatStatus
    latency_ms: Annotated[
        float | None,
        Field(
            description="The plugin's own median latency, in milliseconds.",
            ge=0.0,
            le=86400000.0,
        ),
    ] = None
    queue_depth: Annotated[
        Int | None,
        Field(description="Calls that wait in the plugin.", ge=0, le=1000000000),
    ] = None
    metrics: Annotated[
        dict[
            Annotated[
                str,
                StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$", min_length=1, max_length=64),
            ],
            MetricsAdditionalProperty,
        ],
        Field(
            description="The plugin's own figures. They are checked, and not kept.",
            max_length=64,
        ),
    ] = {}


class PluginHeartbeatV1(BaseModel):
    """
    A plugin gave a sign of life.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    reported: PluginHeartbeatStatus
    status: PluginStatus
    latency_ms: Annotated[float | None, Field(ge=0.0, le=86400000.0)]
    queue_depth: Annotated[Int | None, Field(ge=0, le=1000000000)]


class PluginInvocationLogV1(BaseModel):
    """
    A plugin call as it stands in `plugin_calls`. In a stream its payloads are null.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    invocation_id: Uuid
    dialog_id: Uuid
    request_payload: StoredPayloadV1 | None
    response_payload: StoredPayloadV1 | None
    status: Literal["queued", "in_progress", "succeeded", "failed", "timeout", "rejected"]
    error_code: PluginErrorCode | None
    started_at: Timestamp
    finished_at: Timestamp | None


class PluginInvocationResponseV1(BaseModel):
    """
    A plugin's answer.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    text: Text
    content_type: ContentType = "text/plain"
    suggested_actions: Annotated[
        list[SuggestedActionV1], Field(max_length=10, validate_default=True)
    ] = []
    attachments: Annotated[AttachmentsV1, Field(validate_default=True)] = []
    confidence: Annotated[float | None, Field(ge=0.0, le=1.0)] = None
    usage: LLMUsageV1 | None = None
    trace_id: Annotated[Uuid, Field(description="The request's.")]


class PluginManifestSummaryV1(BaseModel):
    """
    What others may know of a plugin.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    name: PluginName
    version: SemanticVersion
    intents: Annotated[
        list[IntentTag],
        Field(
            description="The tags of the intents that it answers, in the order of its manifest.",
            max_length=200,
        ),
    ]
    status: PluginStatus
    last_heartbeat: Annotated[
        Timestamp | None,
        Field(description="Null where it has given no sign of life yet."),
    ]


class PluginMessageV1(BaseModel):
    """
    One plugin's answer.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    content: Text
    content_type: ContentType
    suggested_actions: Annotated[
        list[SuggestedActionV1], Field(description="At most ten.", max_length=10)
    ]


class PluginRecoveredV1(BaseModel):
    """
    A plugin's outage ended; it is called as before.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    name: PluginName
    version: SemanticVersion
    reason: OutageReason
    outage_since: Timestamp
    outage_seconds: Annotated[
        float, Field(description="How long it lasted.", ge=0.0, le=10000000000.0)
    ]


class PluginRegisteredV1(BaseModel):
    """
    A plugin registered, or its token was rotated.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    name: PluginName
    version: SemanticVersion
    manifest_hash: ManifestHash
    status: PluginStatus


class PluginRegistrationResponseV1(BaseModel):
    """
    The plugin's identity and its secrets. Keep them; they are shown once.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    token: Annotated[Token, Field(description="The Bearer with which the plugin calls the core.")]
    issued_at: Timestamp
    expires_at: Timestamp
    invocation_token: Annotated[
        Token,
        Field(
            description="The Bearer with which the core calls the plugin; the same for every replica and registration of this plugin."
        ),
    ]
    signing_secret: Annotated[
        WebhookSecret | None,
        Field(
            description="By which the plugin tells the core's calls; the same for every replica and registration of this plugin. No call carries it."
        ),
    ] = None


class PluginReportedV1(BaseModel):
    """
    A plugin reported an event; what it says of it is read from the API.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    dialog_id: Annotated[Uuid | None, Field(description="The dialog that the plugin named.")]
    size: Annotated[
        Int,
        Field(description="The payload's, in bytes, as it is stored.", ge=2, le=65536),
    ]


class Problem(BaseModel):
    """
    Every error, by RFC 9457.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Annotated[
        str,
        Field(
            description="`urn:botcore:problem:` and the code.",
            max_length=128,
            min_length=1,
            pattern="^urn:botcore:problem:[a-z][a-z0-9_]{0,63}$",
        ),
    ]
    title: Annotated[str, Field(max_length=128, min_length=1)]
    status: Annotated[Int, Field(ge=400, le=599)]
    detail: Annotated[
        str,
        Field(
            description="What was wrong, where, and what to do.",
            max_length=1024,
            min_length=1,
        ),
    ]
    code: ErrorCode
    trace_id: Uuid
    errors: Annotated[
        list[InvalidValueV1],
        Field(
            description="Where values were refused, each of them; at most 50.",
            max_length=50,
            validate_default=True,
        ),
    ] = []


class RemoveBotCallbackPath(BaseModel):
    """
    The path parameters of removeBotCallback.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid


class ReportPluginEventPath(BaseModel):
    """
    The path parameters of reportPluginEvent.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid


class ResendDeliveryPath(BaseModel):
    """
    The path parameters of resendDelivery.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid
    delivery_id: Uuid


class ResetDialogPath(BaseModel):
    """
    The path parameters of resetDialog.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Uuid


class ResetLimitPath(BaseModel):
    """
    The path parameters of resetLimit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subject: LimitSubject
    subject_id: Uuid


class RevokeBotPath(BaseModel):
    """
    The path parameters of revokeBot.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid


class RevokeBotTokenPath(BaseModel):
    """
    The path parameters of revokeBotToken.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid
    token_id: TokenId


class RevokePluginTokenPath(BaseModel):
    """
    The path parameters of revokePluginToken.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    token_id: TokenId


class RotateBotTokenPath(BaseModel):
    """
    The path parameters of rotateBotToken.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid
    token_id: TokenId


class RotatePluginTokenPath(BaseModel):
    """
    The path parameters of rotatePluginToken.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    token_id: TokenId


class RotateSubscriptionSecretPath(BaseModel):
    """
    The path parameters of rotateSubscriptionSecret.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid


class RoutingCandidateV1(BaseModel):
    """
    An intent that matched, or that the classifier thought of.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin: PluginName
    version: SemanticVersion
    intent: IntentTag
    stage: RoutingStage
    score: Annotated[
        float,
        Field(
            description="1 for a rule that matched, the classifier's confidence else.",
            ge=0.0,
            le=1.0,
        ),
    ]
    bonus: Annotated[
        float,
        Field(
            description="The plugin's `sticky_bonus`, where it answered last in the dialog. The sum counts as 1 at most.",
            ge=0.0,
            le=1.0,
        ),
    ]
    threshold: Annotated[
        float | None,
        Field(
            description="What score and bonus must reach. Null for a rule that names none.",
            ge=0.0,
            le=1.0,
        ),
    ]
    priority: Annotated[Int, Field(ge=0, le=1000)]
    status: PluginStatus
    fired: Annotated[bool, Field(description="Whether it reached its threshold.")]


class RoutingFailureV1(BaseModel):
    """
    The call for which this plugin answers.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid
    code: PluginErrorCode | None


class SendPluginHeartbeatPath(BaseModel):
    """
    The path parameters of sendPluginHeartbeat.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid


class SetBotCallbackPath(BaseModel):
    """
    The path parameters of setBotCallback.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid


class SetLimitPath(BaseModel):
    """
    The path parameters of setLimit.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subject: LimitSubject
    subject_id: Uuid


class StreamPluginEventsQuery(BaseModel):
    """
    The query parameters of streamPluginEvents.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    plugin_id: Uuid | None = None
    event_type: EventType | None = None
    severity: Severity | None = None
    dialog_id: Uuid | None = None
    from_: Annotated[Timestamp | None, Field(alias="from")] = None
    to: Timestamp | None = None
    max_seconds: Annotated[Int, Field(ge=0, le=3600)] = 300


class SubscriptionDisabledV1(BaseModel):
    """
    A subscription is sent nothing more.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid
    reason: Annotated[
        Literal["gone", "failing"],
        Field(description="Whether it answered 410, or nothing arrived for days."),
    ]
    failing_since: Annotated[
        Timestamp | None,
        Field(
            description="When the first attempt failed since one succeeded; null where none had."
        ),
    ]


class SubscriptionV1(BaseModel):
    """
    A webhook, what it is sent, and whether it takes it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: Uuid
    url: HttpUrl
    event_types: NotifiedTypes
    min_severity: Severity
    owner: Annotated[Line | None, Field(description="Whose plugins it is about; null for all.")]
    bot_id: Annotated[
        Uuid | None,
        Field(description="The bot whose callback it is; null for any other."),
    ]
    description: Annotated[Line | None, Field(description="What it is for.")]
    status: SubscriptionStatus
    disabled_reason: Annotated[
        Literal["operator", "gone", "failing"] | None,
        Field(
            description="Why it is disabled. `operator` somebody did, `gone` it answered 410, `failing` nothing arrived for days."
        ),
    ]
    disabled_at: Annotated[
        Timestamp | None, Field(description="Since when; null while it is active.")
    ]
    failing_since: Annotated[
        Timestamp | None,
        Field(
            description="When the first attempt failed since one succeeded; null where the last one did."
        ),
    ]
    old_secret_until: Annotated[
        Timestamp | None,
        Field(
            description="Until when requests are also signed by the secret before; null where they are not."
        ),
    ]
    created_at: Timestamp
    updated_at: Timestamp


class TestSubscriptionPath(BaseModel):
    """
    The path parameters of testSubscription.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid


class TextPayloadV1(BaseModel):
    """
    What the user typed.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["text"]
    text: Text
    attachments: Annotated[AttachmentsV1, Field(validate_default=True)] = []


class TokenIssuedV1(BaseModel):
    """
    A new token with its secret, which is shown this once.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    token: Token
    issued: TokenV1


class TokenPageV1(BaseModel):
    """
    One page of tokens.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[
        list[TokenV1],
        Field(description="At most as many as asked for.", max_length=100),
    ]
    next_cursor: Annotated[Cursor | None, Field(description="The next page; null on the last one.")]


class UpdateSubscriptionPath(BaseModel):
    """
    The path parameters of updateSubscription.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription_id: Uuid


class UserCreatedV1(BaseModel):
    """
    A person became known to the core.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: Uuid


class UserErasedV1(BaseModel):
    """
    A user was erased; whoever keeps something of them removes it too.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: Uuid
    bot_id: Annotated[
        Uuid | None,
        Field(description="Whose part of the user was erased; null where all of it was."),
    ]


class UserErasureV1(BaseModel):
    """
    A user is erased, or one bot's part of them.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    user_id: Uuid
    erased_at: Annotated[Timestamp, Field(description="Since when nobody is told anything of it.")]


class UserUpsertResponseV1(BaseModel):
    """
    The person's id for all later calls.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    status: Annotated[
        Literal["created", "updated"],
        Field(description="`created` when this bot had not registered the person before."),
    ]
    user_id: Uuid


class VoicePayloadV1(BaseModel):
    """
    A voice message.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    type: Literal["voice"]
    attachments: Annotated[
        list[AttachmentV1],
        Field(description="One to ten files.", max_length=10, min_length=1),
    ]


ActivationConditionV1 = TypeAliasType(
    "ActivationConditionV1",
    Annotated[
        ClassifierConditionV1 | RegexConditionV1 | CustomConditionV1,
        Field(description="When an intent fires.", discriminator="type"),
    ],
)


class AdminPluginPageV1(BaseModel):
    """
    A page of the registered plugins, those that were registered last first.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[list[AdminPluginV1], Field(max_length=100)]
    next_cursor: Annotated[
        Cursor | None,
        Field(description="The page of those registered earlier; null on the last one."),
    ]


class BotCallbackV1(BaseModel):
    """
    A bot's callback.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot_id: Uuid
    subscription: SubscriptionV1
    secret: Annotated[
        WebhookSecret | None,
        Field(description="Where the callback is new, this once; else null."),
    ]


class BotCreatedV1(BaseModel):
    """
    A new bot with its first token, whose secret is shown this once.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    bot: BotV1
    token: Token
    issued: TokenV1


class BotPageV1(BaseModel):
    """
    One page of bots.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[
        list[BotV1], Field(description="At most as many as asked for.", max_length=100)
    ]
    next_cursor: Annotated[Cursor | None, Field(description="The next page; null on the last one.")]


class DeliveryV1(BaseModel):
    """
    One notification on its way to one subscription.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    id: Uuid
    subscription_id: Uuid
    event_id: Uuid
    event_type: EventType
    severity: Severity
    status: DeliveryStatus
    attempts: Annotated[
        Int,
        Field(
            description="How often it was tried, since it was sent the last time.",
            ge=0,
            le=2147483647,
        ),
    ]
    next_attempt_at: Annotated[
        Timestamp | None,
        Field(description="When it is tried next, at the earliest; null where it is not."),
    ]
    last_status: Annotated[
        Int | None,
        Field(
            description="The HTTP status that was answered last; null where there was none.",
            ge=100,
            le=999,
        ),
    ]
    last_error: Annotated[
        Line | None,
        Field(description="Why the last attempt failed; null where it did not."),
    ]
    created_at: Timestamp
    finished_at: Annotated[Timestamp | None, Field(description="When it arrived or was given up.")]
    notification: NotificationV1


class DialogMessageResponseV1(BaseModel):
    """
    What became of a message.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Uuid
    trace_id: Uuid
    plugin_responses: Annotated[
        list[PluginMessageV1],
        Field(
            description="The answers, in the order in which to show them.",
            max_length=10,
        ),
    ]
    usage: LLMUsageV1 | None
    status: Annotated[
        Literal["accepted", "queued", "failed"],
        Field(
            description="`accepted`: answered. `queued`: the answer comes later. `failed`: see `error`."
        ),
    ]
    error: PluginErrorV1 | None


class IntentV1(BaseModel):
    """
    One thing that the plugin can answer.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    tag: IntentTag
    activation_condition: ActivationConditionV1
    priority: Annotated[
        Int,
        Field(
            description="Decides among several intents that fire; the higher wins.",
            ge=0,
            le=1000,
        ),
    ] = 0
    examples: Annotated[
        list[Line], Field(description="Utterances for the classifier.", max_length=200)
    ] = []
    description: Line | None = None


class LegacyPluginManifestV1(BaseModel):
    """
    Manifest 1.0, the older form. `intents` are bare tags for the classifier.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: PluginName
    version: SemanticVersion
    description: Line | None = None
    intents: Annotated[
        list[IntentTag],
        Field(
            description="The tags of what the plugin can answer; the core reads each as a classifier's intent.",
            max_length=200,
        ),
    ]
    is_default: Annotated[
        bool,
        Field(
            description="Whether it answers what no other plugin answers, where the core's settings name nobody who does."
        ),
    ] = False
    input_schema: JsonSchemaOrUrl = None
    output_schema: JsonSchemaOrUrl = None
    auth: Annotated[ManifestAuthV1 | None, Field(description="Null asks for no scopes.")] = None
    capabilities: ManifestCapabilitiesV1 | None = None
    telemetry: ManifestTelemetryV1 | None = None
    supported_schema_versions: Annotated[
        list[SchemaVersionName], Field(max_length=16, min_length=1)
    ] = ["v1alpha"]
    metadata: ManifestMetadataV1 | None = None


MessagePayloadV1 = TypeAliasType(
    "MessagePayloadV1",
    Annotated[
        TextPayloadV1 | VoicePayloadV1 | ImagePayloadV1 | CommandPayloadV1,
        Field(
            description="A message's content, told apart by `type`.",
            discriminator="type",
        ),
    ],
)


class PluginCatalogResponseV1(BaseModel):
    """
    One page of the plugins that can be called, by name and version.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[list[PluginManifestSummaryV1], Field(max_length=100)]
    next_cursor: Annotated[Cursor | None, Field(description="The next page; null on the last one.")]


class PluginEventPageV1(BaseModel):
    """
    One page of events, the newest first.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[list[PluginEventRecordV1], Field(max_length=100)]
    next_cursor: Annotated[
        Cursor | None,
        Field(description="The page of older ones; null on the last one."),
    ]


class PluginInvocationEntryV1(PluginInvocationLogV1):
    """
    A plugin call as a stream and the audit log tell it, without what was said.
    """

    request_payload: StoredPayloadV1 | None
    response_payload: StoredPayloadV1 | None


class RoutingDecisionV1(BaseModel):
    """
    Which plugin answers a message, and why. It holds nothing of the message itself.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    stage: RoutingStage
    plugin_id: Annotated[Uuid | None, Field(description="Null where nobody can answer.")]
    plugin: PluginName | None
    version: SemanticVersion | None
    intent: Annotated[IntentTag | None, Field(description="Null where no intent fired.")]
    manifest_hash: ManifestHash | None
    candidates: Annotated[
        list[RoutingCandidateV1],
        Field(
            description="What the plugin was chosen among, the likeliest first; at most 20.",
            max_length=20,
        ),
    ]
    classifier: Annotated[
        RoutingClassifierV1 | None, Field(description="Null where it was not asked.")
    ]
    catalogue_version: Annotated[
        Line | None,
        Field(description="A digest of the plugins that could be called. Null for a failure."),
    ]
    microseconds: Annotated[Int, Field(ge=0, le=9007199254740991)]
    failed: Annotated[
        RoutingFailureV1 | None,
        Field(description="Where another plugin's call failed before."),
    ]
    reason: Annotated[
        str,
        Field(
            description="One sentence for people.",
            examples=["The command /weather of weather 1.2.0 is what the text begins with."],
            max_length=1024,
            min_length=1,
            pattern="^[^\\x00-\\x1F\\x7F]*$",
        ),
    ]


class RoutingExplainRequestV1(BaseModel):
    """
    A message that is not sent.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    payload: MessagePayloadV1
    metadata: MetadataV1 = {}
    locale: Annotated[
        Locale | None,
        Field(description="The user's. Left out, that of the dialog's user."),
    ] = None
    dialog_id: Annotated[
        Uuid | None,
        Field(
            description="The dialog in which it would be sent. One that is not there is a new one."
        ),
    ] = None


class SubscriptionCreatedV1(BaseModel):
    """
    A subscription with its new secret, which is shown this once.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    subscription: SubscriptionV1
    secret: WebhookSecret


class SubscriptionPageV1(BaseModel):
    """
    One page of subscriptions.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[
        list[SubscriptionV1],
        Field(description="At most as many as asked for.", max_length=100),
    ]
    next_cursor: Annotated[Cursor | None, Field(description="The next page; null on the last one.")]


class DeliveryPageV1(BaseModel):
    """
    One page of deliveries.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    items: Annotated[
        list[DeliveryV1],
        Field(description="At most as many as asked for.", max_length=100),
    ]
    next_cursor: Annotated[Cursor | None, Field(description="The next page; null on the last one.")]


class DialogMessageCreateV1(BaseModel):
    """
    A user's message on its way into a dialog.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog_id: Annotated[Uuid | None, Field(description="Where given, it equals the path's.")] = (
        None
    )
    user_id: Uuid
    message_id: Annotated[
        MessageId | None,
        Field(description="The idempotency key; left out, the core assigns one."),
    ] = None
    trace_id: Annotated[
        Uuid | None, Field(description="Taken where the header `X-Trace-Id` is absent.")
    ] = None
    payload: MessagePayloadV1
    metadata: MetadataV1 = {}


class GoldenExampleV1(BaseModel):
    """
    A message that the plugin answers well whenever it is healthy; the core sends it as a dry run.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: Annotated[Line, Field(description="What it is called where it fails.")]
    payload: MessagePayloadV1
    intent: Annotated[
        IntentTag | None,
        Field(description="One of the manifest's own tags; null as for the fallback."),
    ] = None
    locale: Locale | None = None


class HistoricalMessageV1(BaseModel):
    """
    One message of a dialog's history.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    sender_type: Literal["user", "core", "plugin"]
    payload: MessagePayloadV1
    created_at: Timestamp
    message_id: Annotated[
        MessageId | None,
        Field(description="The idempotency key of a user's message; null on an answer."),
    ] = None
    plugin_id: Annotated[Uuid | None, Field(description="Who answered.")] = None


class InvocationContextV1(BaseModel):
    """
    What the plugin may know of the dialog.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    messages: Annotated[
        list[HistoricalMessageV1],
        Field(
            description="The dialog's latest messages before this one, in the order of writing; at least five where there are so many.",
            max_length=100,
        ),
    ]
    locale: Annotated[Locale | None, Field(description="The user's language.")]
    metadata: MetadataV1


class PluginInvocationRequestV1(BaseModel):
    """
    The core asks a plugin for an answer.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    invocation_id: Annotated[
        Uuid,
        Field(description="The plugin's idempotency key; every attempt carries the same."),
    ]
    dialog_id: Uuid
    user_id: Uuid
    trace_id: Uuid
    intent: Annotated[
        IntentTag | None,
        Field(description="The intent that fired; null where the plugin is the fallback."),
    ]
    payload: MessagePayloadV1
    context: InvocationContextV1
    deadline_ms: Annotated[
        Int,
        Field(description="How long the core waits, in milliseconds.", ge=1, le=600000),
    ]
    dry_run: Annotated[bool, Field(description="Answer, and do nothing that lasts.")]


class PluginManifestV1(BaseModel):
    """
    Manifest 1.1, what a plugin says of itself.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: PluginName
    version: SemanticVersion
    description: Line | None = None
    intents: Annotated[
        list[IntentV1],
        Field(
            description="None for a plugin that is only ever the fallback.",
            max_length=200,
        ),
    ]
    input_schema: JsonSchemaOrUrl = None
    output_schema: JsonSchemaOrUrl = None
    auth: ManifestAuthV1
    capabilities: ManifestCapabilitiesV1 | None = None
    llm: ManifestLLMV1 | None = None
    telemetry: ManifestTelemetryV1 | None = None
    supported_schema_versions: Annotated[
        list[SchemaVersionName],
        Field(
            description="Those that it serves, the core's or others; the highest that both serve is used.",
            max_length=16,
            min_length=1,
        ),
    ]
    sticky_bonus: Annotated[
        float,
        Field(
            description="What its scores gain while it is the plugin that answered last in the dialog, for 10 minutes.",
            ge=0.0,
            le=1.0,
        ),
    ] = 0
    golden_examples: Annotated[
        list[GoldenExampleV1],
        Field(
            description="Allowed only with `capabilities.dry_run`.",
            max_length=10,
            validate_default=True,
        ),
    ] = []
    metadata: ManifestMetadataV1 | None = None


class DialogSnapshotResponseV1(BaseModel):
    """
    A dialog and one page of its messages, the newest page first, each page in the order of writing.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    dialog: DialogSummaryV1
    messages: Annotated[list[HistoricalMessageV1], Field(max_length=100)]
    next_cursor: Annotated[
        Cursor | None,
        Field(description="The page of older messages; null on the last one."),
    ]


class PluginRegistrationRequestV1(BaseModel):
    """
    A plugin asks to be called.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    name: PluginName
    version: SemanticVersion
    base_url: PluginBaseUrl
    manifest: FreeObject
    scopes: Annotated[
        list[PluginScope],
        Field(
            description="What the token shall permit; no more than `auth.scopes` of the manifest, and than the core allows plugins.",
            max_length=16,
        ),
    ] = []
    capabilities: RegistrationCapabilitiesV1 | None = None
