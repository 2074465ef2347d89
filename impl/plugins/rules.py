"""What a manifest must keep that its schema cannot say, each fault with its pointer."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

import orjson
import re2

from generated import models
from generated.runtime.problems import InvalidValue, pointer
from impl.plugins.manifests import Adapted
from impl.routing.conditions import MAX_COST as MAX_CONDITIONS_COST
from impl.routing.conditions import ConditionError, compile_condition
from impl.routing.patterns import MAX_COST, PatternSet, TooCostlyError, check_pattern, cost

MAX_FAULTS = 10
MOST_BYTES = 64 * 1024  # of a value, as jsonb writes it
# The contract lists them in the order in which they came.
SERVED: tuple[models.SchemaVersion, ...] = get_args(get_args(models.SchemaVersion.__value__)[0])


def negotiated(manifest: models.PluginManifestV1) -> models.SchemaVersion | None:
    """The highest version of the contract that plugin and core both serve."""
    common = set(manifest.supported_schema_versions)
    return next((version for version in reversed(SERVED) if version in common), None)


def faults(
    request: models.PluginRegistrationRequestV1,
    adapted: Adapted,
    allowed: Iterable[str],
) -> list[InvalidValue]:
    """`adapted` is the request's manifest; `allowed` are the scopes that plugins may have."""
    manifest = adapted.manifest
    return [
        *(
            _fault(("manifest", name), "mismatch", f"Must equal /{name}")
            for name in ("name", "version")
            if getattr(manifest, name) != getattr(request, name)
        ),
        *_pattern_faults(manifest.intents),
        *_condition_faults(manifest.intents),
        *_tag_faults(adapted),
        *_version_faults(manifest),
        *_example_faults(manifest),
        *_size_faults(request.manifest, manifest),
        *_scope_faults(request.scopes, manifest.auth.scopes, frozenset(allowed)),
    ]


def _scope_faults(
    asked: Sequence[str], named: Sequence[str], allowed: frozenset[str]
) -> Iterator[InvalidValue]:
    """A token never permits more than was asked for, the manifest names and the policy allows."""
    for index, scope in enumerate(asked):
        if scope not in named:
            message = "The manifest's auth.scopes does not name it"
            yield _fault(("scopes", index), "scope_not_in_manifest", message)
        elif scope not in allowed:
            yield _fault(("scopes", index), "scope_not_allowed", "This core allows no plugin so")


def _version_faults(manifest: models.PluginManifestV1) -> Iterator[InvalidValue]:
    if negotiated(manifest) is None:
        message = f"None of them is served; this core serves {', '.join(SERVED)}"
        yield _fault(("manifest", "supported_schema_versions"), "none_served", message)


def _example_faults(manifest: models.PluginManifestV1) -> Iterator[InvalidValue]:
    examples = manifest.golden_examples
    if examples and not (manifest.capabilities and manifest.capabilities.dry_run):
        message = "Allowed only where /manifest/capabilities/dry_run is true"
        yield _fault(("manifest", "golden_examples"), "needs_dry_run", message)
    tags = {intent.tag for intent in manifest.intents}
    seen: set[str] = set()
    for index, example in enumerate(examples):
        place = ("manifest", "golden_examples", index)
        if example.name in seen:
            yield _fault((*place, "name"), "duplicate", "Another golden example has this name")
        seen.add(example.name)
        if example.intent is not None and example.intent not in tags:
            yield _fault((*place, "intent"), "unknown", "No intent of the manifest has this tag")


def _size_faults(raw: dict[str, Any], manifest: models.PluginManifestV1) -> Iterator[InvalidValue]:
    """jsonb puts a space after each comma and colon; the database has the last word."""
    intents = [intent.model_dump(mode="json") for intent in manifest.intents]
    for place, value in ((("manifest",), raw), (("manifest", "intents"), intents)):
        if len(orjson.dumps(value)) + _spaces(value) > MOST_BYTES:
            yield _fault(place, "too_large", "It exceeds 64 KB as it is stored")
            return


def _spaces(value: object) -> int:
    if isinstance(value, dict):
        return max(2 * len(value) - 1, 0) + sum(map(_spaces, value.values()))
    if isinstance(value, list):
        return max(len(value) - 1, 0) + sum(map(_spaces, value))
    return 0


def _tag_faults(adapted: Adapted) -> Iterator[InvalidValue]:
    seen: set[str] = set()
    within = () if adapted.bare_tags else ("tag",)
    for index, intent in enumerate(adapted.manifest.intents):
        if intent.tag in seen:
            place = ("manifest", "intents", index, *within)
            yield _fault(place, "duplicate", "Another intent has this tag")
        seen.add(intent.tag)


def _pattern_faults(intents: Sequence[models.IntentV1]) -> list[InvalidValue]:
    """Ends with the first pattern that is too much: a large one takes long to refuse."""
    found: list[InvalidValue] = []
    patterns: list[str] = []
    for index, intent in enumerate(intents):
        condition = intent.activation_condition
        if condition.type != "regex":
            continue
        place = ("manifest", "intents", index, "activation_condition", "value")
        try:
            check_pattern(condition.value)
        except TooCostlyError:
            return [*found, _fault(place, "pattern_too_costly", "The pattern is too large")]
        except re2.error:
            found.append(_fault(place, "pattern_invalid", "Not a pattern of RE2"))
            if len(found) == MAX_FAULTS:
                return found
            continue
        patterns.append(condition.value)
        if cost(patterns[-1:]) > MAX_COST:
            break
    try:
        PatternSet(patterns)
    except TooCostlyError:
        message = "The patterns are too costly together: use fewer or simpler ones"
        found.append(_fault(("manifest", "intents"), "pattern_too_costly", message))
    return found


def _condition_faults(intents: Sequence[models.IntentV1]) -> list[InvalidValue]:
    found: list[InvalidValue] = []
    spent = 0
    for index, intent in enumerate(intents):
        condition = intent.activation_condition
        if condition.type != "custom":
            continue
        try:
            spent += compile_condition(condition.value).cost
        except ConditionError as error:
            place = ("manifest", "intents", index, "activation_condition", "value")
            found.append(_fault(place, error.code, str(error)))
        if len(found) == MAX_FAULTS:
            return found
    if spent > MAX_CONDITIONS_COST:
        message = "The conditions are too costly together: use fewer or simpler ones"
        found.append(_fault(("manifest", "intents"), "condition_too_costly", message))
    return found


def _fault(place: tuple[str | int, ...], code: str, message: str) -> InvalidValue:
    return InvalidValue("body", pointer(*place), code, message)
