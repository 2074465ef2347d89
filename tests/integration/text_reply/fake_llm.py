"""An OpenAI-compatible server that behaves as it is told, well or badly."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.integration.text_reply.fake_core import served

KEY = "sk-canary-0123456789"
MODEL = "llama3"
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(text: object, usage: object = USAGE) -> Behaviour:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    whole = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [choice],
        "usage": usage,
    }
    return sends(json.dumps(whole))


def sends(body: str, content_type: str = "application/json") -> Behaviour:
    async def behave(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type=content_type)

    return behave


def fails(status: int, **headers: str) -> Behaviour:
    """Repeats the key and the request in its error, as some servers do."""

    async def behave(request: web.Request) -> web.Response:
        told = f"{request.headers['Authorization']} {await request.text()}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": told}}, status=status, headers=named)

    return behave


async def hangs(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def drops(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


class FakeLLM:
    def __init__(self) -> None:
        self.url = ""
        self.forget()

    def forget(self) -> None:
        self.requests: list[Any] = []
        self.keys: list[str] = []
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        # One for each request; the last one stays.
        self.behaviours: list[Behaviour] = [says("Hello.")]

    def will(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.keys.append(request.headers["Authorization"])
        self.asked.set()
        behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        await self.go.wait()
        return await behave(request)


@asynccontextmanager
async def fake_llm() -> AsyncIterator[FakeLLM]:
    llm = FakeLLM()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", llm.complete)
    async with served(app) as url:
        llm.url = f"{url}/v1"
        yield llm
