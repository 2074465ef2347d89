"""Changes of our own promises, of events and of the plugin's side that break somebody."""

from tests.unit.tools.compat.breaking_http import SAY, USERS
from tests.unit.tools.compat.changing import GONE, Edit, case, minus, nullable, plus, renamed

LIMITS = [{"by": "bot", "quota": 600, "window": 60}, {"by": "user", "quota": 60, "window": 60}]
LIMITED: tuple[Edit, ...] = ((USERS, "post x-rate-limit", LIMITS),)
OWNED = {"of": "BotToken", "object": "dialog", "parameter": "dialog_id", "code": "dialog_not_found",
         "by": "result"}  # fmt: skip
OWNER: tuple[Edit, ...] = ((SAY, "post x-owner", OWNED),)
KEYED = {"key": "message_id", "fingerprint": ["user_id", "payload"], "reused": "message_id_reused",
         "in_flight": "message_in_flight", "kept_hours": 24}  # fmt: skip
IDEMPOTENT: tuple[Edit, ...] = ((SAY, "post x-idempotency", KEYED),)
EVENTS = "events.asyncapi.yaml"
STREAM: tuple[Edit, ...] = (
    (EVENTS, "channels pluginEvents x-redis-stream", {"key": "plugin:events", "max_length": 1000}),
)
METRIC = {"name": "botcore_calls", "type": "histogram", "help": "Calls.", "unit": "seconds",
          "labels": {"status": {"values": ["ok", "failed"]}}, "buckets": [0.1, 1]}  # fmt: skip
METRICS: tuple[Edit, ...] = (("openapi.yaml", "x-metrics", [METRIC]),)
INVOKE = "plugin-paths/invoke.yaml"
ASKED = "schemas/PluginInvocationRequestV1.yaml"
ANSWERED = "schemas/PluginInvocationResponseV1.yaml"

EXTENSIONS = [
    case("a lower quota", "by bot: 300 in 60 s was 600 in 60 s",
         (USERS, "post x-rate-limit 0 quota", 300), before=LIMITED),
    case("a longer window", "by bot: 600 in 120 s was 600 in 60 s",
         (USERS, "post x-rate-limit 0 window", 120), before=LIMITED),
    case("a smaller burst", "by bot: 10 in 1 s was 600 in 60 s",
         (USERS, "post x-rate-limit 0", {"by": "bot", "quota": 10, "window": 1}), before=LIMITED),
    case("a limit more", "a limit by plugin",
         (USERS, "post x-rate-limit", plus({"by": "plugin", "quota": 1, "window": 1})),
         before=LIMITED),
    case("a limit where there was none", "a limit by bot",
         (USERS, "post x-rate-limit", LIMITS), before=((USERS, "post x-rate-limit", GONE),)),
    case("another owner", "PluginToken", (SAY, "post x-owner of", "PluginToken"), before=OWNER),
    case("nobody's", "is nothing", (SAY, "post x-owner", GONE), before=OWNER),
    case("another key", "key was message_id, is trace_id",
         (SAY, "post x-idempotency key", "trace_id"), before=IDEMPOTENT),
    case("another fingerprint", "fingerprint was",
         (SAY, "post x-idempotency fingerprint", ["payload"]), before=IDEMPOTENT),
    case("keys are forgotten", "keys are kept 1 h",
         (SAY, "post x-idempotency kept_hours", 1), before=IDEMPOTENT),
    case("repeats are not recognised", "repeats are no longer recognised",
         (SAY, "post x-idempotency", GONE), before=IDEMPOTENT),
    case("an event is not emitted", "no longer emits user_created",
         (USERS, "post x-emits", GONE), before=((USERS, "post x-emits", ["user_created"]),)),
    case("a code is not answered", "user_not_found is gone",
         (SAY, "post x-error-codes", minus("user_not_found"))),
    case("a code of another status", "plugin_conflict is new, with the new status 409",
         (USERS, "post x-error-codes", plus("plugin_conflict"))),
    case("a code has another status", "its status was 409, is 422",
         ("errors.yaml", "plugin_conflict status", 422)),
    case("a code is gone", "overloaded is gone", ("errors.yaml", "overloaded", GONE)),
    case("another stream", "key was plugin:events, is plugins",
         (EVENTS, "channels pluginEvents x-redis-stream key", "plugins"), before=STREAM),
    case("a shorter stream", "keeps 10 entries, kept 1000",
         (EVENTS, "channels pluginEvents x-redis-stream max_length", 10), before=STREAM),
    case("a metric is gone", "botcore_calls is gone",
         ("openapi.yaml", "x-metrics", []), before=METRICS),
    case("a metric of another type", "type was histogram, is counter",
         ("openapi.yaml", "x-metrics 0 type", "counter"), before=METRICS),
    case("a metric of another unit", "unit was seconds, is bytes",
         ("openapi.yaml", "x-metrics 0 unit", "bytes"), before=METRICS),
    case("what processes tell together", "across was sum, is max",
         ("openapi.yaml", "x-metrics 0 across", "max"),
         before=(*METRICS, ("openapi.yaml", "x-metrics 0 across", "sum"))),
    case("a label is gone", "the label status is gone",
         ("openapi.yaml", "x-metrics 0 labels", {}), before=METRICS),
    case("a label more", "the label bot is new",
         ("openapi.yaml", "x-metrics 0 labels bot", {"values": ["x"]}), before=METRICS),
    case("a label's value is gone", "status loses failed",
         ("openapi.yaml", "x-metrics 0 labels status values", ["ok"]), before=METRICS),
    case("a bucket is gone", "the bucket 0.1 is gone",
         ("openapi.yaml", "x-metrics 0 buckets", [1]), before=METRICS),
    case("an extension without a rule", "x-colour changed", (USERS, "post x-colour", "red")),
]  # fmt: skip

