"""What a plugin's answer, or its failure, means for the call and for the bot.

One function for each end, whoever made the call and how often: so a final answer has the same bytes
however it was reached.
"""

from dataclasses import replace
from typing import Literal
from uuid import UUID

from generated import models
from generated.events import PLUGIN_FAILED, PLUGIN_INVOCATION_COMPLETED, PLUGIN_TIMEOUT
from generated.runtime.edge import render
from impl.dialogs.call import RESET, Outcome, StoredCall
from impl.plugins.caller import MESSAGES, RETRYABLE, Answered, Failed

TIMEOUT: Literal["plugin_timeout"] = "plugin_timeout"

RejectionCode = Literal["plugin_unavailable", "dialog_reset"]
REJECTIONS: dict[RejectionCode, str] = {
    "plugin_unavailable": MESSAGES["plugin_unavailable"],
    RESET: "The dialog was reset before the plugin was called.",
}


def ended(call: StoredCall, result: Answered | Failed) -> Outcome:
    if isinstance(result, Answered):
        return _success(call, result)
    if result.code == TIMEOUT:
        return replace(timed_out(call), latency_ms=result.latency_ms)
    outcome = _failure(call, result.code, MESSAGES[result.code], retryable=result.code in RETRYABLE)
    return replace(outcome, status="failed", latency_ms=result.latency_ms)


def rejection(call: StoredCall, code: RejectionCode) -> Outcome:
    """The end of a call that was never made, or not again."""
    return _failure(call, code, REJECTIONS[code], retryable=True)


def timed_out(call: StoredCall) -> Outcome:
    outcome = _failure(call, TIMEOUT, MESSAGES[TIMEOUT], retryable=True)
    return replace(outcome, status="timeout", event=PLUGIN_TIMEOUT)


def _failure(
    call: StoredCall, code: models.PluginErrorCode, message: str, *, retryable: bool
) -> Outcome:
    error = models.PluginErrorV1(
        code=code, message=message, plugin_id=call.plugin_id, retryable=retryable
    )
    return Outcome(
        status="rejected",
        event=PLUGIN_FAILED,
        error_code=code,
        response_payload=None,
        latency_ms=0,
        reply_payload=None,
        usage=None,
        response=failed_response(call.key.dialog_id, call.trace_id, error),
    )


def _success(call: StoredCall, result: Answered) -> Outcome:
    answer = result.answer
    said = models.PluginMessageV1(
        plugin_id=call.plugin_id,
        content=answer.text,
        content_type=answer.content_type,
        suggested_actions=answer.suggested_actions,
    )
    response = models.DialogMessageResponseV1(
        dialog_id=call.key.dialog_id,
        trace_id=call.trace_id,
        plugin_responses=[said],
        usage=answer.usage,
        status="accepted",
        error=None,
    )
    reply = models.TextPayloadV1(type="text", text=answer.text, attachments=answer.attachments)
    return Outcome(
        status="succeeded",
        event=PLUGIN_INVOCATION_COMPLETED,
        error_code=None,
        response_payload=render(answer).content,
        latency_ms=result.latency_ms,
        reply_payload=render(reply).content,
        usage=None if answer.usage is None else render(answer.usage).content,
        response=render(response).content,
    )


def failed_response(dialog_id: UUID, trace_id: UUID, error: models.PluginErrorV1) -> bytes:
    """The final body of a message that got no answer."""
    response = models.DialogMessageResponseV1(
        dialog_id=dialog_id,
        trace_id=trace_id,
        plugin_responses=[],
        usage=None,
        status="failed",
        error=error,
    )
    return render(response).content
