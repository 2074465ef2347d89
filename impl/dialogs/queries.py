"""The three statements of a message's way, and the reads of a dialog.

Each is one round trip and one commit. Ownership stands in each WHERE: a dialog of another bot is
as absent as one that never was.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from generated.events import EventType
from impl.db import Executor
from impl.events.log import EVENT_ROWS, stream_of

# One message of a history, as plugins and bots read it.
MESSAGE = """jsonb_build_object(
    'sender_type', sender_type, 'payload', payload, 'created_at', created_at,
    'message_id', message_id, 'plugin_id', plugin_id)"""

READ_FOR_MESSAGE = f"""
SELECT member.user_id IS NOT NULL AS user_known, member.locale, dialog.user_id AS dialog_user_id,
    key.fingerprint, key.response, coalesce(history.messages, '[]')::text AS history
FROM (SELECT 1) AS one
LEFT JOIN bot_users AS member ON member.bot_id = $2 AND member.user_id = $3
LEFT JOIN dialogs AS dialog ON dialog.id = $1 AND dialog.bot_id = $2
LEFT JOIN message_keys AS key ON key.dialog_id = dialog.id AND key.message_id = $4
LEFT JOIN LATERAL (
    SELECT jsonb_agg({MESSAGE} ORDER BY seq) AS messages
    FROM (SELECT * FROM messages WHERE dialog_id = dialog.id ORDER BY seq DESC LIMIT $5) AS newest
) AS history ON true
"""  # noqa: S608  # constants of our own

# The columns of a call's event; payloads stay in `plugin_calls`, streams and audit carry ids only.
_CALL_EVENT = """
    SELECT $1::uuid AS event_id, 'core' AS source, $2::text AS event_type, $3::text AS severity,
        $4::text AS stream, plugin_id, dialog_id, trace_id, jsonb_build_object(
            'plugin_id', plugin_id, 'invocation_id', invocation_id, 'dialog_id', dialog_id,
            'request_payload', NULL, 'response_payload', NULL, 'status', status,
            'error_code', error_code, 'started_at', started_at, 'finished_at', finished_at
        ) AS payload
    FROM call
"""

# deadline_at is for queued calls: who runs them later must know until when they are worth it.
# The dialog's row decides first: another bot's dialog, or another user's, returns none, and so
# nothing is written. Then the key decides the race: of several, one writes everything.
INTAKE = f"""
WITH dialog AS (
    INSERT INTO dialogs (id, bot_id, user_id)
    SELECT $5::uuid, bot_id, user_id FROM bot_users WHERE bot_id = $6 AND user_id = $7
    ON CONFLICT (id) DO UPDATE SET updated_at = now()
        WHERE dialogs.bot_id = excluded.bot_id AND dialogs.user_id = excluded.user_id
    RETURNING id, reset_version
), key AS (
    INSERT INTO message_keys (dialog_id, message_id, fingerprint, invocation_id)
    SELECT id, $8, $9, $10 FROM dialog
    ON CONFLICT DO NOTHING
    RETURNING dialog_id
), message AS (
    INSERT INTO messages (dialog_id, sender_type, payload, message_id, trace_id)
    SELECT dialog_id, 'user', $11, $8, $12::uuid FROM key
), call AS (
    INSERT INTO plugin_calls (plugin_id, dialog_id, user_id, invocation_id, message_id, trace_id,
        reset_version, request_payload, routing, status, started_at, lease_until, deadline_at)
    SELECT $13::uuid, dialog_id, $7, $10, $8, $12, reset_version, $14, $15, 'in_progress', now(),
        now() + make_interval(secs => $16), now() + make_interval(secs => $17)
    FROM key JOIN dialog ON dialog.id = key.dialog_id
    RETURNING *
), event AS ({_CALL_EVENT})
{EVENT_ROWS}
SELECT EXISTS (SELECT FROM dialog) AS owned, EXISTS (SELECT FROM key) AS stored
"""  # noqa: S608  # constants of our own

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
), event AS ({_CALL_EVENT})
{EVENT_ROWS}
SELECT invocation_id FROM call
"""  # noqa: S608  # constants of our own

END_LEASE = """
UPDATE plugin_calls SET lease_until = now()
WHERE plugin_id = $1 AND invocation_id = $2 AND attempt = $3 AND status = 'in_progress'
"""

# Where nobody can be called there is no call to store: the message and its final answer at once.
UNANSWERED = """
WITH dialog AS (
    INSERT INTO dialogs (id, bot_id, user_id)
    SELECT $1::uuid, bot_id, user_id FROM bot_users WHERE bot_id = $2 AND user_id = $3
    ON CONFLICT (id) DO UPDATE SET updated_at = now()
        WHERE dialogs.bot_id = excluded.bot_id AND dialogs.user_id = excluded.user_id
    RETURNING id
), key AS (
    INSERT INTO message_keys (dialog_id, message_id, fingerprint, invocation_id, response)
    SELECT id, $4, $5, $6, $7 FROM dialog
    ON CONFLICT DO NOTHING
    RETURNING dialog_id
), message AS (
    INSERT INTO messages (dialog_id, sender_type, payload, message_id, trace_id)
    SELECT dialog_id, 'user', $8, $4, $9::uuid FROM key
), audit_row AS (
    INSERT INTO audit_logs (source, action, details, trace_id, severity)
    SELECT 'core', 'message_unanswered',
        jsonb_build_object('dialog_id', dialog_id, 'message_id', $4::text), $9, 'warning' FROM key
)
SELECT EXISTS (SELECT FROM dialog) AS owned, EXISTS (SELECT FROM key) AS stored
"""

