"""What a plugin says of itself: ids and names that agree, patterns and JSON that fit."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import re2

from impl.routing.conditions import MAX_COST, ConditionError, compile_condition
from impl.routing.patterns import PatternSet, TooCostlyError, check_pattern
from impl.schemas.form import SchemaError, read_form
from tests.contract.cases import Case, State, in_the_case_of, moment_of_utc

ROOM = 48 * 1024  # of the 64 KB that a row takes, in the form in which the request is sent


def send_heartbeat(case: Case, state: State) -> None:
    plugin = state.known.plugin_id
    case.path_parameters["plugin_id"] = in_the_case_of(case.path_parameters["plugin_id"], plugin)
    body: Any = case.body
    body["plugin_id"] = in_the_case_of(body["plugin_id"], plugin)


def report_event(case: Case, state: State) -> None:
    send_heartbeat(case, state)
    body: Any = case.body
    if body["event_id"].lower() in state.events:
        body["event_id"] = str(uuid4())
    state.events.add(body["event_id"].lower())
    if not _is_past(body["occurred_at"]):
        body["occurred_at"] = "2024-02-29T10:15:30.123456Z"
    if (body["event_type"], body.get("severity")) == ("plugin_failed", "critical"):
        body["severity"] = "warning"  # or its token is revoked, and everything after is a 401
    if "payload" in body:
        body["payload"] = _storable(body["payload"])
        if len(json.dumps(body["payload"])) > ROOM:
            body["payload"] = {}


def _is_past(text: str) -> bool:
    moment = moment_of_utc(text)
    return moment is not None and moment < datetime.now(UTC)


def register_plugin(case: Case, state: State) -> None:
    body: Any = case.body
    manifest = body["manifest"]
    body["base_url"] = state.known.plugin_url
    manifest["name"], manifest["version"] = body["name"], body["version"]
    for name in ("input_schema", "output_schema"):
        if name in manifest:
            manifest[name] = _schema(_storable(manifest[name]), state.known.plugin_url)
    _align_policy(body, manifest)
    patterns: list[str] = []
    for intent in manifest["intents"]:
        if isinstance(intent, str):  # manifest 1.0
            continue
        condition = intent["activation_condition"]
        if condition["type"] == "regex":
            if not _fits([*patterns, condition["value"]]):
                condition["value"] = "(?i)^/weather"
            patterns.append(condition["value"])
        elif condition["type"] == "custom" and not _holds_sometimes(condition["value"]):
            condition["value"] = 'locale.startsWith("ru")'
    tags = {_tag(intent): intent for intent in manifest["intents"]}
    manifest["intents"] = list(tags.values())
    while len(json.dumps(manifest)) > ROOM and manifest["intents"]:
        manifest["intents"].pop()
    _align_examples(manifest)
    _make_new(body, manifest, state)


def _tag(intent: Any) -> str:
    tag: str = intent if isinstance(intent, str) else intent["tag"]
    return tag


def _align_policy(body: dict[str, Any], manifest: dict[str, Any]) -> None:
    """No scope beyond the manifest's, and a version that is served."""
    named = (manifest.get("auth") or {}).get("scopes", [])
    if "scopes" in body:
        body["scopes"] = [scope for scope in body["scopes"] if scope in named]
    if "supported_schema_versions" in manifest:
        manifest["supported_schema_versions"][0] = "v1alpha"


def _align_examples(manifest: dict[str, Any]) -> None:
    """Each with a name of its own and a tag of the manifest's, and none without `dry_run`."""
    if "golden_examples" not in manifest:
        return
    if not (manifest.get("capabilities") or {}).get("dry_run"):
        manifest["golden_examples"] = []
    tags = {_tag(intent) for intent in manifest["intents"]}
    examples = {example["name"]: example for example in manifest["golden_examples"]}
    manifest["golden_examples"] = list(examples.values())
    for example in manifest["golden_examples"]:
        if example.get("intent") not in tags:
            example["intent"] = None


def _schema(value: Any, plugin_url: str) -> Any:
    """A schema that is one, or the URL of one on the plugin's own origin."""
    if isinstance(value, str):
        return f"{plugin_url}/schema.json"
    if not isinstance(value, dict):
        return value
    try:
        read_form(value)
    except SchemaError:
        return {}
    return value


def _make_new(body: dict[str, Any], manifest: dict[str, Any], state: State) -> None:
    """Another manifest under a version that exists is a conflict: three of four times a new one."""
    version = body["name"], body["version"]
    content = json.dumps({**manifest, "version": ""}, sort_keys=True)
    if state.manifests.setdefault(version, content) != content and state.next() % 4:
        body["version"] = manifest["version"] = f"0.{state.turn}.0"
        state.manifests[body["name"], body["version"]] = content


def _storable(value: Any, depth: int = 3) -> Any:
    """Of free JSON, what jsonb keeps: no NUL, no integer beyond 64 bits, at most 32 levels."""
    if isinstance(value, dict) and depth < 32:
        return {_storable(key): _storable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list) and depth < 32:
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return 0
    return None if isinstance(value, dict | list) else value


def _fits(patterns: list[str]) -> bool:
    """Whether RE2 takes the last of them, and the plugin's budget all of them."""
    try:
        check_pattern(patterns[-1])
        PatternSet(patterns)
    except (TooCostlyError, re2.error):
        return False
    return True


def _holds_sometimes(expression: str) -> bool:
    """Whether it is of the language, and so cheap that as many as a manifest has are taken."""
    try:
        return compile_condition(expression).cost < MAX_COST / 200
    except ConditionError:
        return False


ALIGN: dict[str, Callable[[Case, State], None]] = {
    "sendPluginHeartbeat": send_heartbeat,
    "reportPluginEvent": report_event,
    "registerPlugin": register_plugin,
}
