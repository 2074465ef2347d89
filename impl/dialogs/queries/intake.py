"""A message on its way in: what is stored around it, and the statement that takes it in."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from generated.events import PLUGIN_INVOCATION_QUEUED, PLUGIN_INVOCATION_STARTED
from generated.runtime.events import Event
from impl.db import Executor
from impl.dialogs.message import Message, MessageKey
from impl.dialogs.queries.parts import LAST_PLUGIN, MESSAGE, QUEUED_TRACE
from impl.events.log import published
from impl.routing.router import DialogState

READ_FOR_MESSAGE = f"""
SELECT member.user_id IS NOT NULL AS user_known, member.locale,
    dialog.bot_id AS owner, dialog.user_id AS dialog_user_id, dialog.reset_version,
    key.fingerprint, key.response, {QUEUED_TRACE} AS queued_trace,
    coalesce(history.messages, '[]')::text AS history, last.plugin AS last_plugin,
    last.seconds AS seconds_since_last
FROM (SELECT 1) AS one
LEFT JOIN bot_users AS member ON member.bot_id = $2 AND member.user_id = $3
LEFT JOIN dialogs AS dialog ON dialog.id = $1 AND dialog.bot_id = $2 AND erased_at IS NULL
LEFT JOIN message_keys AS key ON key.dialog_id = dialog.id AND key.message_id = $4
LEFT JOIN LATERAL (
    SELECT jsonb_agg({MESSAGE} ORDER BY seq) AS messages
    FROM (SELECT * FROM messages WHERE dialog_id = dialog.id ORDER BY seq DESC LIMIT $5) AS newest
) AS history ON true
LEFT JOIN LATERAL ({LAST_PLUGIN}) AS last ON true
"""  # noqa: S608  # constants of our own

# Nothing is stored where as many calls wait as may. They are counted no further, and without a
# lock: of several that come at once each may be the last one.
ROOM = """room AS MATERIALIZED (
    SELECT FROM (
        SELECT count(*) AS waiting FROM (
            SELECT FROM plugin_calls WHERE status = 'queued' LIMIT $14
        ) AS rows
    ) AS queue WHERE waiting < $14
), """

# The trigger of `messages` would change the row a second time; it finds nothing left to do. `now()`
# is when a transaction began, and one that began earlier may come here later. Who sends a message
# for a second time at the same moment moves it, too: by what lies between the two.
TOUCH = """ON CONFLICT (id) DO UPDATE SET updated_at = now(),
        last_message_at = greatest(dialogs.last_message_at, now())
        WHERE dialogs.bot_id = excluded.bot_id AND dialogs.user_id = excluded.user_id
            AND dialogs.erased_at IS NULL"""


# deadline_at tells who runs the call later until when it is worth it.
# Of a user who is being erased the membership's lock is waited for: then there is none.
# The dialog's row decides first: another bot's dialog, another user's, or an erased one returns
# none, and so nothing is written. Then the key decides the race: of several, one writes everything.
def _intake(event: Event, room: str, *, attempt: str, status: str, lease: str, queued: str) -> str:
    return f"""
WITH {room}dialog AS (
    INSERT INTO dialogs (id, bot_id, user_id, last_message_at)
    SELECT $2::uuid, bot_id, user_id, now() FROM bot_users{", room" if room else ""}
    WHERE bot_id = $3 AND user_id = $4
    FOR KEY SHARE OF bot_users
    {TOUCH}
    RETURNING id, bot_id, reset_version
), key AS (
    INSERT INTO message_keys (dialog_id, message_id, fingerprint, invocation_id)
    SELECT id, $5, $6, $7 FROM dialog
    ON CONFLICT DO NOTHING
    RETURNING dialog_id
), message AS (
    INSERT INTO messages (dialog_id, sender_type, payload, message_id, trace_id)
    SELECT dialog_id, 'user', $8, $5, $9::uuid FROM key
), call AS (
    INSERT INTO plugin_calls (plugin_id, dialog_id, user_id, invocation_id, message_id, trace_id,
        reset_version, request_payload, routing, attempt, status, started_at, lease_until,
        queued_at, deadline_at)
    SELECT $10::uuid, dialog_id, $4, $7, $5, $9, reset_version, $11, $12, {attempt}, {status},
        now(), {lease}, {queued}, now() + make_interval(secs => $13)
    FROM key JOIN dialog ON dialog.id = key.dialog_id
    RETURNING *
)
{published(event, "call", event_id="$1")}
SELECT (SELECT bot_id FROM dialog) AS owner, EXISTS (SELECT FROM key) AS stored,
    {"EXISTS (SELECT FROM room)" if room else "true"} AS room,
    (SELECT reset_version FROM dialog) AS reset_version
