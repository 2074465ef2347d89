"""What becomes of a message: replayed, refused, answered, or stored without an answer."""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

import orjson

from generated import models
from generated.runtime.edge import render
from impl.db import Pool, repeated_if_lost
from impl.dialogs.delivery import Delivery, StoredCall, failed_response, invocation_request
from impl.dialogs.queries import (
    Intake,
    Known,
    read_for_message,
    read_key,
    store_unanswered,
    take_in,
)
from impl.plugins.catalogue import Catalogue
from impl.routing.table import Decision
from impl.settings import Settings


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


@dataclass(frozen=True, slots=True)
class Final:
    """The body to send, and whether it was stored before this request."""

    response: bytes
    replayed: bool = False


# What the core may take beside the plugin's deadline: bots give up at 10 s, the deadline is 8.
STORING_SECONDS = 1.5

Refusal = Literal[
    "user_not_found", "dialog_not_found", "dialog_of_another_user", "in_flight", "reused"
]


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


@dataclass(frozen=True, slots=True)
class MessageService:
    """Three statements for an answered message; no connection is held while the plugin works."""

    pool: Pool
    catalogue: Catalogue
    delivery: Delivery
    settings: Settings

    async def add(self, message: Message) -> Final | Refusal:
        """Raises TimeoutError where storing takes so long that no bot would wait for the end."""
        async with asyncio.timeout(self.settings.call_deadline_seconds + STORING_SECONDS):
            return await self._add(message)

    async def _add(self, message: Message) -> Final | Refusal:
        known = await repeated_if_lost(
            lambda: read_for_message(
                self.pool,
                bot_id=message.bot_id,
                dialog_id=message.dialog_id,
                user_id=message.user_id,
                message_id=message.message_id,
                history=self.settings.history_in_context,
            )
        )
        if not known.user_known:
            return "user_not_found"
        if known.dialog_user_id not in (None, message.user_id):
            return "dialog_of_another_user"
        if known.fingerprint is not None:
            return _repeated(message, known.fingerprint, known.response)
        table = await self.catalogue.table()
        decision = table.route(message.payload)
        if decision is None:
            return await self._store_unanswered(message)
        return await self._answer(message, known, decision)

    async def _answer(self, message: Message, known: Known, decision: Decision) -> Final | Refusal:
        invocation_id = uuid4()
        intake = await self._take_in(message, known, decision, invocation_id)
        settled = await self._settle(message, intake, invocation_id)
        if settled is not None:
            return settled
        call = StoredCall(
            bot_id=message.bot_id,
            dialog_id=message.dialog_id,
            message_id=message.message_id,
            plugin_id=decision.plugin.plugin_id,
            base_url=decision.plugin.base_url,
            invocation_id=invocation_id,
            trace_id=message.trace_id,
            attempt=1,
            request=self._request(message, known, decision, invocation_id, with_history=True),
        )
        deadline = self.settings.call_deadline_seconds
        response = await self.delivery.deliver(call, deadline)
        return "in_flight" if response is None else Final(response)

    async def _take_in(
        self, message: Message, known: Known, decision: Decision, invocation_id: UUID
    ) -> Intake:
        request = self._request(message, known, decision, invocation_id, with_history=False)
        # A commit whose fate is unknown is repeated; the key then tells that it was ours.
        return await repeated_if_lost(
            lambda: take_in(
                self.pool,
                bot_id=message.bot_id,
                dialog_id=message.dialog_id,
                user_id=message.user_id,
                message_id=message.message_id,
                fingerprint=message.fingerprint,
                payload=message.content,
                trace_id=message.trace_id,
                plugin_id=decision.plugin.plugin_id,
                invocation_id=invocation_id,
                request_payload=request,
                routing=decision.reasons,
                lease_seconds=self.settings.call_lease_seconds,
                deadline_seconds=self.settings.call_deadline_seconds,
            )
        )

    async def _settle(
        self, message: Message, intake: Intake, invocation_id: UUID
    ) -> Final | Refusal | None:
        """None where this request won the key, be it by a commit that was repeated."""
        if not intake.owned:
            return "dialog_not_found"
        if intake.stored:
            return None
        key = await repeated_if_lost(
            lambda: read_key(
                self.pool,
                bot_id=message.bot_id,
                dialog_id=message.dialog_id,
                message_id=message.message_id,
            )
        )
        if key is None:
            return "in_flight"
        if key.invocation_id == invocation_id:
            return None
        return _repeated(message, key.fingerprint, key.response)

    async def _store_unanswered(self, message: Message) -> Final | Refusal:
        error = models.PluginErrorV1(
            code="no_plugin_available", message="No plugin can be called now.", retryable=True
        )
        invocation_id = uuid4()
        response = failed_response(message.dialog_id, message.trace_id, error)
        intake = await repeated_if_lost(
            lambda: store_unanswered(
                self.pool,
                bot_id=message.bot_id,
                dialog_id=message.dialog_id,
                user_id=message.user_id,
                message_id=message.message_id,
                fingerprint=message.fingerprint,
                invocation_id=invocation_id,
                response=response,
                payload=message.content,
                trace_id=message.trace_id,
            )
        )
        return await self._settle(message, intake, invocation_id) or Final(response)

    def _request(
        self,
        message: Message,
        known: Known,
        decision: Decision,
        invocation_id: UUID,
        *,
        with_history: bool,
    ) -> bytes:
        return invocation_request(
            invocation_id=invocation_id,
            dialog_id=message.dialog_id,
            user_id=message.user_id,
            trace_id=message.trace_id,
            intent=decision.intent,
            payload=message.content,
            metadata=message.metadata,
            locale=known.locale,
            history=known.history if with_history else None,
            deadline_ms=int(self.settings.call_deadline_seconds * 1000),
        )


def _repeated(
    message: Message, stored_fingerprint: bytes, response: bytes | None
) -> Final | Refusal:
    if not hmac.compare_digest(stored_fingerprint, message.fingerprint):
        return "reused"
    return "in_flight" if response is None else Final(response, replayed=True)
