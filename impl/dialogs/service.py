"""What becomes of a message: replayed, refused, answered, or stored without an answer."""

import asyncio
import hmac
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

import orjson

from generated import models
from impl.db import Pool, repeated_if_lost
from impl.dialogs.call import StoredCall, invocation_request, with_history
from impl.dialogs.delivery import Delivery, Later, Patience
from impl.dialogs.message import Message
from impl.dialogs.outcomes import TIMEOUT, failed_response
from impl.dialogs.queries.intake import (
    Call,
    Intake,
    Known,
    StoredKey,
    read_for_message,
    read_key,
    store_unanswered,
    take_in,
    take_in_for_later,
)
from impl.plugins.caller import Failed
from impl.plugins.slots import Slot
from impl.routing.decision import Decision, Nobody
from impl.routing.router import Routable, Router
from impl.settings import Settings


@dataclass(frozen=True, slots=True)
class Final:
    """The body to send, whose dialog it is of, and whether it was stored before this request."""

    response: bytes
    owner: UUID
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Queued:
    """The answer comes later. `trace_id` is of the message's call."""

    trace_id: UUID
    owner: UUID
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """How long the bot waits for the answer; `later`: not at all."""

    seconds: float
    later: bool = False


# What the core may take beside the plugin's deadline: bots give up at 10 s, the deadline is 8.
STORING_SECONDS = 1.5

Refusal = Literal[
    "user_not_found",
    "dialog_not_found",
    "dialog_of_another_user",
    "in_flight",
    "reused",
    "queue_full",
]
Done = Final | Queued | Refusal


@dataclass(frozen=True, slots=True)
class MessageService:
    """Three statements for an answered message; no connection is held while the plugin works."""

    pool: Pool
    router: Router
    delivery: Delivery
    settings: Settings

    async def add(self, message: Message, wishes: Wishes) -> Done:
        """Raises TimeoutError where storing takes so long that no bot would wait for the end."""
        until = asyncio.get_running_loop().time() + wishes.seconds
        async with asyncio.timeout(wishes.seconds + STORING_SECONDS):
            return await self._add(message, wishes, until)

    async def _add(self, message: Message, wishes: Wishes, until: float) -> Done:
        known = await repeated_if_lost(
            lambda: read_for_message(self.pool, message, self.settings.history_in_context)
        )
        if not known.user_known:
            return "user_not_found"
        if known.dialog_user_id not in (None, message.user_id):
            return "dialog_of_another_user"
        if known.owner is not None and known.fingerprint is not None:
            stored = StoredKey(
                owner=known.owner,
                fingerprint=known.fingerprint,
                invocation_id=None,
                response=known.response,
                queued_trace=known.queued_trace,
            )
            return _repeated(message, stored)
        decision = await self._route(message, known)
        if isinstance(decision, Nobody):
            return await self._store_unanswered(message, decision)
        slot = None if wishes.later else self.delivery.slots.reserve(decision.plugin.plugin_id)
        if slot is None:
            return await self._put_off(message, known, decision, wishes)
        with slot:
            return await self._answer(message, known, decision, slot, until)

    async def _route(self, message: Message, known: Known) -> Decision | Nobody:
        routable = Routable(message.payload, message.metadata, known.locale, known.dialog)
        decision = await self.router.route(routable)
        self.delivery.note_routed(decision.reasons)
        return decision

    async def _put_off(
        self, message: Message, known: Known, decision: Decision, wishes: Wishes
    ) -> Done:
        call = self._call(message, known, decision, self.settings.call_deadline_seconds)
        limit = self.settings.queue_limit
        intake = await repeated_if_lost(lambda: take_in_for_later(self.pool, message, call, limit))
        if not intake.room:
            return "queue_full"
        owner = await self._settle(message, intake, call.invocation_id)
        if not isinstance(owner, UUID):
            return owner
        self.delivery.note_queued("asked" if wishes.later else "plugin_busy")
        return Queued(message.trace_id, owner)

    async def _answer(  # what a call is made of
        self, message: Message, known: Known, decision: Decision, slot: Slot, until: float
    ) -> Done:
        seconds = max(0.0, until - asyncio.get_running_loop().time())
        call = self._call(message, known, decision, seconds)
        # A commit whose fate is unknown is repeated; the key then tells that it was ours.
        intake = await repeated_if_lost(lambda: take_in(self.pool, message, call))
        owner = await self._settle(message, intake, call.invocation_id)
        if not isinstance(owner, UUID):
            return owner
        # What was read before a reset is not told to a plugin after it.
        same = intake.reset_version == (known.reset_version or 0)
        history = orjson.Fragment(known.history) if same else []
        stored = StoredCall(
            key=message.key,
            plugin_id=decision.plugin.plugin_id,
            base_url=decision.plugin.base_url,
            invocation_id=call.invocation_id,
            trace_id=message.trace_id,
            attempt=1,
            request=with_history(call.request, history),
        )
        response = await self.delivery.deliver(stored, slot, until, IN_THE_REQUEST)
        if response == "queued":
            return Queued(message.trace_id, owner)
        return "in_flight" if isinstance(response, str) else Final(response, owner)

    async def _store_unanswered(self, message: Message, nobody: Nobody) -> Done:
        error = models.PluginErrorV1(
            code="no_plugin_available", message="No plugin can be called now.", retryable=True
        )
        invocation_id = uuid4()
        response = failed_response(message.dialog_id, message.trace_id, error)
        intake = await repeated_if_lost(
            lambda: store_unanswered(self.pool, message, invocation_id, response, nobody.reasons)
        )
        owner = await self._settle(message, intake, invocation_id)
        return Final(response, owner) if isinstance(owner, UUID) else owner

    async def _settle(self, message: Message, intake: Intake, invocation_id: UUID) -> UUID | Done:
        """The owner where this request won the key, be it by a commit that was repeated."""
        if intake.owner is None:
            return "dialog_not_found"
        if intake.stored:
            return intake.owner
        key = await repeated_if_lost(lambda: read_key(self.pool, message.key))
        if key is None:
            return "in_flight"
        if key.invocation_id == invocation_id:
            return key.owner
        return _repeated(message, key)

    def _call(self, message: Message, known: Known, decision: Decision, seconds: float) -> Call:
        invocation_id = uuid4()
        return Call(
            plugin_id=decision.plugin.plugin_id,
            invocation_id=invocation_id,
            request=invocation_request(
                message,
                invocation_id=invocation_id,
                intent=decision.intent,
                locale=known.locale,
                seconds=seconds,
            ),
            routing=decision.reasons,
            lease_seconds=self.settings.call_lease_seconds,
            worth_seconds=self.settings.queue_seconds,
        )


def _repeated(message: Message, stored: StoredKey) -> Final | Queued | Refusal:
    if not hmac.compare_digest(stored.fingerprint, message.fingerprint):
        return "reused"
    if stored.response is not None:
        return Final(stored.response, stored.owner, replayed=True)
    if stored.queued_trace is not None:
        return Queued(stored.queued_trace, stored.owner, replayed=True)
    return "in_flight"


def _judge(_call: StoredCall, failed: Failed) -> Later | None:
    """The bot waits no longer, but the plugin may still answer."""
    return Later(0.0, "deadline") if failed.again and failed.code == TIMEOUT else None


IN_THE_REQUEST = Patience(_judge)
