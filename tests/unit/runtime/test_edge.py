"""What the edge answers by itself, before a handler and after one."""

from typing import Any, cast

import pytest

from generated import models
from generated.core import dialogs
from generated.core.dialogs import (
    AddDialogMessage200,
    AddDialogMessage404,
    AddDialogMessage409,
    AddDialogMessage422,
    GetDialog404,
)
from generated.errors import (
    DialogNotFound,
    MessageInFlight,
    Overloaded,
    PluginConflict,
    PluginNotFound,
    ValidationFailed,
)
from generated.runtime.edge import ClientDisconnectedError, Rendered
from tests.unit.runtime.service import (
    DIALOG,
    GOOD,
    MESSAGES,
    DatabaseAwayError,
    Service,
    healthy,
    message,
)


async def test_a_result_is_sent_as_it_is_declared(service: Service) -> None:
    answer = await service.add_message()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["location"] == f"{MESSAGES}/m1"
    assert "idempotency-replayed" not in answer.headers
    assert answer.json["status"] == "accepted"
    assert service.observer.answers == [("addDialogMessage", 200, None)]


async def test_the_handler_gets_what_was_proved_and_read(service: Service) -> None:
    await service.add_message(message(message_id="m1"))
    principal, path, header, prefer, body, idempotency = service.handlers.seen
    assert (header.X_Deadline_Ms, prefer) == (None, frozenset())
    assert idempotency.key == "m1"
    assert principal.bot_id == DIALOG
    assert path.dialog_id == DIALOG
    assert (body.message_id, body.payload.text, body.metadata) == ("m1", "Hello!", {})


async def test_stored_bytes_are_sent_unchanged(service: Service) -> None:
    content = b'{"stored":  "with its own spaces"}'
    service.handlers.outcome = AddDialogMessage200(
        body=Rendered(content), owner=DIALOG, location=MESSAGES, idempotency_replayed="true"
    )
    answer = await service.add_message()
    assert answer.content == content
    assert answer.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("accept", "good"),
    [
        (None, True),
        ("", True),
        ("*/*", True),
        ("application/json", True),
        ("APPLICATION/JSON", True),
        ("application/*", True),
        ("text/html, application/json;q=0.1", True),
        ("text/html, */*;q=0.001", True),
        ("application/json; q=0", False),
        ("application/json;q=0, */*;q=1", False),
        ("application/json;q=0.5, application/*;q=0", True),
        ("application/*;q=0, */*", False),
        ("*/*;q=0", False),
        ("*/*;q=none", False),
        ("*/*;q=nan", False),
        ("text/html", False),
        ("text/*, image/png", False),
        ("application/problem+json", False),
        ("json", False),
    ],
)
async def test_accept_is_negotiated(service: Service, accept: str | None, good: bool) -> None:
    answer = await service.add_message(None, *([("accept", accept)] if accept is not None else []))
    assert (answer.status == 200) is good
    assert good or answer.code == "not_acceptable"


async def test_accept_may_come_in_several_lines(service: Service) -> None:
    answer = await service.add_message(
        None, ("accept", "application/json"), ("accept", "text/html")
    )
    assert answer.status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW"])
async def test_another_method_is_405_with_allow(service: Service, method: str) -> None:
    answer = await service.call(method, MESSAGES, headers=[("x-bot-token", GOOD)])
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/", "/api/v1/user", "/api/v1/users/", f"{MESSAGES}/", "//docs"])
async def test_an_unknown_path_is_404_and_no_redirect(service: Service, path: str) -> None:
    answer = await service.call("POST", path)
    assert (answer.status, answer.code) == (404, "not_found")
    assert service.observer.answers == [("none", 404, "not_found")]


@pytest.mark.parametrize("slash", ["%2F", "%2f"])
async def test_an_encoded_slash_chooses_no_operation(service: Service, slash: str) -> None:
    headers = [("x-bot-token", GOOD), ("content-type", "application/json")]
    for path in (slash.join(MESSAGES.rsplit("/", 1)), MESSAGES.replace("/", slash, 2)):
        answer = await service.call("POST", path, headers=headers, body=message())
        assert (answer.status, answer.code) == (404, "not_found")
    assert service.handlers.seen == ()
    assert set(service.observer.answers) == {("none", 404, "not_found")}


async def test_another_encoded_character_is_that_character(service: Service) -> None:
    headers = [("x-bot-token", GOOD), ("content-type", "application/json")]
    path = MESSAGES.replace("messages", "%6dessages")
    assert (await service.call("POST", path, headers=headers, body=message())).status == 200


async def test_an_unknown_path_as_websocket_is_closed(service: Service) -> None:
    sent: list[Any] = []

    async def send(item: Any) -> None:
        sent.append(item)

    scope = {"type": "websocket", "path": "/x", "headers": [], "root_path": ""}
    await service.app(scope, cast("Any", None), send)
    assert [item["type"] for item in sent] == ["websocket.close"]


