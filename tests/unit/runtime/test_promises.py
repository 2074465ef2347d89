"""What the contract's own extensions make the edge do."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from generated import models
from generated.core.plugins import SendPluginHeartbeat200
from generated.runtime import emits
from generated.runtime.idempotency import idempotency
from generated.runtime.limits import Standing, Verdict
from tests.unit.runtime.service import (
    DIALOG,
    GOOD,
    PLUGIN,
    USER,
    Service,
    message,
    stored,
)

FULL = Verdict([Standing("bot", 10, 60, 0, 60), Standing("user", 5, 1, 0, 1)], retry_after=7)


class TestRateLimit:
    async def test_a_request_is_charged_once_to_all_that_it_names(self, service: Service) -> None:
        answer = await service.add_message()
        ((bot, user),) = service.limiter.charges
        assert (bot.limit.partition, bot.subject_id) == ("bot", DIALOG)
        assert (user.limit.partition, user.subject_id) == ("user", USER)
        assert answer.headers["ratelimit-policy"] == '"bot";q=10;w=60'
        assert answer.headers["ratelimit"] == '"bot";r=9;t=6'

    async def test_over_the_quota_nothing_is_done(self, service: Service) -> None:
        service.limiter.verdict = FULL
        answer = await service.add_message()
        assert (answer.status, answer.code) == (429, "rate_limited")
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["ratelimit"] == '"bot";r=0;t=60, "user";r=0;t=1'
        assert service.handlers.seen == ()

    @pytest.mark.parametrize("body", [b"{", b"{}", b"[1]", b"\xff", message(bogus=1)])
    async def test_refused_values_are_charged_to_the_token(
        self, service: Service, body: bytes
    ) -> None:
        answer = await service.add_message(body)
        assert answer.status in {400, 422}
        assert [len(charges) for charges in service.limiter.charges] == [1]
        assert "ratelimit" in answer.headers
        service.limiter.verdict = FULL
        assert (await service.add_message(body)).code == "rate_limited"

    async def test_a_missing_scope_is_charged(self, service: Service) -> None:
        service.authenticator.scopes = frozenset()
        assert (await service.add_message()).status == 403
        assert len(service.limiter.charges) == 1

    async def test_who_is_not_known_is_not_charged(self, service: Service) -> None:
        answer = await service.add_message(None, ("x-bot-token", "bad"))
        assert (answer.status, service.limiter.charges) == (401, [])
        assert "ratelimit" not in answer.headers

    async def test_a_failing_handler_is_charged_once(self, service: Service) -> None:
        service.handlers.outcome = RuntimeError()
        answer = await service.add_message()
        assert (answer.status, len(service.limiter.charges)) == (500, 1)
        assert "ratelimit" in answer.headers


class TestOwner:
    async def test_an_object_of_another_is_never_sent(self, service: Service) -> None:
        service.handlers.outcome = replace(stored(), owner=PLUGIN)
        answer = await service.add_message()
        assert (answer.status, answer.code) == (500, "internal_error")
        assert b"plugin_responses" not in answer.content
        assert "location" not in answer.headers

    async def test_a_path_names_the_caller_itself(self, service: Service) -> None:
        service.handlers.outcome = SendPluginHeartbeat200(
            body=models.HeartbeatAckV1(status="active")
        )
        assert (await self._heartbeat(service, PLUGIN)).status == 200
        service.handlers.seen = ()
        answer = await self._heartbeat(service, USER)
        assert (answer.status, answer.code) == (404, "plugin_not_found")
        assert service.handlers.seen == ()

    @staticmethod
    async def _heartbeat(service: Service, plugin: UUID) -> Any:
        body = f'{{"plugin_id": "{plugin}", "status": "active"}}'.encode()
        headers = [("authorization", f"Bearer {GOOD}"), ("content-type", "application/json")]
        path = f"/api/v1/plugins/{plugin}/heartbeat"
        return await service.call("POST", path, headers=headers, body=body)


class TestIdempotency:
    async def test_the_key_is_the_bodys_or_a_new_one(self, service: Service) -> None:
        await service.add_message(message(message_id="m1"))
        assert service.handlers.seen[-1].key == "m1"
        await service.add_message(message(message_id=None))
        one = service.handlers.seen[-1].key
        await service.add_message()
        assert UUID(one) != UUID(service.handlers.seen[-1].key)

    async def _of(self, service: Service, **changes: Any) -> bytes:
        await service.add_message(message(**changes))
        found: bytes = service.handlers.seen[-1].fingerprint
        return found

    async def test_the_same_content_is_the_same_request(self, service: Service) -> None:
        plain = await self._of(service)
        trace = "00000000-0000-4000-8000-000000000001"
        assert plain == await self._of(service, trace_id=trace, message_id="other")
        assert plain == await self._of(service, metadata={}, dialog_id=str(DIALOG))
        order = {"language": "en", "source": "telegram"}
        reverse = dict(reversed(order.items()))
        assert await self._of(service, metadata=order) == await self._of(service, metadata=reverse)

    @pytest.mark.parametrize(
        "changes",
        [
            {"user_id": str(PLUGIN)},
            {"payload": {"type": "text", "text": "Hello?"}},
            {"payload": {"type": "command", "text": "Hello!"}},
            {"metadata": {"source": "web"}},
        ],
    )
    async def test_other_content_is_another(
        self, service: Service, changes: dict[str, Any]
    ) -> None:
        assert await self._of(service) != await self._of(service, **changes)

    def test_a_fingerprint_never_changes_its_meaning(self) -> None:
        """Stored ones are compared with those that a later version makes."""
        body = models.DialogMessageCreateV1.model_validate_json(message(metadata={"source": "x"}))
        found = idempotency(body, "message_id", {"user_id", "payload", "metadata"})
        assert found.fingerprint.hex() == (
            "2c4a21d28f50d6e7e63a88707dc4d0fd2f2efc5b9765742c95c3d64c9cf018c7"
        )


class TestEmits:
    async def test_an_operation_publishes_what_it_declares(self, service: Service) -> None:
        service.handlers.publishes = "plugin_invocation_started"
        assert (await service.add_message()).status == 200

    async def test_anything_else_is_our_mistake(self, service: Service) -> None:
        service.handlers.publishes = "user_created"
        answer = await service.add_message()
        assert (answer.status, answer.code) == (500, "internal_error")
        ((_, error),) = service.observer.failures
        assert isinstance(error, emits.UndeclaredEventError)

    def test_outside_of_an_operation_all_is_published(self) -> None:
        emits.require("user_created")
