"""Each rule refuses a contract that breaks it, and names the file."""

from pathlib import Path

import pytest

from tests.unit.tools.conftest import Edit
from tools.event_rules import EVENT_RULES
from tools.rules import CONTRACT_RULES, OF_OPERATIONS, findings
from tools.schema_rules import SCHEMA_RULES

USERS = "paths/users.yaml"
MESSAGES = "paths/dialog-messages.yaml"
HEARTBEAT = "paths/plugin-heartbeat.yaml"
STREAM = "paths/events-stream.yaml"
EVENTS = "events.asyncapi.yaml"
# Of each rule the changes that break it: a file, what to replace there by what, and what is said.
BROKEN = {
    "demanded_members": [
        (USERS, "operationId: upsertUser\n", "operationId: ''\n", "lacks operationId"),
        (USERS, "  summary: Register or update a user\n", "", "lacks summary"),
        (USERS, "tags: [users]", "tags: [users, dialogs]", "needs exactly one tag"),
        ("paths/healthz.yaml", "  security: []\n", "", "lacks security"),
    ],
    "statuses_are_those_of_codes": [
        (USERS, "    '413': {$ref: ../responses/ContentTooLarge.yaml}\n", "", "answers 413"),
        (USERS, "unsupported_media_type, ", "", "no code of x-error-codes has status 415"),
        (USERS, "[unsupported_schema_version", "[gone, unsupported_schema_version",
         "gone is not in errors.yaml"),
    ],
    "problems_only": [
        ("responses/NotFound.yaml", "application/problem+json", "application/json",
         "404 is not application/problem+json alone"),
        ("responses/NotFound.yaml", "Problem.yaml", "HealthV1.yaml", "404 is not a Problem"),
    ],
    "headers_declared": [
        ("responses/Unauthorized.yaml",
         "  WWW-Authenticate: {$ref: ../headers/WWWAuthenticate.yaml}\n", "",
         "401 lacks the header WWW-Authenticate"),
        ("responses/MethodNotAllowed.yaml", "  Allow: {$ref: ../headers/Allow.yaml}\n", "",
         "405 lacks the header Allow"),
        ("responses/MessageInFlight.yaml", "  Retry-After: {$ref: ../headers/RetryAfter.yaml}\n",
         "", "409 lacks the header Retry-After"),
        ("responses/ServiceUnavailable.yaml", "  Retry-After: {$ref: ../headers/RetryAfter.yaml}\n",
         "", "503 lacks the header Retry-After"),
        ("responses/NotFound.yaml", "  X-Trace-Id: {$ref: ../headers/XTraceId.yaml}\n", "",
         "404 lacks the header X-Trace-Id"),
        ("headers/Allow.yaml", "required: true", "required: false", "Allow is not required"),
    ],
    "examples_given": [
        ("paths/healthz.yaml",
         "          examples:\n", "          examples: {}\n        text/x:\n",
         "200: application/json has no examples"),
        (USERS, "        examples:\n", "        examples: {}\n      text/x:\n",
         "requestBody: application/json has no examples"),
    ],
    "edge_codes_declared": [
        (USERS, "not_acceptable, ", "", "lacks not_acceptable"),
        (USERS, "insufficient_scope, ", "", "lacks insufficient_scope, but it takes scopes"),
        (USERS, "duplicate_key, ", "", "lacks duplicate_key, but it takes a body"),
        ("paths/healthz.yaml", "[method", "[invalid_json, method",
         "holds invalid_json, but it takes no body"),
        (USERS, "validation_failed, ", "", "lacks validation_failed"),
    ],
    "preferences_applied": [
        (MESSAGES, "        Preference-Applied: {$ref: ../headers/PreferenceApplied.yaml}\n", "",
         "no success has the header Preference-Applied"),
        (MESSAGES, "    - {$ref: ../parameters/Prefer.yaml}\n", "",
         "202 has the header Preference-Applied, but it takes no Prefer"),
    ],
    "scopes_of_each_way": [
        (STREAM, "PluginToken: ['telemetry:read']", "PluginToken: []",
         "asks no scope of PluginToken, and of others one"),
    ],
    "streams_end": [
        (STREAM, "    - {$ref: ../parameters/MaxSeconds.yaml}\n", "", "its stream has no end"),
        ("parameters/MaxSeconds.yaml", "maximum: 3600, ", "", "its stream has no end"),
        (STREAM, "    - {$ref: ../parameters/LastEventId.yaml}\n", "", "its stream cannot go on"),
        (STREAM, "get:\n", "post:\n", "is the 200 of a GET"),
        (STREAM, "        text/event-stream:\n",
         "        application/json: {}\n        text/event-stream:\n",
         "200 is not text/event-stream alone"),
    ],
    "extensions_fit": [
        (USERS, "  tags:", "  x-rate-limits: 5\n  tags:", "unknown x-rate-limits"),
        ("schemas/HealthV1.yaml", "type: object", "x-note: hm\ntype: object", "unknown x-note"),
        ("schemas/HealthV1.yaml", "type: object", "x-emits: [user_created]\ntype: object",
         "schemas/HealthV1.yaml: x-emits has no meaning here"),
        (USERS, "x-emits: [user_created]", "x-emits: user_created", "is not of type 'array'"),
        (HEARTBEAT, "by: token}", "by: chance}", "'chance' is not one of"),
        ("fragments/BotLimit.yaml", "quota: 12000", "quota: 0", "0 is less than the minimum"),
        (MESSAGES, "replay: equal, ", "", "'replay' is a required property"),
    ],
    "extensions_enforced": [
        ("extensions/x-emits.yaml", "type: array", "type: nothing", "x-emits.yaml: no JSON Schema"),
        ("openapi.yaml", "x-metrics:", "x-metric:", "nothing uses x-metrics"),
    ],
    "events_are_declared": [
        (USERS, "[user_created]", "[user_born]", "x-emits: user_born is not in events.asyncapi"),
    ],
    "channels_carry_messages": [
        (EVENTS, "      user_created: {$ref: '#/components/messages/user_created'}\n",
         "      plugin_failed: {$ref: '#/components/messages/plugin_failed'}\n",
         "user_created: no channel carries it"),
        (EVENTS, "      user_created: {$ref: '#/components/messages/user_created'}\n",
         "      user_created: {$ref: '#/components/messages/plugin_failed'}\n",
         "channels/dialogEvents: user_created is not the message user_created"),
        (EVENTS, "      user_created: ",
         "      plugin_failed: {$ref: '#/components/messages/plugin_failed'}\n      user_created: ",
         "plugin_failed: several channels carry it"),
    ],
    "streams_bound": [
        (EVENTS, "    x-redis-stream: {key: 'plugin:events', max_length: 100000}\n", "",
         "channels/pluginEvents: lacks x-redis-stream"),
        (EVENTS, "key: 'plugin:events'", "key: 'plugins:events'",
         "channels/pluginEvents: its address is not the key"),
        (EVENTS, ", location: '$message.header#/plugin_id'", "", "plugin_id lacks its location"),
        ("schemas/PluginInvocationLogV1.yaml", "  plugin_id: {$ref: Uuid.yaml}\n", "",
         "plugin_failed: its payload lacks plugin_id"),
    ],
    "messages_described": [
        (EVENTS, "      summary: A plugin call failed.\n", "", "plugin_failed: lacks summary"),
        (EVENTS, "          - {$ref: schemas/EventEnvelopeV1.yaml}\n", "",
         "plugin_registered: its headers are not those of EventEnvelopeV1"),
        (EVENTS, "source: {const: core}, ", "", "plugin_registered: fixes no source"),
        (EVENTS, "{const: plugin_failed}", "{const: plugin_fails}",
         "plugin_failed: its event_type is another"),
    ],
    "messages_differ": [
        (EVENTS, "event_type: {const: plugin_failed}, ", "", "may be taken for plugin_failed"),
    ],
    "payloads_whole": [
        ("schemas/UserCreatedV1.yaml", "required: [user_id]", "required: []",
         "schemas/UserCreatedV1.yaml: user_id is in every payload, but not required"),
        (EVENTS, "payload: {$ref: schemas/UserCreatedV1.yaml}", "payload: {type: object}",
         "user_created: make its payload a schema of its own"),
    ],
    "one_quota_a_partition": [
        ("fragments/MessageLimit.yaml", "quota: 12000", "quota: 900", "another quota for bot"),
    ],
    "limits_agree": [
        (USERS, "  x-rate-limit: {$ref: ../fragments/BotLimit.yaml}\n", "",
         "x-rate-limit lacks bot, but it takes a BotToken"),
        (USERS, "BotLimit", "PluginLimit", "charges a plugin, but it takes no PluginToken"),
        (USERS, "BotLimit", "MessageLimit", "charges a user, but its body has no user_id"),
        (USERS, "rate_limited, ", "", "x-error-codes lacks rate_limited"),
        (USERS, "        RateLimit: {$ref: ../headers/RateLimit.yaml}\n", "",
         "200 lacks the header RateLimit"),
        (USERS, "headers/RateLimit.yaml", "headers/RateLimitWhereCharged.yaml",
         "200 lacks the header RateLimit"),
        ("paths/events.yaml",
         "        RateLimit: {$ref: ../headers/RateLimitWhereCharged.yaml}\n", "",
         "200 lacks the header RateLimit"),
        ("responses/TooManyRequests.yaml",
         "  RateLimit-Policy: {$ref: ../headers/RateLimitPolicy.yaml}\n", "",
         "429 lacks the header RateLimit-Policy"),
    ],
    "owner_agrees": [
        (HEARTBEAT, "  x-owner:", "  x-emits: []\n  x-emit:", "x-owner is missing: whose"),
        (HEARTBEAT, "of: PluginToken", "of: BotToken", "x-owner: it takes no BotToken"),
        (HEARTBEAT, "parameter: plugin_id", "parameter: dialog_id", "no parameter dialog_id"),
        (HEARTBEAT, "code: plugin_not_found", "code: user_not_found",
         "user_not_found is not among x-error-codes"),
        (MESSAGES, "code: dialog_not_found", "code: rate_limited", "rate_limited is no 404"),
        (MESSAGES, "by: result", "by: token", "dialog_id is not the id of a BotToken"),
    ],
    "idempotency_agrees": [
        (MESSAGES, "key: message_id", "key: event_id", "x-idempotency: the body has no event_id"),
        (MESSAGES, "[user_id, payload,", "[message_id, payload,", "the key is no part of the"),
        (MESSAGES, "reused: message_id_reused", "reused: user_not_found", "is no 409 or 422"),
        (MESSAGES, "        Idempotency-Replayed: {$ref: ../headers/IdempotencyReplayed.yaml}\n",
         "", "200 lacks the header Idempotency-Replayed"),
    ],
    "one_tag_a_path": [
        ("paths/dialog.yaml", "get:\n", "delete:\n  tags: [users]\n  responses: {}\nget:\n",
         "several tags ['dialogs', 'users']"),
    ],
    "every_file_used": [
        ("openapi.yaml", "  /docs/redoc.js: {$ref: paths/docs-script.yaml}\n", "",
         "paths/docs-script.yaml: no document refers to it"),
    ],
    "every_code_used": [
        ("errors.yaml", "overloaded:",
         "tired: {by: edge, status: 503, title: t, description: d}\noverloaded:",
         "no operation answers tired"),
    ],
    "codes_complete": [
        ("errors.yaml", "title: Overloaded, ", "", "overloaded needs by, status, title"),
        ("errors.yaml", "status: 503, title: Over", "status: 203, title: Over",
         "overloaded has no such by or status"),
    ],
    "metrics_make_sense": [  # the rest in test_metric_rules.py
        ("metrics.yaml", "name: botcore_error_rate", "name: botcore_error_share",
         "metrics.yaml: botcore_error_share: its unit demands _rate"),
    ],
    "triggers_fit": [
        ("triggers.yaml", "severity: info", "severity: low", "triggers.yaml: $['plugin-back']"),
        ("triggers.yaml", "events: [plugin_recovered]", "publishes: [plugin_recovered]",
         "'events' is a required property"),
        ("triggers.yaml", "events: [plugin_recovered]", "events: [plugin_returned]",
         "plugin-back: plugin_returned is no message"),
        ("triggers.yaml", "severity: info", "severity: critical",
         "plugin-back: is critical, but plugin_recovered is info"),
        ("triggers.yaml", "same_as: TR-004", "same_as: TR-044",
         "TR-008: TR-044 is no trigger that it could be another name of"),
        ("triggers.yaml", "  same_as: TR-004\n", "  same_as: TR-004\n  constants: {tries: 1}\n",
         "TR-008: its figures are those of TR-004"),
        ("triggers.yaml", "probe_failures: 3", "heartbeat_missed_seconds: 3",
         "heartbeat_missed_seconds is declared twice"),
        ("triggers.yaml", "events: [scaling_alert, scaling_alert_ended]", "events: [scaling_alert]",
         "no trigger and no operation publishes scaling_alert_ended"),
    ],
    "no_secret_in_examples": [
        ("paths/notification-subscriptions.yaml",
         "whsec_EXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE0EXA=",
         "whsec_YTgwZDljMGIxYThkOWMwYjFhOGQ5YzBi", "looks like a secret that works"),
        ("paths/plugin-register.yaml", "invoke_EXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE0EXAMPLE0",
         "invoke_a8d9c0b1a8d9c0b1a8d9c0b1a8d9c0b1", "looks like a secret that works"),
        ("schemas/HttpUrl.yaml", "'https://files", "'https://ada:pw@files", "looks like a secret"),
    ],
    "typed": [
        ("schemas/Text.yaml", "type: string\n", "", "schemas/Text.yaml: has no type"),
        ("schemas/Text.yaml", "type: string", "not: {const: x}\ntype: string", "not is more than"),
    ],
    "texts_bounded": [
        ("schemas/Text.yaml", "maxLength: 4096\n", "",
         "schemas/Text.yaml: a text without maxLength"),
        ("schemas/Cursor.yaml", "pattern: '^[A-Za-z0-9_-]{1,256}$'", "",
         "a text without a pattern"),
    ],
    "numbers_bounded": [
        ("schemas/LLMUsageV1.yaml", "minimum: 0, ", "", "prompt_tokens: a number without minimum"),
        ("parameters/Limit.yaml", "maximum: 100, ", "",
         "parameters/Limit.yaml#/schema: a number without maximum"),
    ],
    "lists_bounded": [
        ("schemas/AttachmentsV1.yaml", "maxItems: 10\n", "", "a list without maxItems"),
    ],
    "objects_closed": [
        ("schemas/HealthV1.yaml", "additionalProperties: false\n", "",
         "schemas/HealthV1.yaml: says nothing of additionalProperties"),
        ("schemas/JsonSchemaV1.yaml", "maxProperties: 100\n", "", "without maxProperties"),
        ("schemas/JsonSchemaOrUrl.yaml", "anyOf:\n",
         "anyOf:\n  - {type: object, maxProperties: 9, additionalProperties: true}\n",
         "a schema of its own"),
    ],
    "absent_is_null": [
        ("schemas/UserUpsertV1.yaml", "    $ref: MetadataV1.yaml\n    default: {}\n",
         "    $ref: MetadataV1.yaml\n",
         "schemas/UserUpsertV1.yaml#/properties/metadata: optional, but neither nullable"),
        ("schemas/IntentV1.yaml", "    default: 0\n", "", "priority: optional, but neither"),
    ],
}  # fmt: skip
CASES = [(rule, *case) for rule, cases in BROKEN.items() for case in cases]


@pytest.mark.parametrize(("rule", "name", "old", "new", "said"), CASES)
def test_a_broken_rule_is_told(  # noqa: PLR0917  # its fixtures and parameters
    contract: Path, edit: Edit, rule: str, name: str, old: str, new: str, said: str
) -> None:
    edit(name, old, new)
    assert any(said in finding for finding in findings(contract)), findings(contract)


def test_the_contract_breaks_none() -> None:
    assert findings() == []


def test_every_rule_is_broken_above() -> None:
    rules = {
        rule.__name__ for rule in (*CONTRACT_RULES, *OF_OPERATIONS, *EVENT_RULES, *SCHEMA_RULES)
    }
    assert rules == set(BROKEN)


def test_a_finding_names_the_file_and_the_place(contract: Path, edit: Edit) -> None:
    edit("schemas/Text.yaml", "maxLength: 4096\n", "")
    edit(USERS, "  summary: Register or update a user\n", "")
    assert findings(contract) == [
        "schemas/Text.yaml: a text without maxLength",
        "paths/users.yaml#/post: lacks summary",
    ]
