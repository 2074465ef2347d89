"""How a call ends, whoever made it."""

from generated.events import (
    PLUGIN_FAILED,
    PLUGIN_INVOCATION_COMPLETED,
    PLUGIN_TIMEOUT,
)
from generated.runtime.events import Event
from impl.db import Executor
from impl.dialogs.call import Outcome, StoredCall
from impl.events.log import published


# A call ends once: where another instance ended it first, this changes nothing and returns no row.
# The dialog's lock is taken before any other, as in the intake: the other order deadlocks with a
# repeated message, which waits for the key while it holds the dialog. It also orders the answer
# against a reset, which raises reset_version: nothing of what came before it is remembered. In a
# dialog that was erased nothing ends any more: its calls are removed as they are.
def _outcome(event: Event) -> str:
    return f"""
WITH dialog AS (
    SELECT id, reset_version FROM dialogs
    WHERE id = $12 AND bot_id = $14 AND erased_at IS NULL FOR NO KEY UPDATE
), call AS (
    UPDATE plugin_calls SET status = $3, error_code = $4, latency_ms = $6,
        response_payload =
            CASE WHEN dialog.reset_version = plugin_calls.reset_version THEN $5::jsonb END,
        finished_at = now(), lease_until = NULL
    FROM dialog
    WHERE dialog_id = dialog.id AND plugin_id = $2 AND invocation_id = $7 AND attempt = $8
        AND status IN ('queued', 'in_progress')
    RETURNING plugin_calls.*, dialog.reset_version = plugin_calls.reset_version AS current,
        $13::text AS severity  -- where the contract leaves it open
), reply AS (
    INSERT INTO messages (dialog_id, sender_type, plugin_id, payload, llm_usage, trace_id)
    SELECT call.dialog_id, 'plugin', call.plugin_id, $9, $10, call.trace_id
    FROM call WHERE current AND $9::jsonb IS NOT NULL
), key AS (
    UPDATE message_keys SET response = $11 FROM call
    WHERE message_keys.dialog_id = call.dialog_id AND message_keys.message_id = call.message_id
)
{published(event, "call", event_id="$1")}
SELECT invocation_id FROM call
"""  # noqa: S608  # constants of our own


OUTCOMES = {
    event.name: _outcome(event)
    for event in (PLUGIN_INVOCATION_COMPLETED, PLUGIN_FAILED, PLUGIN_TIMEOUT)
}

# Whoever gives a call back stopped for reasons of its own: that attempt is not the plugin's.
END_LEASE = """
UPDATE plugin_calls SET lease_until = now(), excused = excused + 1
WHERE plugin_id = $1 AND invocation_id = $2 AND attempt = $3 AND status = 'in_progress'
"""


async def finish(executor: Executor, call: StoredCall, outcome: Outcome) -> bool:
    """Whether this ended the call; False where another instance already had."""
    row = await executor.fetchrow(
        OUTCOMES[outcome.event.name],
        outcome.event.new_id(),
        call.plugin_id,
        outcome.status,
        outcome.error_code,
        outcome.response_payload,
        outcome.latency_ms,
        call.invocation_id,
        call.attempt,
        outcome.reply_payload,
        outcome.usage,
        outcome.response,
        call.key.dialog_id,
        outcome.severity,
        call.key.bot_id,
    )
    return row is not None


async def end_lease(executor: Executor, call: StoredCall) -> None:
    await executor.execute(END_LEASE, call.plugin_id, call.invocation_id, call.attempt)
