"""What the plugin says of itself. The manifest is read raw: the checks judge what was sent."""

import json
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import re2

from generated.errors import ValidationFailed
from impl.kit.checks import Check
from impl.kit.plugin import FailedError, NotTriedError, Plugin, contract
from impl.kit.requests import Json, Request, runs_dry
from impl.plugins.calls.checks import schema_faults
from impl.plugins.calls.output import OutputSchema, compile_output
from impl.plugins.manifests import FORMS
from impl.routing.conditions import MAX_COST, ConditionError, compile_condition
from impl.routing.patterns import PatternSet, TooCostlyError, check_pattern

GET = Request("GET", "/manifest")
SERVED = "v1alpha"
MOST_EXAMPLES = 10
MOST_FAULTS = 20


async def manifest(plugin: Plugin) -> None:
    """Keeps what is read, where it can be trusted: other checks look at it."""
    answer = await plugin.send(GET)
    if answer.status == 200 and answer.is_json and isinstance(answer.json, dict):
        form, faults = _form_faults(answer.json)
        if faults:
            plugin.fail(GET, f"a manifest {form}, by its members", "; ".join(faults))
    plugin.must_be(GET, answer, 200)
    plugin.manifest = answer.json


def _form_faults(raw: Json) -> tuple[str, list[str]]:
    """The form that `raw` is taken for, and what the core would tell at its registration."""
    form = next((form for form in FORMS if form.fits(raw)), FORMS[-1])
    name = type(form).__module__.rpartition("form_")[2].replace("_", ".")
    try:
        form.adapt(raw)
    except ValidationFailed as refused:
        errors = refused.errors[:MOST_FAULTS]
        more = [f"{len(refused.errors) - MOST_FAULTS} more"] if refused.errors[MOST_FAULTS:] else []
        return name, [
            *(f"{error.pointer.removeprefix('/manifest')}: {error.message}" for error in errors),
            *more,
        ]
    except TypeError:  # half a character, or a number beyond all bounds: it is no strict JSON
        pass
    return name, []


async def again(plugin: Plugin) -> None:
    known, answer = _known(plugin), await plugin.expect(GET, 200)
    if answer.json != known:
        differing = [
            name for name in {*known, *answer.json} if known.get(name) != answer.json.get(name)
        ]
        plugin.fail(GET, "the same manifest twice", f"another one: {', '.join(sorted(differing))}")


async def version(plugin: Plugin) -> None:
    known, request = _known(plugin), Request("GET", "/health")
    answer = await plugin.send(request)
    told = answer.json.get("version") if answer.is_json and isinstance(answer.json, dict) else None
    if told != known.get("version"):
        plugin.fail(request, f"the manifest's version {known.get('version')}", str(told))


async def schema_versions(plugin: Plugin) -> None:
    versions = _known(plugin).get("supported_schema_versions", [SERVED])
    if SERVED not in versions:
        plugin.fail(GET, f"{SERVED} in /supported_schema_versions", json.dumps(versions))


async def intents(plugin: Plugin) -> None:
    """Tags that differ; patterns that RE2 takes and the core's budget allows."""
    found = _known(plugin).get("intents") or []
    tags = [item.get("tag") if isinstance(item, dict) else item for item in found]
    if doubled := [str(tag) for tag, count in Counter(map(str, tags)).items() if count > 1]:
        plugin.fail(GET, "tags of /intents that differ", f"twice: {', '.join(doubled)}")


async def patterns(plugin: Plugin) -> None:
    found: list[str] = []
    for index, intent in enumerate(_known(plugin).get("intents") or []):
        condition = intent.get("activation_condition") if isinstance(intent, dict) else None
        if not isinstance(condition, dict) or condition.get("type") != "regex":
            continue
        place = f"/intents/{index}/activation_condition/value"
        try:
            check_pattern(str(condition.get("value")))
        except TooCostlyError:
            plugin.fail(
                GET, f"a smaller pattern at {place}", "one that RE2 cannot take in its memory"
            )
        except re2.error as error:
            told = error.args[0] if error.args else error
            text = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
            plugin.fail(GET, f"a pattern of RE2 at {place}", text)
        found.append(str(condition.get("value")))
    if not found:
        raise NotTriedError("no intent has a pattern")
    try:
        PatternSet(found)
    except TooCostlyError:
        plugin.fail(
            GET, "patterns within the core's budget", "too costly ones: use fewer or simpler"
        )