"""  # noqa: S608  # constants of our own


INTAKE = _intake(
    PLUGIN_INVOCATION_STARTED,
    "",
    attempt="1",
    status="'in_progress'",
    lease="now() + make_interval(secs => $14)",
    queued="NULL",
)
INTAKE_FOR_LATER = _intake(
    PLUGIN_INVOCATION_QUEUED,
    ROOM,
    attempt="0",
    status="'queued'",
    lease="NULL",
    queued="now()",
)

# Where nobody can be called there is no call to store: the message and its final answer at once.
UNANSWERED = f"""
WITH dialog AS (
    INSERT INTO dialogs (id, bot_id, user_id, last_message_at)
    SELECT $1::uuid, bot_id, user_id, now() FROM bot_users WHERE bot_id = $2 AND user_id = $3
    FOR KEY SHARE
    {TOUCH}
    RETURNING id, bot_id, reset_version
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
        jsonb_build_object('dialog_id', dialog_id, 'message_id', $4::text, 'routing', $10::jsonb),
        $9, 'warning' FROM key
)
SELECT (SELECT bot_id FROM dialog) AS owner, EXISTS (SELECT FROM key) AS stored,
    true AS room, (SELECT reset_version FROM dialog) AS reset_version
"""  # noqa: S608  # constants of our own

READ_KEY = f"""
SELECT bot_id AS owner, fingerprint, invocation_id, response, {QUEUED_TRACE} AS queued_trace
FROM message_keys AS key JOIN dialogs ON dialogs.id = key.dialog_id
WHERE key.dialog_id = $1 AND bot_id = $2 AND message_id = $3 AND erased_at IS NULL
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored around a message before it is taken in. `history` is a JSON array.

    `queued_trace`: where it was taken in and its answer comes later, the trace of its call.
    """

    user_known: bool
    locale: str | None
    owner: UUID | None
    dialog_user_id: UUID | None
    reset_version: int | None
    fingerprint: bytes | None
    response: bytes | None
    queued_trace: UUID | None
    history: str
    last_plugin: str | None
    seconds_since_last: float | None

    @property
    def dialog(self) -> DialogState:
        return DialogState(self.history == "[]", self.last_plugin, self.seconds_since_last)


@dataclass(frozen=True, slots=True)
class Call:
    """What is stored of the call to the plugin that was chosen. `request` is without history."""

    plugin_id: UUID
    invocation_id: UUID
    request: dict[str, Any]
    routing: object
    lease_seconds: float
    worth_seconds: float  # from now, however often it is made


@dataclass(frozen=True, slots=True)
class Intake:
    """`owner`: the dialog's bot; None where it is not this bot's, or not this user's.

    `stored`: this request won the key. `room`: the queue was not full, where it was for the queue.
    `reset_version`: the dialog's, as the message found it.
    """

    owner: UUID | None
    stored: bool
    room: bool
    reset_version: int | None


@dataclass(frozen=True, slots=True)
class StoredKey:
    owner: UUID
    fingerprint: bytes
    invocation_id: UUID | None  # of the call that came with it, where it was asked for
    response: bytes | None
    queued_trace: UUID | None


async def read_for_message(executor: Executor, message: Message, history: int) -> Known:
    row = await executor.fetchrow(
        READ_FOR_MESSAGE,
        message.dialog_id,
        message.bot_id,
        message.user_id,
        message.message_id,
        history,
    )
    return Known(**row)


async def take_in(executor: Executor, message: Message, call: Call) -> Intake:
    """The call is made at once, by whoever took it in."""
    values = _values(PLUGIN_INVOCATION_STARTED, message, call)
    return Intake(**await executor.fetchrow(INTAKE, *values, call.lease_seconds))


async def take_in_for_later(
    executor: Executor, message: Message, call: Call, queue_limit: int
) -> Intake:
    """The call waits for a worker."""
    values = _values(PLUGIN_INVOCATION_QUEUED, message, call)
    return Intake(**await executor.fetchrow(INTAKE_FOR_LATER, *values, queue_limit))


def _values(event: Event, message: Message, call: Call) -> tuple[object, ...]:
    return (
        event.new_id(),
        message.dialog_id,
        message.bot_id,
        message.user_id,
        message.message_id,
        message.fingerprint,
        call.invocation_id,
        message.content,
        message.trace_id,
        call.plugin_id,
        call.request,
        call.routing,
        call.worth_seconds,
    )


async def store_unanswered(
    executor: Executor, message: Message, invocation_id: UUID, response: bytes, routing: object
) -> Intake:
    row = await executor.fetchrow(
        UNANSWERED,
        message.dialog_id,
        message.bot_id,
        message.user_id,
        message.message_id,
        message.fingerprint,
        invocation_id,
        response,
        message.content,
        message.trace_id,
        routing,
    )
    return Intake(**row)


async def read_key(executor: Executor, key: MessageKey) -> StoredKey | None:
    row = await executor.fetchrow(READ_KEY, key.dialog_id, key.bot_id, key.message_id)
    return None if row is None else StoredKey(**row)
