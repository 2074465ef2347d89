"""As little as storing the same rows can cost in Python: by hand, three statements, no checks.

Nobody is asked who he is, nothing is counted, validated, measured, or answered twice alike.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.load.peers.settings import PeerSettings, routing
from tests.load.peers.statements import HISTORY, INTAKE, OUTCOME

SETTINGS = PeerSettings.read()
PLUGIN_ID = str(SETTINGS.plugin_id)
INVOKE = f"{SETTINGS.plugin_url}/invoke"
STREAM = f"plugin:invocations:{PLUGIN_ID}"
ROUTING = orjson.dumps(routing(SETTINGS.plugin_id))
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer of-the-floor"}
POOL = 10  # as the core's

pool: asyncpg.Pool
session: aiohttp.ClientSession


async def prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=b"\x01".__add__, decoder=bytes
    )


async def keep(_connection: asyncpg.Connection) -> None:
    """Spare the round trip that resets a session on release."""


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[None]:
    global pool, session
    async with (
        asyncpg.create_pool(
            SETTINGS.database_url, min_size=POOL, max_size=POOL, init=prepare, reset=keep
        ) as pool,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        yield


async def add_message(request: Request) -> Response:
    raw = await request.body()
    body = orjson.loads(raw)
    told_dialog = request.path_params["dialog_id"]
    dialog_id, user_id = UUID(told_dialog), UUID(body["user_id"])
    message_id, trace_id, invocation_id = body["message_id"], uuid4(), uuid4()
    history = await pool.fetchval(HISTORY, dialog_id)
    payload = {"attachments": [], **body["payload"]}
    call = {
        "invocation_id": str(invocation_id),
        "dialog_id": told_dialog,
        "user_id": body["user_id"],
        "trace_id": str(trace_id),
        "intent": None,
        "payload": payload,
        "context": {"locale": "en", "metadata": {}},
        "deadline_ms": 8000,
        "dry_run": False,
    }
    started = datetime.now(UTC)
    news = {
        "status": "in_progress",
        "dialog_id": told_dialog,
        "plugin_id": PLUGIN_ID,
        "error_code": None,
        "started_at": started,
        "finished_at": None,
        "invocation_id": str(invocation_id),
        "request_payload": None,
        "response_payload": None,
    }
    event_id = uuid4()
    await pool.execute(
        INTAKE,
        dialog_id,
        SETTINGS.bot_id,
        user_id,
        message_id,
        trace_id,
        SETTINGS.plugin_id,
        invocation_id,
        orjson.dumps(payload),
        orjson.dumps(call),
        event_id,
        orjson.dumps(news),
        started,
        STREAM,
        entry("plugin_invocation_started", event_id, trace_id, started, news),
        sha256(raw).digest(),
        ROUTING,
    )
    call["context"] = {"locale": "en", "metadata": {}, "messages": orjson.Fragment(history)}
    began = time.monotonic()
    async with session.post(INVOKE, data=orjson.dumps(call), headers=HEADERS) as response:
        answer = orjson.loads(await response.read())
    latency = int((time.monotonic() - began) * 1000)
    said = {
        "text": answer["text"],
        "usage": None,
        "trace_id": answer["trace_id"],
        "confidence": None,
        "attachments": [],
        "content_type": "text/plain",
        "suggested_actions": [],
    }
    content = orjson.dumps(
        {
            "dialog_id": told_dialog,
            "trace_id": trace_id,
            "plugin_responses": [
                {
                    "plugin_id": PLUGIN_ID,
                    "content": answer["text"],
                    "content_type": "text/plain",
                    "suggested_actions": [],
                }
            ],
            "usage": None,
            "status": "accepted",
            "error": None,
        }
    )
    finished = datetime.now(UTC)
    news["status"], news["finished_at"] = "succeeded", finished
    event_id = uuid4()
    await pool.execute(
        OUTCOME,
        dialog_id,
        SETTINGS.plugin_id,
        invocation_id,
        message_id,
        trace_id,
        orjson.dumps(said),
        latency,
        orjson.dumps({"type": "text", "text": answer["text"], "attachments": []}),
        event_id,
        orjson.dumps(news),
        finished,
        STREAM,
        entry("plugin_invocation_completed", event_id, trace_id, finished, news),
        content,
    )
    return Response(content, media_type="application/json")


def entry(name: str, event_id: UUID, trace_id: UUID, at: datetime, news: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "event_id": event_id,
            "event_type": name,
            "source": "core",
            "severity": "info",
            "trace_id": trace_id,
            "plugin_id": PLUGIN_ID,
            "dialog_id": news["dialog_id"],
            "occurred_at": at,
            "payload": news,
        }
    )


app = Starlette(
    routes=[Route("/api/v1/dialogs/{dialog_id}/messages", add_message, methods=["POST"])],
    lifespan=lifespan,
)
