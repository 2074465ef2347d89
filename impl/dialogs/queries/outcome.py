"""How a call ends, whoever made it."""

from uuid import uuid4

from impl.db import Executor
from impl.dialogs.call import Outcome, StoredCall
from impl.dialogs.queries.parts import CALL_EVENT
from impl.events.log import EVENT_ROWS, stream_of

# A call ends once: where another instance ended it first, this changes nothing and returns no row.
# The dialog's lock is taken before any other, as in the intake: the other order deadlocks with a
# repeated message, which waits for the key while it holds the dialog. It also orders the reply
# against a reset, which raises reset_version.
OUTCOME = f"""
WITH dialog AS (
    SELECT id, reset_version FROM dialogs WHERE id = $15 FOR NO KEY UPDATE
), call AS (
    UPDATE plugin_calls SET status = $6, error_code = $7, response_payload = $8, latency_ms = $9,
        finished_at = now(), lease_until = NULL
    FROM dialog
    WHERE dialog_id = dialog.id AND plugin_id = $5 AND invocation_id = $10 AND attempt = $11
        AND status = 'in_progress'
    RETURNING plugin_calls.*, dialog.reset_version = plugin_calls.reset_version AS current
), reply AS (
    INSERT INTO messages (dialog_id, sender_type, plugin_id, payload, llm_usage, trace_id)
    SELECT call.dialog_id, 'plugin', call.plugin_id, $12, $13, call.trace_id
    FROM call WHERE current AND $12::jsonb IS NOT NULL
), key AS (
    UPDATE message_keys SET response = $14 FROM call
    WHERE message_keys.dialog_id = call.dialog_id AND message_keys.message_id = call.message_id
), event AS ({CALL_EVENT})
{EVENT_ROWS}
SELECT invocation_id FROM call
"""  # noqa: S608  # constants of our own

END_LEASE = """
UPDATE plugin_calls SET lease_until = now()
WHERE plugin_id = $1 AND invocation_id = $2 AND attempt = $3 AND status = 'in_progress'
"""


async def finish(executor: Executor, call: StoredCall, outcome: Outcome) -> bool:
    """Whether this ended the call; False where another instance already had."""
    row = await executor.fetchrow(
        OUTCOME,
        uuid4(),
        outcome.event_type,
        "info" if outcome.error_code is None else "warning",
        stream_of(outcome.event_type, call.plugin_id),
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
    )
    return row is not None


async def end_lease(executor: Executor, call: StoredCall) -> None:
    await executor.execute(END_LEASE, call.plugin_id, call.invocation_id, call.attempt)
