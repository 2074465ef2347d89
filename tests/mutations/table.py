"""Single changes of contract, template or handler, each with the check that must catch it.

A check is `rules`, `generated`, `mypy`, `compat`, `unit` or `conform <operation> <column>`.
"""

from dataclasses import dataclass

PATHS = "contracts/v1alpha/paths"
SCHEMAS = "contracts/v1alpha/schemas"
RUNTIME = "tools/templates/runtime"


@dataclass(frozen=True)
class Mutation:
    what: str
    file: str
    old: str
    new: str
    check: str


TABLE = [
    # The contract says less, more or something else.
    Mutation(
        "a declared status is removed",
        f"{PATHS}/users.yaml", "    '413': {$ref: ../responses/ContentTooLarge.yaml}\n", "",
        "rules",
    ),
    Mutation(
        "x-error-codes lists one that nothing can raise",
        f"{PATHS}/healthz.yaml", "[method_not_allowed", "[invalid_json, method_not_allowed",
        "rules",
    ),
    Mutation(
        "an error code loses its entry",
        "contracts/v1alpha/errors.yaml", "user_not_found:", "user_unknown:", "rules",
    ),
    Mutation(
        "an unknown extension",
        f"{PATHS}/users.yaml", "  tags:", "  x-cache: 60\n  tags:", "rules",
    ),
    Mutation(
        "an extension says what its schema does not allow",
        "contracts/v1alpha/fragments/BotLimit.yaml", "by: bot", "by: everyone", "rules",
    ),
    Mutation(
        "x-rate-limit is removed",
        f"{PATHS}/users.yaml", "  x-rate-limit: {$ref: ../fragments/BotLimit.yaml}\n", "", "rules",
    ),
    Mutation(
        "x-owner is removed",
        f"{PATHS}/plugin-heartbeat.yaml", "  x-owner:", "  # x-owner:", "rules",
    ),
    Mutation(
        "x-idempotency names a member that the body lacks",
        f"{PATHS}/dialog-messages.yaml", "key: message_id", "key: request_id", "rules",
    ),
    Mutation(
        "x-metrics has an alert for a metric that nobody declares",
        "contracts/v1alpha/metrics.yaml", "max by (queue) (botcore_queue_depth) > 1000",
        "max by (queue) (botcore_queue_length) > 1000", "rules",
    ),
    Mutation(
        "x-metrics is changed, and the alerts are not made anew",
        "contracts/v1alpha/metrics.yaml", "(botcore_queue_depth) > 1000",
        "(botcore_queue_depth) > 2000", "generated",
    ),
    Mutation(
        "a trigger tells by an event that nobody declares",
        "contracts/v1alpha/triggers.yaml", "[scaling_alert, ", "[scaling_alarm, ", "rules",
    ),
    Mutation(
        "a trigger's threshold is altered and nothing generated",
        "contracts/v1alpha/triggers.yaml", "scaling_alert_entries: 1000",
        "scaling_alert_entries: 100", "generated",
    ),
    Mutation(
        "a header is removed from a success",
        f"{PATHS}/dialog.yaml", "        RateLimit: {$ref: ../headers/RateLimit.yaml}\n", "",
        "rules",
    ),
    Mutation(
        "a text loses its bound",
        f"{SCHEMAS}/Text.yaml", "maxLength: 4096\n", "", "rules",
    ),
    Mutation(
        "a bound is altered and nothing generated",
        f"{SCHEMAS}/Text.yaml", "maxLength: 4096", "maxLength: 4095", "generated",
    ),
    Mutation(
        "an operation is renamed",
        f"{PATHS}/users.yaml", "operationId: upsertUser", "operationId: putUser", "mypy",
    ),
    Mutation(
        "a required header is added that no handler sends",
        f"{PATHS}/users.yaml",
        "        RateLimit: {$ref: ../headers/RateLimit.yaml}\n",
        "        RateLimit: {$ref: ../headers/RateLimit.yaml}\n"
        "        Location: {$ref: ../headers/Location.yaml}\n",
        "mypy",
    ),
    Mutation(
        "x-emits lacks an event that the operation publishes",
        f"{PATHS}/plugin-heartbeat.yaml", "  x-emits: [plugin_heartbeat]\n", "",
        "conform sendPluginHeartbeat statuses",
    ),
    Mutation(
        "x-emits has an event that the operation never publishes",
        f"{PATHS}/users.yaml", "[user_created]", "[user_created, plugin_heartbeat]",
        "conform upsertUser events",
    ),
    Mutation(
        "the scope of an operation is another",
        f"{PATHS}/users.yaml", "'users:write'", "'users:read'", "compat",
    ),
    Mutation(
        "x-rate-limit is lowered",
        "contracts/v1alpha/fragments/PluginLimit.yaml", "quota: 6000", "quota: 60", "compat",
    ),
    Mutation(
        "x-idempotency compares less",
        f"{PATHS}/plugin-events.yaml", "severity, payload", "payload",
        "compat",
    ),
    Mutation(
        "a response's member is removed",
        f"{SCHEMAS}/UserUpsertResponseV1.yaml", "required: [status, user_id]", "required: [status]",
        "compat",
    ),
    Mutation(
        "a request's bound is tightened",
        f"{SCHEMAS}/Text.yaml", "maxLength: 4096", "maxLength: 1024", "compat",
    ),
    Mutation(
        "x-redis-stream keeps fewer entries",
        "contracts/v1alpha/events.asyncapi.yaml", "'plugin:events', max_length: 100000",
        "'plugin:events', max_length: 1000", "compat",
    ),
    Mutation(
        "x-metrics loses a label",
        "contracts/v1alpha/metrics.yaml", "    status: {from: statuses, values: ['499']}\n", "",
        "compat",
    ),
    # The templates enforce less.
    Mutation(
        "any status goes out",
        f"{RUNTIME}/edge.py", "if type(result) not in operation.results:", "if result is None:",
        "unit",
    ),
    Mutation(
        "scopes are not asked for",
        f"{RUNTIME}/credentials.py", "    if missing:", "    if missing is None:",
        "conform getDialog scopes",
    ),
    Mutation(
        "quotas are not enforced",
        f"{RUNTIME}/call.py", "if verdict.retry_after:", "if verdict.retry_after < 0:",
        "conform getDialog limit",
    ),
    Mutation(
        "what is left of a quota is not told",
        f"{RUNTIME}/edge.py", "await send_reply(send, reply, call.limit_headers)",
        "await send_reply(send, reply)", "conform getDialog headers",
    ),
    Mutation(
        "a stream has no end",
        f"{PATHS}/events-stream.yaml", "    - {$ref: ../parameters/MaxSeconds.yaml}\n", "",
        "rules",
    ),
    Mutation(
        "a stream is told whole",
        "impl/telemetry/handlers.py", "body=Stream(self._feed, subscription, query.max_seconds)",
        'body=b""', "mypy",
    ),
    Mutation(
        "who left is told on and on",
        f"{RUNTIME}/streams.py", "asyncio.wait({gone, sending}", "asyncio.wait({sending}", "unit",
    ),
    Mutation(
        "a stream is not closed",
        f"{RUNTIME}/edge.py", "async with aclosing(chunks):", "if chunks is not None:", "unit",
    ),
    Mutation(
        "a token may follow whatever its scopes",
        f"{PATHS}/events-stream.yaml", "PluginToken: ['telemetry:read']", "PluginToken: []",
        "rules",
    ),
    Mutation(
        "the result's owner is not compared",
        f"{RUNTIME}/owners.py", 'getattr(answer, "owner", None) != caller', "caller is None",
        "unit",
    ),
    Mutation(
        "the path may name anyone",
        f"{RUNTIME}/owners.py", "if caller != named:", "if caller is None:", "unit",
    ),
    Mutation(
        "the fingerprint leaves a member out",
        f"{RUNTIME}/idempotency.py", "include=members", 'include=members - {"payload"}',
        "conform addDialogMessage idempotency",
    ),
    Mutation(
        "any event may be published",
        f"{RUNTIME}/emits.py", "event not in declared", "event is None", "unit",
    ),
    Mutation(
        "the trace is not sent back",
        f"{RUNTIME}/results.py", '(b"x-trace-id", (trace.current() or "").encode()),', "",
        "conform getHealth headers",
    ),
    Mutation(
        "Accept is not looked at",
        f"{RUNTIME}/call.py", 'if b"accept" in self.headers and', "if False and",
        "conform getHealth statuses",
    ),
    Mutation(
        "a 401 does not say how to authenticate",
        f"{RUNTIME}/edge.py", "if problem.status == 401 and", "if problem.status == 402 and",
        "conform getDialog headers",
    ),
    Mutation(
        "duplicate keys are taken",
        f"{RUNTIME}/strict_json.py", "raise _DuplicateKeyError(key)", "pass",
        "conform upsertUser statuses",
    ),
    # The handlers and their statements do otherwise than declared.
    Mutation(
        "a handler answers for another operation",
        "impl/users/handlers.py", "return UpsertUser200(body=updated)", "return None", "mypy",
    ),
    Mutation(
        "a queue is measured that x-metrics does not list",
        "impl/metrics/sampler.py", 'depth.at("outbox")', 'depth.at("outboxes")', "mypy",
    ),
    Mutation(
        "a replay does not say so",
        "impl/dialogs/handlers.py", '"true" if done.replayed else None', "None",
        "conform addDialogMessage idempotency",
    ),
    Mutation(
        "a dialog is read without its owner",
        "impl/dialogs/queries/reading.py", "FROM dialogs WHERE id = $1 AND bot_id = $2",
        "FROM dialogs WHERE id = $1 AND $2::uuid IS NOT NULL", "conform getDialog owner",
    ),
    Mutation(
        "a decision leaves out what it was chosen among",
        "impl/routing/decision.py", '"candidates": [_told(one)', '"candidate": [_told(one)',
        "conform explainRouting statuses",
    ),
    Mutation(
        "a revoked token is good",
        "impl/tokens/queries.py", "AND tokens.revoked_at IS NULL", "AND true",
        "conform getDialog scopes",
    ),
    Mutation(
        "an expired token is good",
        "impl/tokens/queries.py", "(tokens.expires_at IS NULL OR tokens.expires_at > now())",
        "(tokens.id IS NOT NULL)", "conform getDialog scopes",
    ),
    Mutation(
        "another contract is served than kept",
        "impl/service.py", 'files("generated")', 'files("generated.other")',
        "conform getContract statuses",
    ),
]  # fmt: skip
