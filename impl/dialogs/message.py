"""A user's message, and the key under which it is answered once."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from generated import models
from generated.runtime.edge import Idempotency, render


@dataclass(frozen=True, slots=True)
class MessageKey:
    """The idempotency key: a message's id within one dialog of one bot."""

    bot_id: UUID
    dialog_id: UUID
    message_id: str


@dataclass(frozen=True, slots=True)
class Message:
    """A user's message as a bot sent it, checked against the contract."""

    bot_id: UUID
    dialog_id: UUID
    user_id: UUID
    message_id: str
    trace_id: UUID
    payload: models.MessagePayloadV1
    content: bytes
    metadata: dict[str, Any]
    fingerprint: bytes

    @property
    def key(self) -> MessageKey:
        return MessageKey(self.bot_id, self.dialog_id, self.message_id)


def message_of(
    bot_id: UUID,
    dialog_id: UUID,
    trace_id: str,
    body: models.DialogMessageCreateV1,
    idempotency: Idempotency,
) -> Message:
    return Message(
        bot_id=bot_id,
        dialog_id=dialog_id,
        user_id=body.user_id,
        message_id=idempotency.key,
        trace_id=UUID(trace_id),
        payload=body.payload,
        content=render(body.payload).content,
        metadata=body.metadata,
        fingerprint=idempotency.fingerprint,
    )
