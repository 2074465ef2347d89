"""A user's message, and the key under which it is answered once."""

import hashlib
from dataclasses import dataclass
from uuid import UUID, uuid4

import orjson

from generated import models
from generated.runtime.edge import render


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
    metadata: object
    fingerprint: bytes

    @property
    def key(self) -> MessageKey:
        return MessageKey(self.bot_id, self.dialog_id, self.message_id)


def fingerprint(user_id: UUID, payload: models.MessagePayloadV1, metadata: object) -> bytes:
    """Of the canonical form: members in the model's order or sorted, defaults left out.

    Without the defaults a field that a later version adds does not change what is stored today.
    """
    digest = hashlib.blake2b(user_id.bytes, digest_size=32)
    digest.update(payload.__pydantic_serializer__.to_json(payload, exclude_defaults=True))
    digest.update(orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS))
    return digest.digest()


def message_of(
    bot_id: UUID, dialog_id: UUID, trace_id: str, body: models.DialogMessageCreateV1
) -> Message:
    return Message(
        bot_id=bot_id,
        dialog_id=dialog_id,
        user_id=body.user_id,
        message_id=body.message_id or str(uuid4()),
        trace_id=UUID(trace_id),
        payload=body.payload,
        content=render(body.payload).content,
        metadata=body.metadata,
        fingerprint=fingerprint(body.user_id, body.payload, body.metadata),
    )
