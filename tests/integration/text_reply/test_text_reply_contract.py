"""The plugin without a model: what the contract says, over a real socket."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from impl.llm.sentences import Language
from impl.text_reply.sentences import NO_MODEL, TEXT_ONLY
from tests.integration.text_reply.contract import plugin_contract
from tests.integration.text_reply.fake_core import fake_core
from tests.integration.text_reply.running import Plugin, invocation, running, started

FILE = {"id": str(uuid4()), "type": "image/png", "url": "https://files.example.com/a.png"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def plugin() -> AsyncIterator[Plugin]:
    async with fake_core() as core, running(core) as plugin:
        yield plugin


async def test_health(plugin: Plugin) -> None:
    answer = await plugin.call("getPluginHealth", "GET", "/health")

    assert (answer.status, answer.json["status"]) == (200, "ok")


async def test_the_manifest_is_the_registered_one(plugin: Plugin) -> None:
    answer = await plugin.call("getPluginManifest", "GET", "/manifest")

    assert answer.json == plugin.core.registrations[0]["manifest"]
    assert (answer.json["name"], answer.json["intents"]) == ("text_reply", [])
    assert answer.json["telemetry"]["heartbeat_interval_seconds"] == 30
    assert answer.json["capabilities"]["supports_retry"] is True


@pytest.mark.parametrize(
    ("locale", "language"),
    [("ru", "ru"), ("ru-RU", "ru"), ("en", "en"), ("de", "en"), (None, "en")],
)
async def test_it_says_in_the_users_language_that_a_model_is_missing(
    plugin: Plugin, locale: str | None, language: Language
) -> None:
    request = invocation("hello", locale=locale)

    answer = await plugin.invoke(request)

    assert answer.status == 200
    assert answer.json["text"] == NO_MODEL[language]
    assert answer.json["trace_id"] == request["trace_id"]
    assert answer.json["suggested_actions"] == []
    assert answer.json["usage"] is None


@pytest.mark.parametrize("kind", ["voice", "image"])
@pytest.mark.parametrize("language", ["ru", "en"])
async def test_it_can_answer_only_text(plugin: Plugin, kind: str, language: Language) -> None:
    payload = {"type": kind, "attachments": [FILE]}

    answer = await plugin.invoke(invocation(locale=language, payload=payload))

    assert answer.json["text"] == TEXT_ONLY[language]


async def test_a_repeated_call_gets_the_same_answer(plugin: Plugin) -> None:
    request = invocation()

    first, second = await plugin.invoke(request), await plugin.invoke(request)

    assert (first.status, first.content) == (second.status, second.content)


async def test_the_trace_of_the_header_is_returned(plugin: Plugin) -> None:
    trace = str(uuid4())

    answer = await plugin.invoke(invocation(), X_Trace_Id=trace)

    assert answer.headers["X-Trace-Id"] == trace


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer ", "Basic YTpi", "Bearer \xe9"])
async def test_a_wrong_bearer_is_refused(plugin: Plugin, authorization: str) -> None:
    answer = await plugin.invoke(invocation(), Authorization=authorization)

    assert (answer.status, answer.json["code"]) == (401, "invalid_credentials")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_missing_bearer_is_refused(plugin: Plugin) -> None:
    answer = await plugin.call("invokePlugin", "POST", "/invoke", b"{}")

    assert (answer.status, answer.json["code"]) == (401, "missing_credentials")


async def test_before_the_registration_whoever_calls_is_to_come_again() -> None:
    async with fake_core() as core:
        core.refuse_registration.extend(["database_unavailable"] * 3)
        async with started(core) as plugin:
            await core.until(lambda: len(core.refuse_registration) < 3)
            for token in ("None", core.invocation_token):
                answer = await plugin.invoke(invocation(), token)
                assert (answer.status, answer.json["code"]) == (503, "overloaded")
                assert answer.headers["Retry-After"] == "1"


async def test_the_header_must_name_the_bodys_invocation(plugin: Plugin) -> None:
    answer = await plugin.invoke(invocation(), X_Invocation_Id=str(uuid4()))

    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    (error,) = answer.json["errors"]
    assert (error["location"], error["pointer"]) == ("header", "/X-Invocation-Id")


async def test_a_bad_body_is_refused_with_a_pointer(plugin: Plugin) -> None:
    answer = await plugin.invoke(b'{"invocation_id": 7}', X_Invocation_Id=str(uuid4()))

    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    assert "/invocation_id" in [error["pointer"] for error in answer.json["errors"]]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "invalid_json"),
        (b"\xff", {}, 400, "invalid_utf8"),
        (b"{}", {"X_Schema_Version": "v9"}, 400, "unsupported_schema_version"),
        (b"{}", {"Accept": "text/html"}, 406, "not_acceptable"),
        (b"{}", {"Content_Type": "text/plain"}, 415, "unsupported_media_type"),
        (b" " * (4 * 1024 * 1024 + 1), {}, 413, "body_too_large"),
    ],
)
async def test_bad_requests(
    plugin: Plugin, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await plugin.invoke(body, **{"X_Invocation_Id": str(uuid4()), **headers})

    assert (answer.status, answer.json["code"]) == (status, code)


async def test_other_methods_are_refused(plugin: Plugin) -> None:
    answer = await plugin.call("invokePlugin", "GET", "/invoke")

    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/", "/nothing", "/invoke/", "/docs", "/openapi.json"])
async def test_unknown_paths(plugin: Plugin, path: str) -> None:
    async with plugin.session.get(f"{plugin.url}{path}", allow_redirects=False) as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
        plugin_contract().check_schema("Problem", await response.json(content_type=None))
