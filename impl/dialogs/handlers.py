from typing import Any, Literal
from uuid import UUID

from generated import models
from generated.core.dialogs import (
    AddDialogMessage200,
    AddDialogMessage202,
    AddDialogMessage404,
    AddDialogMessage409,
    AddDialogMessage422,
    AddDialogMessage503,
    AddDialogMessageResult,
    GetDialog200,
    GetDialog404,
    GetDialogMessage200,
    GetDialogMessage404,
    GetDialogMessageResult,
    GetDialogResult,
    ResetDialog200,
    ResetDialog404,
    ResetDialog422,
    ResetDialogResult,
)
from generated.core.security import BotToken
from generated.events import DIALOG_RESET
from generated.runtime import trace
from generated.runtime.edge import Idempotency, Rendered
from generated.runtime.problems import InvalidValue
from impl.cursor import Cursors, ListCursors
from impl.db import Pool
from impl.dialogs.message import Message, MessageKey, message_of
from impl.dialogs.queries.reading import read_dialog, read_message
from impl.dialogs.queries.reset import Reset
from impl.dialogs.reset import reset_dialog
from impl.dialogs.service import Final, MessageService, Queued, Refusal, Wishes

RETRY_AFTER_SECONDS = 1
RESPOND_ASYNC: Literal["respond-async"] = "respond-async"


class DialogHandlers:
    """The operations of the tag `dialogs`."""

    def __init__(
        self, pool: Pool, service: MessageService, cursors: Cursors, deadline_seconds: float
    ) -> None:
        self._deadline_seconds = deadline_seconds
        self._pool = pool
        self._service = service
        self._cursors = cursors

    async def add_dialog_message(  # noqa: PLR0917  # the generated Protocol's
        self,
        bot_token: BotToken,
        path: models.AddDialogMessagePath,
        header: models.AddDialogMessageHeader,
        prefer: frozenset[str],
        body: models.DialogMessageCreateV1,
        idempotency: Idempotency,
    ) -> AddDialogMessageResult:
        if body.dialog_id not in (None, path.dialog_id):
            return AddDialogMessage422(
                code="validation_failed", errors=(_mismatch("/dialog_id", "the path's"),)
            )
        message = message_of(bot_token.bot_id, path.dialog_id, trace.require(), body, idempotency)
        later = RESPOND_ASYNC in prefer
        wishes = Wishes(self._seconds(header.X_Deadline_Ms), later=later)
        done = await self._service.add(message, wishes)
        if isinstance(done, str):
            return _refused(done)
        if isinstance(done, Queued):
            return _queued(message, done, asked=later)
        return _answered(message, done)

    def _seconds(self, asked_ms: int | None) -> float:
        """The bot's own deadline; never one beyond that of the deployment."""
        longest = self._deadline_seconds
        return longest if asked_ms is None else min(asked_ms / 1000, longest)

    async def get_dialog_message(
        self, bot_token: BotToken, path: models.GetDialogMessagePath
    ) -> GetDialogMessageResult:
        key = MessageKey(bot_token.bot_id, path.dialog_id, path.message_id)
        found = await read_message(self._pool, key)
        if found is None:
            return GetDialogMessage404(code="message_not_found")
        if found.response is not None:
            return GetDialogMessage200(body=Rendered(found.response), owner=found.owner)
        trace_id = found.trace_id or UUID(trace.require())
        queued = _answer(path.dialog_id, trace_id, "queued")
        return GetDialogMessage200(body=queued, owner=found.owner)

    async def reset_dialog(
        self,
        bot_token: BotToken,
        path: models.ResetDialogPath,
        body: models.DialogResetRequestV1,
    ) -> ResetDialogResult:
        if body.dialog_id not in (None, path.dialog_id):
            return _reset_refused(_mismatch("/dialog_id", "the path's"))
        event_id, trace_id = DIALOG_RESET.new_id(), trace.require()
        reset = Reset(
            event_id, bot_token.bot_id, path.dialog_id, body.user_id, body.reason, trace_id
        )
        done = await reset_dialog(self._pool, reset)
        if done == "dialog_of_another_user":
            return _reset_refused(_mismatch("/user_id", "the dialog's user"))
        if isinstance(done, str):
            return ResetDialog404(code=done)
        answer = _answer(path.dialog_id, UUID(trace_id), "accepted")
        return ResetDialog200(body=answer, owner=done)

    async def get_dialog(
        self, bot_token: BotToken, path: models.GetDialogPath, query: models.GetDialogQuery
    ) -> GetDialogResult:
        cursors = self._cursors.of("dialog", bot_token.bot_id, path.dialog_id)
        before = None if query.cursor is None else cursors.read(query.cursor)[0]
        # One more than asked for tells whether there is an older page.
        row = await read_dialog(
            self._pool,
            bot_id=bot_token.bot_id,
            dialog_id=path.dialog_id,
            before=before,
            limit=query.limit + 1,
        )
        if row is None:
            return GetDialog404(code="dialog_not_found")
        return GetDialog200(body=_snapshot(row, query.limit, cursors), owner=row["owner"])


