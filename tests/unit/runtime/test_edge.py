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
    MAX_BODY,
    MESSAGES,
    TRACE,
    Answer,
    DatabaseAwayError,
    Service,
    healthy,
    message,
)

HEARTBEAT = "/api/v1/plugins/5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d/heartbeat"
REGISTER = "/api/v1/plugins/register"


async def test_a_result_is_sent_as_it_is_declared(service: Service) -> None:
    answer = await service.add_message()
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["location"] == f"{MESSAGES}/m1"
    assert "idempotency-replayed" not in answer.headers
    assert answer.json["status"] == "accepted"
    assert service.observer.answers == [("addDialogMessage", 200, None)]


async def test_the_handler_gets_what_was_proved_and_read(service: Service) -> None:
    await service.add_message(message(message_id="m1"))
    principal, path, body = service.handlers.seen
    assert principal.bot_id == DIALOG
    assert path.dialog_id == DIALOG
    assert (body.message_id, body.payload.text, body.metadata) == ("m1", "Hello!", {})


async def test_stored_bytes_are_sent_unchanged(service: Service) -> None:
    content = b'{"stored":  "with its own spaces"}'
    service.handlers.outcome = AddDialogMessage200(
        body=Rendered(content), location=MESSAGES, idempotency_replayed="true"
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


async def test_an_unknown_path_as_websocket_is_closed(service: Service) -> None:
    sent: list[Any] = []

    async def send(item: Any) -> None:
        sent.append(item)

    scope = {"type": "websocket", "path": "/x", "headers": [], "root_path": ""}
    await service.app(scope, cast("Any", None), send)
    assert [item["type"] for item in sent] == ["websocket.close"]


class TestBody:
    @pytest.mark.parametrize(
        "media",
        [
            "application/json",
            "Application/JSON",
            "application/json;charset=utf-8",
            'application/json ; charset = "UTF-8"',
        ],
    )
    async def test_json_in_utf8_is_taken(self, service: Service, media: str) -> None:
        assert (await service.add_message(None, ("content-type", media))).status == 200

    @pytest.mark.parametrize(
        "media",
        [
            "",
            "text/plain",
            "application/json; charset=latin-1",
            "application/json; charset=utf-16",
            "application/x-www-form-urlencoded",
            "application/problem+json",
            "application/jsonp",
            "text/plain, application/json",
        ],
    )
    async def test_any_other_media_type_is_415(self, service: Service, media: str) -> None:
        answer = await service.add_message(None, ("content-type", media))
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
        assert service.read == 0

    async def test_no_media_type_is_415(self, service: Service) -> None:
        headers = [("x-bot-token", GOOD)]
        answer = await service.call("POST", MESSAGES, headers=headers, body=message())
        assert answer.code == "unsupported_media_type"

    async def test_an_encoded_body_is_415(self, service: Service) -> None:
        assert (await service.add_message(None, ("content-encoding", "gzip"))).status == 415
        assert (await service.add_message(None, ("content-encoding", "identity"))).status == 200

    @pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 30, "9" * 6000])
    async def test_a_declared_size_is_refused_unread(self, service: Service, length: str) -> None:
        answer = await service.add_message(None, ("content-length", length))
        assert (answer.status, answer.code) == (413, "body_too_large")
        assert service.read == 0

    async def test_an_undeclared_size_is_counted_as_it_streams(self, service: Service) -> None:
        pieces = [b" " * 1000] * 1000
        answer = await service.add_message(pieces)
        assert (answer.status, answer.code) == (413, "body_too_large")
        assert service.read == 3

    async def test_the_cap_itself_is_taken(self, service: Service) -> None:
        whole = message().ljust(MAX_BODY)
        assert (await service.add_message(whole)).status == 200
        assert (await service.add_message(whole + b" ")).status == 413

    async def test_a_body_in_pieces_is_one_body(self, service: Service) -> None:
        whole = message()
        answer = await service.add_message([whole[:7], b"", whole[7:]])
        assert answer.status == 200

    async def test_an_empty_body_is_invalid_json(self, service: Service) -> None:
        assert (await service.add_message([b""])).code == "invalid_json"

    async def test_a_caller_who_leaves_gets_no_answer(self, service: Service) -> None:
        answer = await service.add_message([])
        assert answer.status == 0
        assert service.observer.answers == [("addDialogMessage", 499, "client_disconnected")]
        assert not service.observer.failures


