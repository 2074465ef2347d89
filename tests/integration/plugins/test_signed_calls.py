"""Every call is signed with its time: changed, old or foreign ones are told from the core's."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from generated import models
from impl.kit.new import CONTRACT, TEMPLATE
from impl.kit.template.serving import reading
from impl.kit.template.serving.contract import Contract
from impl.kit.template.serving.server import Call, Server
from impl.outgoing.signing import shown, signature_headers
from impl.plugins.caller import Answered, Failed, Invocation
from tests.integration.plugins.test_calls import LONG, calling

PLUGIN = UUID(int=1)
KEY = b"k" * 32
SIGNATURE = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass
class Verifying:
    """The plugin of `botcore plugin new`; `seen` is what came, byte for byte."""

    server: Server
    url: str = ""
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    busy: int = 0  # so many calls are answered 503

    @web.middleware
    async def note(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.seen.append((dict(request.headers), b""))
        if request.path == "/invoke" and self.busy:
            self.busy -= 1
            await self.read(request)
            return web.Response(status=503)
        response: web.StreamResponse = await handler(request)
        return response

    async def read(self, request: web.Request) -> bytes:
        content = await reading.read(request)
        self.seen[-1] = (self.seen[-1][0], content)
        return content


@asynccontextmanager
async def verifying(token: str, secret: str | None) -> AsyncIterator[Verifying]:
    async def answer(call: Call) -> dict[str, Any]:
        return {"text": f"You said: {call.text}"}

    manifest = json.loads((TEMPLATE / "manifest.json").read_text())
    server = Server(manifest, Contract(CONTRACT.read_text()), answer, token, secret)
    plugin = Verifying(server)
    application = server.application()
    application.middlewares.append(plugin.note)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        plugin.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("impl.kit.template.serving.server.read", plugin.read)
            yield plugin
    finally:
        await runner.cleanup()


@pytest_asyncio.fixture
async def plugin() -> AsyncIterator[Verifying]:
    async with verifying("a-token-of-the-tests", shown(KEY)) as running:
        yield running


def body(invocation_id: UUID, trace_id: UUID) -> bytes:
    nobody = UUID(int=0)
    request = models.PluginInvocationRequestV1(
        invocation_id=invocation_id,
        dialog_id=nobody,
        user_id=nobody,
        trace_id=trace_id,
        intent=None,
        payload=models.TextPayloadV1(type="text", text="Hello!"),
        context=models.InvocationContextV1(messages=[], locale="en", metadata={}),
        deadline_ms=8000,
        dry_run=False,
    )
    return request.model_dump_json().encode()


def invocation(plugin: Verifying) -> Invocation:
    invocation_id, trace_id = uuid4(), uuid4()
    content = body(invocation_id, trace_id)
    return Invocation(PLUGIN, plugin.url, invocation_id, trace_id, content)


async def test_what_the_core_sends_is_what_a_plugin_verifies(plugin: Verifying) -> None:
    async with calling() as caller:
        secret = caller.signing_secret(PLUGIN)
        plugin.server.token, plugin.server.secret = caller.invocation_token(PLUGIN), secret
        wanted = invocation(plugin)
        assert isinstance(await caller.invoke(wanted, LONG), Answered)
        assert caller.signing_secret(UUID(int=2)) != secret
        assert secret not in str(plugin.seen)
        plugin.server.secret = caller.signing_secret(UUID(int=2))  # another's
        refused = await caller.invoke(invocation(plugin), LONG)
        assert isinstance(refused, Failed)
        assert refused.reason == "status 401"
    (headers, content), _ = plugin.seen
    Webhook(secret).verify(content, headers)
    assert headers["webhook-id"] == str(wanted.invocation_id)


async def test_each_attempt_is_signed_anew(
    plugin: Verifying, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments: Iterator[float] = iter((time.time() - 100, time.time() - 50, time.time()))
    clock = SimpleNamespace(time=moments.__next__)
    monkeypatch.setattr("impl.plugins.calls.line.time", clock)
    plugin.busy = 2
    async with calling() as caller:
        secret = plugin.server.secret = caller.signing_secret(PLUGIN)
        plugin.server.token = caller.invocation_token(PLUGIN)
        assert isinstance(await caller.invoke(invocation(plugin), LONG), Answered)
    for headers, content in plugin.seen:
        Webhook(secret).verify(content, headers)
    assert len({headers["webhook-timestamp"] for headers, _ in plugin.seen}) == 3
    assert len({headers["webhook-id"] for headers, _ in plugin.seen}) == 1


async def test_probes_are_signed_where_the_plugin_has_a_secret(plugin: Verifying) -> None:
    async with calling() as caller:
        assert await caller.healthy(plugin.url, PLUGIN)
        assert await caller.manifest(plugin.url, PLUGIN) is not None
        assert await caller.healthy(plugin.url)
        secret = caller.signing_secret(PLUGIN)
    *signed, (unsigned, _) = plugin.seen
    for headers, content in signed:
        Webhook(secret).verify(content, headers, json_parse=False)
    assert not set(SIGNATURE) & {name.lower() for name in unsigned}


async def post(
    plugin: Verifying, content: bytes, signature: dict[str, str]
) -> tuple[int, str | None]:
    value = json.loads(content)
    headers = {
        "Authorization": f"Bearer {plugin.server.token}",
        "Content-Type": "application/json",
        "X-Invocation-Id": value["invocation_id"],
        "X-Schema-Version": "v1alpha",
        **signature,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{plugin.url}/invoke", data=content, headers=headers) as response,
    ):
        return response.status, (await response.json(content_type=None)).get("code")


def signed(content: bytes, age: float = 0, key: bytes = KEY) -> dict[str, str]:
    name = json.loads(content)["invocation_id"]
    return signature_headers([key], name, int(time.time() - age), content)


async def test_who_has_the_bearer_alone_can_call_nothing(plugin: Verifying) -> None:
    content = body(uuid4(), uuid4())
    good = signed(content)
    changed = content.replace(b"Hello!", b"Betray")
    other_id = {**good, "webhook-id": str(uuid4())}
    later = {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) + 1)}
    for wrong, about in (
        (content, {}),
        (changed, good),
        (content, other_id),
        (content, later),
        (content, signed(content, age=301)),
        (content, signed(content, age=-330)),
        (content, signed(content, key=b"another")),
        (content, {**good, "webhook-signature": ""}),
        (content, {**good, "webhook-signature": "v1"}),
        (content, {**good, "webhook-signature": good["webhook-signature"][:-1]}),
        (content, {**good, "webhook-signature": "v1a," + good["webhook-signature"][3:]}),
        (content, {**good, "webhook-timestamp": "+" + good["webhook-timestamp"]}),
        (content, {**good, "webhook-timestamp": "9" * 5000}),
        (content, {**good, "webhook-timestamp": ""}),
    ):
        assert await post(plugin, wrong, about) == (401, "invalid_credentials"), about
    several = {**good, "webhook-signature": f"v1,AAAA {good['webhook-signature']}"}
    for right in (good, several, signed(content, age=290)):
        assert await post(plugin, content, right) == (200, None)


def test_it_judges_as_the_standards_own_library() -> None:
    content = body(uuid4(), uuid4())
    Webhook(shown(KEY)).verify(content, signed(content))
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(KEY)).verify(content + b" ", signed(content))
