"""One strict reader of bodies for the whole service: nobody else receives, and nobody else parses
what came from outside.

`Call.body` counts, `strict_json.parse` refuses, `read_json` validates. Whatever else turns bytes
into values stands here with its reason, or is a finding.
"""

from pathlib import Path

from tools import ways
from tools.contract import ROOT
from tools.ways import Rule, Way

# Programs of people who call the service, and what is copied into a plugin's process.
ELSEWHERE = ("impl/kit/", "impl/cli/")
# Formats that can run code, or in which one text means several things.
MODULES = frozenset({"dill", "marshal", "pickle", "plistlib", "shelve", "tomllib", "yaml"})
NAMES: dict[str, frozenset[str]] = {
    "ast": frozenset({"literal_eval"}),
    "fastapi": frozenset({
        "Body", "Cookie", "Depends", "File", "Form", "Header", "Query", "Request", "UploadFile",
    }),
    "json": frozenset({"JSONDecoder", "load", "loads"}),
    "orjson": frozenset({"loads"}),
    "pydantic": frozenset({"TypeAdapter"}),
    "pydantic_core": frozenset({"from_json"}),
    "starlette": frozenset({"HTTPConnection", "Request"}),
}  # fmt: skip
CALLS = frozenset({
    "body", "form", "json", "model_validate_json", "read_json", "receive", "stream",
    "validate_json",
})  # fmt: skip

STORED = "the core's own, out of its database"
WAYS = (
    Way("generated/runtime/call.py", ("receive",), "the reader"),
    Way("generated/runtime/streams.py", ("receive",), "whether who follows is still there"),
    Way("generated/core/", ("body", "read_json"), "they call the reader"),
    Way("generated/plugin/", ("body", "read_json"), "they call the reader"),
    Way("generated/runtime/strict_json.py", ("json.JSONDecoder",), "the strict parser"),
    Way("generated/runtime/validation.py", ("validate_json",), "after the strict parser"),
    Way("generated/runtime/results.py", ("body",), "of a problem that goes out"),
    Way("generated/runtime/events.py", ("orjson.loads",), "entries that the core wrote itself"),
    Way("impl/events/comparison/entries.py", ("orjson.loads",), "entries that the core wrote"),
    Way("impl/overload/admission.py", ("receive",), "passes it on, and counts who is waited for"),
    Way(
        "impl/metrics/requests.py",
        ("starlette.Request",),
        "what the instrumentator's functions are given; they read the scope",
    ),
    Way("impl/db.py", ("orjson.loads",), STORED),
    Way("impl/dialogs/call.py", ("orjson.loads",), STORED),
    Way("impl/cursor.py", ("orjson.loads",), "after its code has proved that the core wrote it"),
    Way("impl/plugins/calls/answers.py", ("read_json",), "a plugin's answer, by the same reader"),
    Way("impl/plugins/probe.py", ("read_json",), "a plugin's health, by the same reader"),
    Way(
        "impl/plugins/manifests/form.py",
        ("model_validate_json",),
        "a manifest that was read strictly, held against one of its forms",
    ),
    Way("impl/routing/classifier/model.py", ("json.loads",), "a model that a worker trained"),
    Way("impl/routing/classifier/train.py", ("orjson.loads",), "what the worker gives its child"),
    Way(
        "impl/llm/answers.py",
        ("model_validate_json",),
        "the model's server is the operator's; its answer is capped, and few members are read",
    ),
    Way("impl/text_reply/core_api.py", ("model_validate_json",), "the core's answers"),
)
RULE = Rule(
    told="reads what came from outside past the one strict reader",
    ways=WAYS,
    elsewhere=ELSEWHERE,
    modules=MODULES,
    names=NAMES,
    calls=CALLS,
)


def findings(root: Path = ROOT) -> list[str]:
    return ways.findings(RULE, root)
