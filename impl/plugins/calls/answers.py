"""What of an answer is believed: strict JSON, the contract, then the plugin's own schema."""

from generated import models
from generated.runtime import strict_json
from generated.runtime.problems import ProblemError
from generated.runtime.validation import read_json
from impl.plugins.calls.attempt import Fault
from impl.plugins.calls.outcome import Invocation

MOST_NAMED = 5


def check_answer(
    content: bytes, invocation: Invocation
) -> models.PluginInvocationResponseV1 | Fault:
    try:
        answer = read_json(models.PluginInvocationResponseV1, content)
    except ProblemError as problem:
        where = ", ".join(f"{e.pointer} {e.code}" for e in problem.errors[:MOST_NAMED])
        return Fault("plugin_answer_invalid", f"{problem.code} {where}".strip())
    if answer.trace_id != invocation.trace_id:
        return Fault("plugin_answer_invalid", "trace_id differs")
    if invocation.output_schema is not None:
        # As the plugin sent it, without the contract's defaults.
        faults = invocation.output_schema.faults(strict_json.parse(content))
        if faults:
            return Fault("plugin_output_invalid", ", ".join(faults[:MOST_NAMED]))
    return answer