class TestOutcome:
    async def test_a_declared_problem_is_sent(self, service: Service) -> None:
        service.handlers.outcome = AddDialogMessage404(code="user_not_found", detail="Nobody.")
        answer = await service.add_message()
        assert (answer.status, answer.code, answer.json["detail"]) == (
            404, "user_not_found", "Nobody.",
        )  # fmt: skip
        assert service.observer.answers == [("addDialogMessage", 404, "user_not_found")]

    async def test_a_declared_problem_may_be_raised(self, service: Service) -> None:
        service.handlers.outcome = DialogNotFound()
        answer = await service.add_message()
        assert (answer.status, answer.code) == (404, "dialog_not_found")
        assert not service.observer.failures

    @pytest.mark.parametrize("error", [Overloaded(), MessageInFlight(), DatabaseAwayError("x")])
    async def test_what_passes_says_when_to_come_back(
        self, service: Service, error: Exception
    ) -> None:
        service.handlers.outcome = error
        answer = await service.add_message()
        assert answer.status in {409, 503}
        assert answer.headers["retry-after"] == "1"

    async def test_a_handler_may_say_when_itself(self, service: Service) -> None:
        service.handlers.outcome = AddDialogMessage409(code="message_in_flight", retry_after=7)
        assert (await service.add_message()).headers["retry-after"] == "7"
        service.handlers.outcome = Overloaded(headers={"Retry-After": "9"})
        assert (await service.add_message()).headers["retry-after"] == "9"

    @pytest.mark.parametrize(
        "outcome",
        [
            None,
            "text",
            healthy(),  # a result, but of another operation
            GetDialog404(code="dialog_not_found"),
            AddDialogMessage404(code=cast("Any", "plugin_not_found")),
            AddDialogMessage404(code=cast("Any", "message_in_flight")),  # its status is another
            AddDialogMessage422(code=cast("Any", "no_such_code")),
            PluginConflict(),
            PluginNotFound(),
            RuntimeError("zq7-secret"),
            ClientDisconnectedError.__base__("zq7-secret"),  # type: ignore[misc]  # the base of an exception is one
        ],
    )
    async def test_what_is_not_declared_is_our_mistake(
        self, service: Service, outcome: Any
    ) -> None:
        service.handlers.outcome = outcome
        answer = await service.add_message()
        assert (answer.status, answer.code) == (500, "internal_error")
        assert b"zq7" not in answer.content
        ((operation, _error),) = service.observer.failures
        assert operation == "addDialogMessage"
        assert service.observer.answers == [("addDialogMessage", 500, "internal_error")]

    async def test_a_problem_carries_at_most_fifty_errors(self, service: Service) -> None:
        values = [{"id": n, "type": "", "url": ""} for n in range(9)]
        attachments = [{**value, "more": 1, "yet": 2, "most": 3, "last": 4} for value in values]
        service.handlers.outcome = ValidationFailed()
        payload = {"type": "image", "attachments": attachments}
        answer = await service.add_message(message(payload=payload))
        assert answer.code == "validation_failed"
        assert len(answer.json["errors"]) == 50
        assert answer.json["detail"].startswith("63 values")


def test_an_endpoint_tells_its_operations(service: Service) -> None:
    (route,) = [item for item in service.routes if getattr(item, "path", "") == "/healthz"]
    assert cast("Any", route).endpoint.operations == {"GET": "getHealth"}


def test_the_contract_fills_the_operation() -> None:
    assert dialogs.ADD_DIALOG_MESSAGE.retry_after == {409, 429, 503}
    assert dialogs.GET_DIALOG.retry_after == {429, 503}
    assert models.Problem.model_fields["code"].is_required()


class TestSchemaVersion:
    async def test_the_served_one_is_taken(self, service: Service) -> None:
        assert (await service.add_message(None, ("X-Schema-Version", "v1alpha"))).status == 200

    @pytest.mark.parametrize("version", ["v2", "", "V1ALPHA", "v1alpha "])
    async def test_an_unknown_one_is_told_the_served_ones(
        self, service: Service, version: str
    ) -> None:
        answer = await service.add_message(None, ("X-Schema-Version", version))
        assert (answer.status, answer.code) == (400, "unsupported_schema_version")
        assert "v1alpha" in answer.json["detail"]

    @pytest.mark.parametrize("versions", [("v2", "v1alpha"), ("v1alpha", "v1alpha")])
    async def test_one_is_enough(self, service: Service, versions: tuple[str, str]) -> None:
        answer = await service.add_message(None, *(("X-Schema-Version", v) for v in versions))
        assert (answer.status, answer.code) == (400, "unsupported_schema_version")

    async def test_any_other_header_may_come_in_several_lines(self, service: Service) -> None:
        answer = await service.add_message(None, ("x-other", "1"), ("x-other", "2"))
        assert answer.status == 200

    async def test_health_is_served_to_any_version(self, service: Service) -> None:
        service.handlers.outcome = healthy()
        answer = await service.call("GET", "/healthz", headers=[("X-Schema-Version", "v9")])
        assert answer.status == 200