async def conditions(plugin: Plugin) -> None:
    tried, spent = False, 0
    for index, intent in enumerate(_known(plugin).get("intents") or []):
        condition = intent.get("activation_condition") if isinstance(intent, dict) else None
        if not isinstance(condition, dict) or condition.get("type") != "custom":
            continue
        tried = True
        place = f"/intents/{index}/activation_condition/value"
        try:
            spent += compile_condition(str(condition.get("value"))).cost
        except ConditionError as error:
            plugin.fail(GET, f"a condition that the core takes at {place}", str(error))
    if not tried:
        raise NotTriedError("no intent has a condition")
    if spent > MAX_COST:
        plugin.fail(
            GET, "conditions within the core's budget", "too costly ones: use fewer or simpler"
        )


async def scopes(plugin: Plugin) -> None:
    auth = _known(plugin).get("auth") or {}
    asked = auth.get("scopes", []) if isinstance(auth, dict) else []
    known = contract()["components"]["schemas"]["PluginScope"]["enum"]
    if wrong := [str(scope) for scope in asked if scope not in known or asked.count(scope) > 1]:
        plugin.fail(GET, f"scopes of {', '.join(known)}, each once", ", ".join(wrong))


async def schemas(plugin: Plugin) -> None:
    """As the core would take them at a registration, from the plugin itself."""
    known, tried = _known(plugin), False
    for name in ("input_schema", "output_schema"):
        schema = known.get(name)
        if schema is None:
            continue
        tried = True
        if isinstance(schema, str):
            if urlsplit(schema)[:2] != urlsplit(plugin.url)[:2]:
                plugin.fail(GET, f"/{name} inline or at the plugin's own origin", schema)
            schema = await _fetched(plugin, schema)
        for fault in schema_faults(f"/{name}", schema, is_output=name == "output_schema"):
            told = f"{fault.pointer}: {fault.message}"
            plugin.fail(GET, f"a JSON Schema 2020-12 at /{name} that the core takes", told)
    if not tried:
        raise NotTriedError("the manifest sets neither input_schema nor output_schema")


async def examples(plugin: Plugin) -> None:
    known = _known(plugin)
    found = known.get("golden_examples") or []
    if not found:
        raise NotTriedError("the manifest sets no golden_examples")
    if not runs_dry(known):
        plugin.fail(GET, "capabilities.dry_run with /golden_examples", "none: they are dry runs")
    if len(found) > MOST_EXAMPLES:
        plugin.fail(GET, f"{MOST_EXAMPLES} golden examples at most", str(len(found)))
    tags = [
        item.get("tag") if isinstance(item, dict) else item for item in known.get("intents", [])
    ]
    names: set[str] = set()
    for index, example in enumerate(found):
        if not isinstance(example, dict) or not example.get("name") or "payload" not in example:
            plugin.fail(GET, f"name and payload at /golden_examples/{index}", json.dumps(example))
        if example["name"] in names:
            plugin.fail(GET, "names that differ", f"/golden_examples/{index}/name was there before")
        names.add(example["name"])
        if example.get("intent") not in (None, *tags):
            place = f"/golden_examples/{index}/intent"
            plugin.fail(GET, f"a tag of the manifest at {place}", str(example["intent"]))


async def output_schema(plugin: Plugin) -> OutputSchema | None:
    """The plugin's own; None where it has none, or none that the core would take."""
    schema: Any = _known(plugin).get("output_schema")
    if isinstance(schema, str):
        try:
            schema = await _fetched(plugin, schema)
        except FailedError:
            raise NotTriedError("output_schema cannot be read") from None
    if schema is None or schema_faults("", schema, is_output=True):
        return None
    return compile_output(schema)


async def _fetched(plugin: Plugin, url: str) -> Any:
    parts = urlsplit(url)
    request = Request("GET", parts._replace(scheme="", netloc="").geturl() or "/")
    answer = await plugin.send(request)
    if answer.status != 200 or not answer.is_json:
        plugin.fail(request, "a JSON Schema", str(answer))
    return answer.json


def _known(plugin: Plugin) -> Json:
    if plugin.manifest is None:
        raise NotTriedError("the manifest breaks the contract")
    return plugin.manifest


MANIFEST = Check("manifest.contract", "GET /manifest answers as the contract says", manifest)
CHECKS = (
    Check("manifest.same", "it is the same each time", again),
    Check("manifest.version", "its version is that of /health", version),
    Check(
        "manifest.schema_versions",
        "the core's version of the contract is supported",
        schema_versions,
    ),
    Check("manifest.intents", "each intent has a tag of its own", intents),
    Check("manifest.patterns", "the patterns are RE2's, within the core's budget", patterns),
    Check("manifest.conditions", "the conditions are CEL's, within the core's budget", conditions),
    Check("manifest.scopes", "the scopes are known ones, each once", scopes),
    Check("manifest.schemas", "input_schema and output_schema are JSON Schemas", schemas),
    Check("manifest.golden_examples", "golden examples can be sent", examples),
)
