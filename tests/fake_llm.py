"""An OpenAI-compatible server that behaves as it is told, well or badly."""

import asyncio
import contextlib
import gzip
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


def chooses(tag: object, confidence: object = 0.9, usage: object = USAGE) -> Behaviour:
    return says(json.dumps({"tag": tag, "confidence": confidence}), usage)


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


async def drips(request: web.Request) -> web.StreamResponse:
    """A byte now and then, without an end: no read ever takes long."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)
    return response


def floods(status: int = 200, megabytes: int = 3) -> Behaviour:
    """More than anybody reads."""

    async def behave(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(megabytes * 16):
                await response.write(b" " * 65536)
        return response

    return behave


async def packs(_request: web.Request) -> web.StreamResponse:
    """Few bytes that become many."""
    packed = gzip.compress(b" " * 10_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return web.Response(body=packed, headers=headers)


def understands(*forms: str, then: Behaviour) -> Behaviour:
    """400 for a `response_format` of another type, and for a temperature."""

    async def behave(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body["response_format"]["type"] in forms and "temperature" not in body:
            return await then(request)
        return await fails(400)(request)

    return behave


class FakeLLM:
    def __init__(self) -> None:
        self.url = ""
        self.forget()

    def forget(self) -> None:
        self.requests: list[Any] = []
        self.keys: list[str] = []
        self.headers: list[set[str]] = []
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.go.set()
        self.healthy = True
        self.looks = 0  # at the models
        # One for each request; the last one stays.
        self.behaviours: list[Behaviour] = [says("Hello.")]

    def will(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.keys.append(request.headers["Authorization"])
        self.headers.append({name.lower() for name in request.headers})
        self.asked.set()
        behave = self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]
        await self.go.wait()
        return await behave(request)

    async def models(self, request: web.Request) -> web.StreamResponse:
        self.looks += 1
        if not self.healthy:
            return web.Response(status=503)
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


@asynccontextmanager
async def fake_llm() -> AsyncIterator[FakeLLM]:
    llm = FakeLLM()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", llm.complete)
    app.router.add_get("/v1/models", llm.models)
    async with served(app) as url:
        llm.url = f"{url}/v1"
        yield llm
