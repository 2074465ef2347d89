"""The plugin's own examples, as dry runs: health proved, not claimed."""

import time
from collections.abc import Iterator
from functools import partial

from impl.kit.checks import Check
from impl.kit.checks.manifest import output_schema
from impl.kit.plugin import NotTriedError, Plugin
from impl.kit.requests import Json, runs_dry

DEADLINE_MS = 8000


def checks(manifest: Json | None) -> Iterator[Check]:
    """One for each example; one that says why there is none."""
    examples = (manifest or {}).get("golden_examples")
    if not runs_dry(manifest) or not isinstance(examples, list) or not examples:
        missing = "golden_examples" if runs_dry(manifest) else "capabilities.dry_run"
        reason = f"the manifest sets no {missing}"
        yield Check("golden", "golden examples are answered", partial(_untried, reason))
        return
    for number, example in enumerate(examples, 1):
        named = example.get("name") if isinstance(example, dict) else None
        yield Check(f"golden.{number}", f"golden example: {named}", partial(_example, example))


async def _untried(reason: str, _plugin: Plugin) -> None:
    raise NotTriedError(reason)


async def _example(example: Json, plugin: Plugin) -> None:
    context: Json = {"messages": [], "locale": example.get("locale"), "metadata": {}}
    request = plugin.call(
        payload=example.get("payload"),
        intent=example.get("intent"),
        context=context,
        dry_run=True,
        deadline_ms=DEADLINE_MS,
    )
    began = time.monotonic()
    answer = await plugin.expect(request, 200)
    if (seconds := time.monotonic() - began) * 1000 > DEADLINE_MS:
        plugin.fail(request, f"an answer within {DEADLINE_MS} ms", f"one after {seconds:.1f} s")
    schema = await output_schema(plugin)
    if schema is not None and (faults := schema.faults(answer.json)):
        plugin.fail(
            request, "an answer that fits the plugin's own output_schema", "; ".join(faults)
        )
