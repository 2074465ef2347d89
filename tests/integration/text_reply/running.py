"""The real plugin over a real socket, and the core's way of calling it."""

import asyncio
import io
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from pydantic import SecretStr

from impl.text_reply.service import Server, make_server, opened, run
from impl.text_reply.settings import TextReplySettings
from tests.fake_llm import KEY, MODEL, FakeLLM
from tests.integration.text_reply.contract import plugin_contract
from tests.integration.text_reply.fake_core import REGISTRY_KEY, FakeCore


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(slots=True)
class Plugin:
    url: str
    core: FakeCore
    session: aiohttp.ClientSession
    server: Server
    run: asyncio.Task[int]

    async def call(
        self, operation: str, method: str, path: str, data: object = None, **headers: str
    ) -> Answer:
        """Each answer is held against the contract."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(
            method, f"{self.url}{path}", data=data, headers=named
        ) as response:
            content = await response.read()
            plugin_contract().check_answer(
                operation, response.status, response.content_type, content
            )
            UUID(response.headers["X-Trace-Id"])
            assert response.headers["X-Schema-Version"] == "v1alpha"
            return Answer(response.status, response.headers, content)

    async def invoke(
        self, body: dict[str, Any] | bytes, token: str | None = None, **headers: str
    ) -> Answer:
        if isinstance(body, dict):
            plugin_contract().check_request("invokePlugin", body)
            headers.setdefault("X_Invocation_Id", body["invocation_id"])
        return await self.call(
            "invokePlugin",
            "POST",
            "/invoke",
            io.BytesIO(json.dumps(body).encode() if isinstance(body, dict) else body),
            **{
                "Authorization": f"Bearer {token or self.core.invocation_token}",
                "Content_Type": "application/json",
                **headers,
            },
        )


def invocation(text: str = "hello", *, locale: str | None = "en", **changes: Any) -> dict[str, Any]:
    return {
        "invocation_id": str(uuid4()),
        "dialog_id": str(uuid4()),
        "user_id": str(uuid4()),
        "trace_id": str(uuid4()),
        "intent": None,
        "payload": {"type": "text", "text": text},
        "context": {"messages": [], "locale": locale, "metadata": {"source": "telegram"}},
        "deadline_ms": 120_000,
        "dry_run": False,
        **changes,
    }


def settings(core_url: str, port: int, llm: FakeLLM | None, **changes: Any) -> TextReplySettings:
    model: dict[str, Any] = (
        {}
        if llm is None
        else {"llm_base_url": llm.url, "llm_model": MODEL, "llm_api_key": SecretStr(KEY)}
    )
    return TextReplySettings(
        **{
            "url": core_url,
            "registry_key": SecretStr(REGISTRY_KEY),
            "text_reply_port": port,
            "text_reply_heartbeat_seconds": 0.02,
            **model,
            **changes,
        }
    )


@asynccontextmanager
async def started(
    core: FakeCore, llm: FakeLLM | None = None, **changes: Any
) -> AsyncIterator[Plugin]:
    """Serving, and perhaps not registered yet. It must end well, unless the test ended it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with (
            opened(settings(core.url, port, llm, **changes)) as (app, jobs),
            aiohttp.ClientSession() as session,
        ):
            server = make_server(app)
            task = asyncio.create_task(run(server, listener, jobs))
            try:
                yield Plugin(f"http://127.0.0.1:{port}", core, session, server, task)
            finally:
                ended = task.done()
                server.should_exit = True
                code = await task
            assert code == 0 or ended


@asynccontextmanager
async def running(
    core: FakeCore, llm: FakeLLM | None = None, **changes: Any
) -> AsyncIterator[Plugin]:
    """Registered, and its first heartbeat acknowledged."""
    async with started(core, llm, **changes) as plugin:
        await core.until(lambda: bool(core.heartbeats))
        yield plugin
