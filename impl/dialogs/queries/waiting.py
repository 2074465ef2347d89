"""A call that goes on another way: back into the queue, or by the plugin that answers instead."""

from dataclasses import dataclass
from uuid import UUID

from generated.events import (
    PLUGIN_FAILED,
    PLUGIN_INVOCATION_QUEUED,
    PLUGIN_INVOCATION_STARTED,
    PLUGIN_TIMEOUT,
)
from generated.runtime.events import Event
from impl.db import Executor
from impl.dialogs.call import Outcome, StoredCall
from impl.events.log import published

# Only by whoever makes the call now, and only while it is worth being made again. The event tells
# a repeated statement, whose commit's fate was unknown.
REQUEUE = f"""
WITH call AS (
    UPDATE plugin_calls SET status = 'queued', lease_until = NULL,
        queued_at = coalesce(queued_at, now()), available_at = now() + make_interval(secs => $5),
        excused = excused + $6
    WHERE plugin_id = $2 AND invocation_id = $3 AND attempt = $4 AND status = 'in_progress'
        AND deadline_at > now() + make_interval(secs => $5)
    RETURNING *
)
{published(PLUGIN_INVOCATION_QUEUED, "call", event_id="$1")}
SELECT EXISTS (SELECT FROM call) OR EXISTS (SELECT FROM outbox WHERE event_id = $1)
"""  # noqa: S608  # constants of our own


# The failed call ends as any does, but the message stays open: the second call will answer it. It
# takes the first one's place in the dialog's order. After a reset there is nothing left to answer.
def _replacement(failed: Event, begun: Event) -> str:
    queued = begun is PLUGIN_INVOCATION_QUEUED
    status, attempt = ("'queued'", 0) if queued else ("'in_progress'", 1)
    queued_at = "coalesce(queued_at, now())" if queued else "queued_at"
    lease = "NULL" if queued else "now() + make_interval(secs => $15)"
    return f"""
WITH dialog AS (
    SELECT id, reset_version FROM dialogs WHERE id = $2 AND bot_id = $14
    FOR NO KEY UPDATE
), call AS (
    UPDATE plugin_calls SET status = $6, error_code = $7, latency_ms = $8, finished_at = now(),
        lease_until = NULL
    FROM dialog
    WHERE dialog_id = dialog.id AND plugin_id = $3 AND invocation_id = $4 AND attempt = $5
        AND status = 'in_progress' AND dialog.reset_version = plugin_calls.reset_version
        AND deadline_at > now()
    RETURNING plugin_calls.*, $9::text AS severity
), second AS (
    INSERT INTO plugin_calls (seq, plugin_id, dialog_id, user_id, invocation_id, message_id,
        trace_id, reset_version, request_payload, routing, attempt, status, started_at,
        lease_until, queued_at, deadline_at, replaces)
    OVERRIDING SYSTEM VALUE
    SELECT seq, $10, dialog_id, user_id, $11::uuid, message_id, trace_id, reset_version,
        request_payload || jsonb_build_object('invocation_id', $11::uuid, 'intent', NULL), $12,
        {attempt}, {status}, now(), {lease}, {queued_at}, deadline_at, invocation_id
    FROM call
    RETURNING *
)
{published(failed, "call", event_id="$1")}
{published(begun, "second", event_id="$13", named="second_event")}
SELECT EXISTS (SELECT FROM second) OR EXISTS (SELECT FROM outbox WHERE event_id = $13)
"""  # noqa: S608  # constants of our own


REPLACEMENTS = {
    (failed.name, begun.name): _replacement(failed, begun)
    for failed in (PLUGIN_FAILED, PLUGIN_TIMEOUT)
    for begun in (PLUGIN_INVOCATION_STARTED, PLUGIN_INVOCATION_QUEUED)
}


@dataclass(frozen=True, slots=True)
class Second:
    """The call of the plugin that answers for one that failed; `begun` is its first event."""

    plugin_id: UUID
    invocation_id: UUID
    routing: object
    begun: Event


async def requeue(
    executor: Executor, call: StoredCall, event_id: UUID, seconds: float, *, excused: bool
) -> bool:
    """Whether the call waits again, not to be made before `seconds` have passed.

    False where another has it, or where it would then be worth nothing any more.
    """
    done: bool = await executor.fetchval(
        REQUEUE,
        event_id,
        call.plugin_id,
        call.invocation_id,
        call.attempt,
        seconds,
        int(excused),
    )
    return done


async def replace(  # noqa: PLR0917  # what one statement stores
    executor: Executor,
    call: StoredCall,
    outcome: Outcome,
    second: Second,
    event_ids: tuple[UUID, UUID],
    lease_seconds: float,
) -> bool:
    """Whether `second` now answers for `call`; False where another ended it, or a reset did."""
    done: bool = await executor.fetchval(
        REPLACEMENTS[outcome.event.name, second.begun.name],
        event_ids[0],
        call.key.dialog_id,
        call.plugin_id,
        call.invocation_id,
        call.attempt,
        outcome.status,
        outcome.error_code,
        outcome.latency_ms,
        outcome.severity,
        second.plugin_id,
        second.invocation_id,
        second.routing,
        event_ids[1],
        call.key.bot_id,
        *(() if second.begun is PLUGIN_INVOCATION_QUEUED else (lease_seconds,)),
    )
    return done