class TestTrace:
    async def test_the_callers_trace_is_taken_in_lower_case(self, service: Service) -> None:
        answer = await service.add_message(None, ("X-Trace-Id", str(TRACE).upper()))
        assert answer.headers["x-trace-id"] == str(TRACE) == service.handlers.trace_seen

    @pytest.mark.parametrize("given", ["", "x", str(TRACE).replace("-", ""), f"{TRACE}0", "{x}"])
    async def test_what_is_no_uuid_is_replaced(self, service: Service, given: str) -> None:
        first = await service.add_message(None, ("X-Trace-Id", given))
        second = await service.add_message(None, ("X-Trace-Id", given))
        assert first.headers["x-trace-id"] != second.headers["x-trace-id"]

    async def test_traceparent_serves_where_no_trace_id_does(self, service: Service) -> None:
        parent = ("traceparent", f"00-{TRACE.hex}-00f067aa0ba902b7-01")
        other = "0b9f6a52-7f6f-4f3e-8f3c-5d1f7f5f2a11"
        answer = await service.add_message(None, parent)
        assert answer.headers["x-trace-id"] == str(TRACE)
        answer = await service.add_message(None, parent, ("X-Trace-Id", other))
        assert answer.headers["x-trace-id"] == other

    @pytest.mark.parametrize(
        "parent",
        [
            f"ff-{TRACE.hex}-00f067aa0ba902b7-01",
            f"00-{'0' * 32}-00f067aa0ba902b7-01",
            f"00-{TRACE.hex}-{'0' * 16}-01",
            f"00-{TRACE.hex.upper()}-00f067aa0ba902b7-01",
            f"00-{TRACE.hex}-00f067aa0ba902b7",
            "garbage",
        ],
    )
    async def test_a_malformed_traceparent_is_ignored(self, service: Service, parent: str) -> None:
        answer = await service.add_message(None, ("traceparent", parent))
        assert answer.status == 200
        assert answer.headers["x-trace-id"] != str(TRACE)

    async def test_the_bodys_trace_serves_where_the_header_names_none(
        self, service: Service
    ) -> None:
        body = message(trace_id=str(TRACE))
        other = "0b9f6a52-7f6f-4f3e-8f3c-5d1f7f5f2a11"
        assert (await service.add_message(body)).headers["x-trace-id"] == str(TRACE)
        answer = await service.add_message(body, ("X-Trace-Id", other))
        assert answer.headers["x-trace-id"] == other

    async def test_an_unknown_path_has_a_trace_too(self, service: Service) -> None:
        answer = await service.call("GET", "/none", headers=[("x-trace-id", str(TRACE))])
        assert answer.json["trace_id"] == str(TRACE)


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

    async def test_health_is_served_to_any_version(self, service: Service) -> None:
        service.handlers.outcome = healthy()
        answer = await service.call("GET", "/healthz", headers=[("X-Schema-Version", "v9")])
        assert answer.status == 200


class TestCredentials:
    async def test_none_is_401_with_a_challenge(self, service: Service) -> None:
        answer = await service.call("POST", MESSAGES, body=message())
        assert (answer.status, answer.code) == (401, "missing_credentials")
        assert answer.headers["www-authenticate"] == 'BotToken realm="botcore"'
        assert service.read == 0

    @pytest.mark.parametrize("token", ["", "bad", GOOD.upper(), "ü"])
    async def test_a_bad_one_is_401_with_a_challenge(self, service: Service, token: str) -> None:
        answer = await service.add_message(None, ("X-Bot-Token", token))
        assert (answer.status, answer.code) == (401, "invalid_credentials")
        assert answer.headers["www-authenticate"] == 'BotToken realm="botcore"'
        assert service.handlers.seen == ()

    @pytest.mark.parametrize("value", ["Bearer", "Bearer bad", "Basic Z29vZA==", GOOD])
    async def test_a_bad_bearer_is_401(self, service: Service, value: str) -> None:
        answer = await service.call("POST", HEARTBEAT, headers=[("authorization", value)])
        assert (answer.status, answer.code) == (401, "invalid_credentials")
        assert answer.headers["www-authenticate"] == 'Bearer realm="botcore"'

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    async def test_the_scheme_is_read_in_any_case(self, service: Service, scheme: str) -> None:
        headers = [("authorization", f"{scheme} {GOOD}")]
        answer = await service.call("POST", HEARTBEAT, headers=headers)
        assert answer.code == "unsupported_media_type"  # so the token was good

    async def test_a_missing_scope_is_403_and_named(self, service: Service) -> None:
        service.authenticator.scopes = frozenset({"dialogs:read"})
        answer = await service.add_message()
        assert (answer.status, answer.code) == (403, "insufficient_scope")
        assert "dialogs:write" in answer.json["detail"]
        assert "www-authenticate" not in answer.headers

    async def test_a_second_credential_is_optional_but_proved(self, service: Service) -> None:
        headers = [("x-registry-key", GOOD)]
        answer = await service.call("POST", REGISTER, headers=headers)
        assert answer.code == "unsupported_media_type"
        bad = [*headers, ("authorization", "Bearer bad")]
        assert (await service.call("POST", REGISTER, headers=bad)).code == "invalid_credentials"
        alone = [("authorization", f"Bearer {GOOD}")]
        assert (await service.call("POST", REGISTER, headers=alone)).code == "missing_credentials"