READ_KEY = """
SELECT fingerprint, invocation_id, response FROM message_keys
JOIN dialogs ON dialogs.id = message_keys.dialog_id
WHERE dialog_id = $1 AND bot_id = $2 AND message_id = $3
"""

READ_DIALOG = f"""
SELECT id, user_id, status, reset_version, created_at, (
    SELECT jsonb_agg({MESSAGE} || jsonb_build_object('seq', seq) ORDER BY seq)
    FROM (
        SELECT * FROM messages WHERE dialog_id = dialogs.id AND seq < $3 ORDER BY seq DESC LIMIT $4
    ) AS page
) AS messages
FROM dialogs WHERE id = $1 AND bot_id = $2
"""  # noqa: S608  # constants of our own

LARGEST_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored around a message before it is taken in. `history` is a JSON array."""

    user_known: bool
    locale: str | None
    dialog_user_id: UUID | None
    fingerprint: bytes | None
    response: bytes | None
    history: str


@dataclass(frozen=True, slots=True)
class Intake:
    """`owned`: the dialog is this bot's and this user's. `stored`: this request won the key."""

    owned: bool
    stored: bool


async def read_for_message(
    executor: Executor,
    *,
    bot_id: UUID,
    dialog_id: UUID,
    user_id: UUID,
    message_id: str,
    history: int,
) -> Known:
    row = await executor.fetchrow(READ_FOR_MESSAGE, dialog_id, bot_id, user_id, message_id, history)
    return Known(**row)


async def take_in(
    executor: Executor,
    *,
    bot_id: UUID,
    dialog_id: UUID,
    user_id: UUID,
    message_id: str,
    fingerprint: bytes,
    payload: bytes,
    trace_id: UUID,
    plugin_id: UUID,
    invocation_id: UUID,
    request_payload: bytes,
    routing: object,
    lease_seconds: float,
    deadline_seconds: float,
) -> Intake:
    row = await executor.fetchrow(
        INTAKE,
        uuid4(),
        EventType.PLUGIN_INVOCATION_STARTED,
        "info",
        stream_of(EventType.PLUGIN_INVOCATION_STARTED, plugin_id),
        dialog_id,
        bot_id,
        user_id,
        message_id,
        fingerprint,
        invocation_id,
        payload,
        trace_id,
        plugin_id,
        request_payload,
        routing,
        lease_seconds,
        deadline_seconds,
    )
    return Intake(**row)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. The JSON members are bytes, or None."""

    status: str
    event_type: EventType
    error_code: str | None
    response_payload: bytes | None
    latency_ms: int
    reply_payload: bytes | None
    usage: bytes | None
    response: bytes


async def finish(
    executor: Executor,
    *,
    dialog_id: UUID,
    plugin_id: UUID,
    invocation_id: UUID,
    attempt: int,
    outcome: Outcome,
) -> bool:
    """Whether this ended the call; False where another instance already had."""
    row = await executor.fetchrow(
        OUTCOME,
        uuid4(),
        outcome.event_type,
        "info" if outcome.error_code is None else "warning",
        stream_of(outcome.event_type, plugin_id),
        plugin_id,
        outcome.status,
        outcome.error_code,
        outcome.response_payload,
        outcome.latency_ms,
        invocation_id,
        attempt,
        outcome.reply_payload,
        outcome.usage,
        outcome.response,
        dialog_id,
    )
    return row is not None


async def end_lease(
    executor: Executor, *, plugin_id: UUID, invocation_id: UUID, attempt: int
) -> None:
    await executor.execute(END_LEASE, plugin_id, invocation_id, attempt)


async def store_unanswered(
    executor: Executor,
    *,
    bot_id: UUID,
    dialog_id: UUID,
    user_id: UUID,
    message_id: str,
    fingerprint: bytes,
    invocation_id: UUID,
    response: bytes,
    payload: bytes,
    trace_id: UUID,
) -> Intake:
    row = await executor.fetchrow(
        UNANSWERED,
        dialog_id,
        bot_id,
        user_id,
        message_id,
        fingerprint,
        invocation_id,
        response,
        payload,
        trace_id,
    )
    return Intake(**row)


@dataclass(frozen=True, slots=True)
class Key:
    fingerprint: bytes
    invocation_id: UUID
    response: bytes | None


async def read_key(
    executor: Executor, *, bot_id: UUID, dialog_id: UUID, message_id: str
) -> Key | None:
    row = await executor.fetchrow(READ_KEY, dialog_id, bot_id, message_id)
    return None if row is None else Key(**row)


async def read_dialog(
    executor: Executor, *, bot_id: UUID, dialog_id: UUID, before: int | None, limit: int
) -> dict[str, Any] | None:
    """The dialog and up to `limit` messages older than `before`, oldest first, each with `seq`."""
    row = await executor.fetchrow(READ_DIALOG, dialog_id, bot_id, before or LARGEST_SEQ, limit)
    return None if row is None else {**row, "messages": row["messages"] or []}
