"""A stored call on its way to its plugin, and its one end.

The instance that took the message in delivers it; where that instance died, the worker delivers it
again with the same invocation_id. Both come through here, and only one of them ends the call.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

import structlog

from generated import models
from generated.events import PLUGIN_FAILED, PLUGIN_INVOCATION_COMPLETED, PLUGIN_TIMEOUT
from generated.runtime.edge import render
from impl.db import UNAVAILABLE, Pool, repeated_if_lost
from impl.dialogs.call import RESET, Outcome, StoredCall
from impl.dialogs.queries.intake import read_key
from impl.dialogs.queries.outcome import end_lease, finish
from impl.plugins.caller import MESSAGES, RETRYABLE, Answered, Failed, Invocation, PluginCaller
from impl.plugins.catalogue import Catalogue

log = structlog.get_logger()

TIMEOUT = "plugin_timeout"
GIVE_BACK_SECONDS = 0.5

RejectionCode = Literal["plugin_unavailable", "dialog_reset"]
REJECTIONS: dict[RejectionCode, str] = {
    "plugin_unavailable": MESSAGES["plugin_unavailable"],
    RESET: "The dialog was reset before the plugin was called.",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    pool: Pool
    caller: PluginCaller
    catalogue: Catalogue

    async def deliver(self, call: StoredCall, timeout_seconds: float) -> bytes | None:
        """The call's final response body: ours, or the one of whoever ended it before us.

        None: another attempt took the call over, and still runs.
        """
        terms = (await self.catalogue.table()).terms_of(call.plugin_id)
        invocation = Invocation(
            call.plugin_id,
            call.base_url,
            call.invocation_id,
            call.trace_id,
            call.request,
            terms.schema_version,
            terms.output_schema,
            terms.supports_retry,
        )
        try:
            result = await self.caller.invoke(invocation, timeout_seconds)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(call))
            raise
        if isinstance(result, Failed):
            log.warning("plugin_call_failed", plugin_id=call.plugin_id, code=result.code,
                        reason=result.reason, invocation_id=call.invocation_id)  # fmt: skip
        # Once the plugin acted its answer is stored, whoever stops waiting for it.
        return await asyncio.shield(self._finish(call, _outcome(call, result)))

    async def reject(self, call: StoredCall, code: RejectionCode) -> None:
        """End the call without calling: its plugin may not be called, or what it asked is gone."""
        await asyncio.shield(self._finish(call, rejection(call, code)))

    async def _give_back(self, call: StoredCall) -> None:
        """Nobody waits for the plugin any longer: a worker may take the call over at once."""
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS):
                await end_lease(self.pool, call)
        except UNAVAILABLE as error:
            log.warning("call_not_given_back", reason=type(error).__name__,
                        invocation_id=call.invocation_id)  # fmt: skip

    async def _finish(self, call: StoredCall, outcome: Outcome) -> bytes | None:
        if await repeated_if_lost(lambda: finish(self.pool, call, outcome)):
            return outcome.response
        key = await read_key(self.pool, call.key)
        return None if key is None else key.response


def _outcome(call: StoredCall, result: Answered | Failed) -> Outcome:
    if isinstance(result, Answered):
        return _success(call, result)
    timed_out = result.code == TIMEOUT
    outcome = _failure(call, result.code, MESSAGES[result.code], retryable=result.code in RETRYABLE)
    return replace(
        outcome,
        status="timeout" if timed_out else "failed",
        event=PLUGIN_TIMEOUT if timed_out else PLUGIN_FAILED,
        latency_ms=result.latency_ms,
    )


def rejection(call: StoredCall, code: RejectionCode) -> Outcome:
    """The end of a call that was never made, or not again."""
    return _failure(call, code, REJECTIONS[code], retryable=True)


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