STREAMS = [
    case("an event is gone", "user_created is gone",
         (EVENTS, "channels dialogEvents messages user_created", GONE)),
    case("an event moved", "user_created is gone",
         (EVENTS, "channels dialogEvents messages user_created", GONE),
         (EVENTS, "channels pluginEvents messages user_created",
          {"$ref": "#/components/messages/user_created"})),
    case("a channel is gone", "dialog:events is gone", (EVENTS, "channels dialogEvents", GONE),
         (EVENTS, "operations publishDialogEvents", GONE)),
    case("another address", "dialog:events became dialogs",
         (EVENTS, "channels dialogEvents address", "dialogs")),
    case("another direction", "publishDialogEvents is another",
         (EVENTS, "operations publishDialogEvents action", "receive")),
    case("other parameters", "other parameters",
         (EVENTS, "channels pluginInvocations parameters", renamed("plugin_id", "id"))),
    case("an event's member is gone", "manifest_hash is gone",
         ("schemas/PluginRegisteredV1.yaml", "properties manifest_hash", GONE),
         ("schemas/PluginRegisteredV1.yaml", "required", minus("manifest_hash"))),
    case("an event's member may be null", "may be null",
         ("schemas/UserCreatedV1.yaml", "properties user_id", nullable("Uuid.yaml"))),
    case("an event's header may be missing", "trace_id is no longer required",
         ("schemas/EventEnvelopeV1.yaml", "required", minus("trace_id"))),
    case("an event's header says something else", "the value 'critical' is new",
         (EVENTS, "components messages user_created headers allOf 1 properties severity const",
          "critical")),
    case("an envelope is no longer sent", "EventEnvelopeV1 is no longer demanded",
         (EVENTS, "components messages user_created headers allOf", lambda found: found[1:])),
    case("an event's value is new", "the value 'lost' is new",
         ("schemas/PluginInvocationLogV1.yaml", "properties status enum", plus("lost"))),
]  # fmt: skip

# The core is the client here: what it sends more is refused, what it demands more is not sent.
PLUGINS = [
    case("the core sends a member more", "mood is new",
         (ASKED, "properties mood", {"type": "string"}), (ASKED, "required", plus("mood"))),
    case("the core may send a member more", "mood is new",
         (ASKED, "properties mood", {"type": "string"})),
    case("the core sends a member less", "deadline_ms is no longer required",
         (ASKED, "required", minus("deadline_ms"))),
    case("the core sends null", "may be null",
         (ASKED, "properties user_id", nullable("Uuid.yaml"))),
    case("the core sends larger numbers", "maximum was 600000, is 900000",
         (ASKED, "properties deadline_ms maximum", 900000)),
    case("the core leaves out a header", "no longer required",
         ("parameters/XInvocationId.yaml", "required", False)),
    case("the core sends another credential", "OtherBearer is sent",
         (INVOKE, "post security", [{"OtherBearer": []}]),
         ("plugin.openapi.yaml", "components securitySchemes OtherBearer",
          {"type": "http", "scheme": "basic"})),
    case("the core sends another query", "the query parameter dry is new",
         (INVOKE, "post parameters",
          plus({"name": "dry", "in": "query", "schema": {"type": "string"}}))),
    case("the core calls something more", "resetPlugin is new",
         ("plugin-paths/health.yaml", "post", {
             "operationId": "resetPlugin", "tags": ["plugin"], "security": [],
             "x-error-codes": [], "responses": {"200": {"description": "Done."}}})),
    case("the core demands a member", "confidence is now required",
         (ANSWERED, "required", plus("confidence"))),
    case("the core takes smaller numbers", "maximum was 1, is 0.5",
         (ANSWERED, "properties confidence maximum", 0.5)),
    case("the core takes a value less", "the value 'degraded' is gone",
         ("schemas/PluginHealthV1.yaml", "properties status enum", minus("degraded"))),
    case("the core demands a header", "the header X-Plugin is new",
         (INVOKE, "post responses 200 headers X-Plugin",
          {"required": True, "schema": {"type": "string"}})),
    case("a plugin may not answer so", "503 is gone", (INVOKE, "post responses 503", GONE)),
    case("a plugin may not answer with this code", "overloaded is gone",
         (INVOKE, "post x-error-codes", minus("overloaded"))),
]  # fmt: skip