def _answered(message: Message, done: Final) -> AddDialogMessage200:
    return AddDialogMessage200(
        body=Rendered(done.response),
        owner=done.owner,
        location=_location(message),
        idempotency_replayed="true" if done.replayed else None,
    )


def _queued(message: Message, done: Queued, *, asked: bool) -> AddDialogMessage202:
    return AddDialogMessage202(
        body=_answer(message.dialog_id, done.trace_id, "queued"),
        owner=done.owner,
        location=_location(message),
        idempotency_replayed="true" if done.replayed else None,
        preference_applied=RESPOND_ASYNC if asked else None,
    )


def _location(message: Message) -> str:
    return f"/api/v1/dialogs/{message.dialog_id}/messages/{message.message_id}"


def _refused(
    refusal: Refusal,
) -> AddDialogMessage404 | AddDialogMessage409 | AddDialogMessage422 | AddDialogMessage503:
    if refusal == "queue_full":
        return AddDialogMessage503(code=refusal, retry_after=RETRY_AFTER_SECONDS)
    if refusal == "in_flight":
        return AddDialogMessage409(code="message_in_flight", retry_after=RETRY_AFTER_SECONDS)
    if refusal == "reused":
        return AddDialogMessage422(code="message_id_reused")
    if refusal == "dialog_of_another_user":
        fault = _mismatch("/user_id", "the dialog's user")
        return AddDialogMessage422(code="validation_failed", errors=(fault,))
    return AddDialogMessage404(code=refusal)


def _reset_refused(fault: InvalidValue) -> ResetDialog422:
    return ResetDialog422(code="validation_failed", errors=(fault,))


def _answer(
    dialog_id: UUID, trace_id: UUID, status: Literal["accepted", "queued"]
) -> models.DialogMessageResponseV1:
    """An answer in which no plugin has spoken."""
    return models.DialogMessageResponseV1(
        dialog_id=dialog_id,
        trace_id=trace_id,
        plugin_responses=[],
        usage=None,
        status=status,
        error=None,
    )


def _mismatch(pointer: str, other: str) -> InvalidValue:
    return InvalidValue("body", pointer, "mismatch", f"Must equal {other}")


def _snapshot(
    row: dict[str, Any], limit: int, cursors: ListCursors
) -> models.DialogSnapshotResponseV1:
    page = row["messages"][-limit:]
    older = len(row["messages"]) > limit
    return models.DialogSnapshotResponseV1.model_validate(
        {
            "dialog": {name: row[name] for name in models.DialogSummaryV1.model_fields},
            "messages": [
                {name: value for name, value in message.items() if name != "seq"}
                for message in page
            ],
            "next_cursor": cursors.write(page[0]["seq"]) if older else None,
        }
    )