class TestQuery:
    @staticmethod
    async def get(service: Service, query: str) -> Answer:
        service.handlers.outcome = GetDialog404(code="dialog_not_found")
        headers = [("x-bot-token", GOOD)]
        return await service.call("GET", f"/api/v1/dialogs/{DIALOG}", headers=headers, query=query)

    async def test_defaults_and_values_reach_the_handler(self, service: Service) -> None:
        await self.get(service, "")
        assert (service.handlers.seen[2].limit, service.handlers.seen[2].cursor) == (50, None)
        await self.get(service, "cursor=abc&limit=%37")
        assert (service.handlers.seen[2].limit, service.handlers.seen[2].cursor) == (7, "abc")

    @pytest.mark.parametrize(
        ("query", "pointer", "code"),
        [
            ("limit=1&limit=2", "/limit", "given_twice"),
            ("limit=1&limi%74=1", "/limit", "given_twice"),
            ("page=2", "/page", "extra_forbidden"),
            ("limit=0", "/limit", "greater_than_equal"),
            ("limit=101", "/limit", "less_than_equal"),
            ("limit=", "/limit", "int_parsing"),
            ("cursor=a/b", "/cursor", "string_pattern_mismatch"),
            ("cursor=%ff", "/cursor", "string_pattern_mismatch"),
            ("&".join(f"a{n}=1" for n in range(65)), "", "too_many"),
        ],
    )
    async def test_a_bad_one_is_422(
        self, service: Service, query: str, pointer: str, code: str
    ) -> None:
        answer = await self.get(service, query)
        assert (answer.status, answer.code) == (422, "validation_failed")
        (error,) = answer.json["errors"]
        assert (error["location"], error["pointer"], error["code"]) == ("query", pointer, code)

    async def test_an_operation_without_a_query_refuses_one(self, service: Service) -> None:
        answer = await service.add_message(query="dry_run=1&debug")
        assert (answer.code, answer.pointers) == ("validation_failed", ["/dry_run", "/debug"])

    async def test_a_lone_question_mark_is_none(self, service: Service) -> None:
        assert (await service.add_message(query="&")).status == 200

    async def test_a_path_that_holds_no_uuid_is_422(self, service: Service) -> None:
        for name in ("1", DIALOG.hex, f"{{{DIALOG}}}", "x" * 36):
            path = f"/api/v1/dialogs/{name}/messages"
            answer = await service.call("POST", path, headers=[("x-bot-token", GOOD)])
            assert (answer.status, answer.pointers) == (422, ["/dialog_id"])
            assert answer.json["errors"][0]["location"] == "path"


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
            ClientDisconnectedError.__base__("zq7-secret"),  # type: ignore[misc]
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
    (route,) = [item for item in service.app.routes if getattr(item, "path", "") == "/healthz"]
    assert cast("Any", route).endpoint.operations == {"GET": "getHealth"}


def test_the_contract_fills_the_operation() -> None:
    assert dialogs.ADD_DIALOG_MESSAGE.retry_after == {409, 503}
    assert dialogs.GET_DIALOG.retry_after == {503}
    assert models.Problem.model_fields["code"].is_required()
