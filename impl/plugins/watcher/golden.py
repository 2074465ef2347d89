"""Golden examples: health proved, not claimed. Each is a call with `dry_run`, of which nothing is
stored, judged by the contract, by the plugin's own `output_schema`, and by time."""

from uuid import UUID, uuid4

from generated import models
from impl.plugins.caller import Failed, Invocation, PluginCaller
from impl.plugins.calls.output import OutputSchema, compile_output
from impl.plugins.manifests import adapt
from impl.plugins.watcher.queries import Due

NOBODY = UUID(int=0)  # the dialog and the user of a dry run


async def failing(caller: PluginCaller, due: Due, seconds: float) -> str | None:
    """Which of the plugin's examples fails, and why; None where all are answered well.

    One after the other, each within `seconds`: a plugin is not to be loaded by its own proofs.
    """
    manifest = adapt(due.manifest).manifest
    if not (manifest.capabilities and manifest.capabilities.dry_run):
        return None
    output = None if due.output_schema is None else compile_output(due.output_schema)
    for example in manifest.golden_examples:
        outcome = await caller.rehearse(_dry_run(due, example, output, seconds), seconds)
        if isinstance(outcome, Failed):
            why = f"{outcome.code}: {outcome.reason}"
            return f"{example.name}: {why} ({outcome.latency_ms} ms)"
    return None


def _dry_run(
    due: Due, example: models.GoldenExampleV1, output: OutputSchema | None, seconds: float
) -> Invocation:
    invocation_id, trace_id = uuid4(), uuid4()
    body = models.PluginInvocationRequestV1(
        invocation_id=invocation_id,
        dialog_id=NOBODY,
        user_id=NOBODY,
        trace_id=trace_id,
        intent=example.intent,
        payload=example.payload,
        context=models.InvocationContextV1(messages=[], locale=example.locale, metadata={}),
        deadline_ms=max(int(seconds * 1000), 1),
        dry_run=True,
    )
    content = body.model_dump_json().encode()
    return Invocation(
        due.plugin_id,
        due.base_url,
        invocation_id,
        trace_id,
        content,
        due.schema_version,
        output,
    )
