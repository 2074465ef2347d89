"""The endpoint as a good team writes it by habit: FastAPI, SQLAlchemy's ORM, a shared httpx client.

Bodies are checked by pydantic, the session is a dependency, and no transaction is open while the
plugin works. Nobody is asked who he is, and nothing is counted or answered twice alike.
"""

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from tests.load.peers.idiomatic_tables import (
    AuditLog,
    BotUser,
    Dialog,
    Message,
    MessageKey,
    OutboxEntry,
    PluginCall,
    PluginEvent,
)
from tests.load.peers.settings import PeerSettings, routing

SETTINGS = PeerSettings.read()
HISTORY = 10

# As SQLAlchemy spells it for asyncpg.
DATABASE = SETTINGS.database_url.replace("postgresql://", "postgresql+asyncpg://").replace(
    "sslmode=", "ssl="
)

engine = create_async_engine(DATABASE, pool_size=10)
make_session = async_sessionmaker(engine, expire_on_commit=False)


class Payload(BaseModel):
    type: Literal["text"]
    text: str = Field(min_length=1, max_length=4096)
    attachments: list[dict[str, Any]] = []


class MessageIn(BaseModel):
    user_id: UUID
    message_id: str = Field(min_length=1, max_length=128)
    payload: Payload
    metadata: dict[str, Any] = {}


class HistoryMessage(BaseModel):
    sender_type: str
    payload: dict[str, Any]
    created_at: datetime
    message_id: str | None
    plugin_id: UUID | None


class Context(BaseModel):
    locale: str | None
    metadata: dict[str, Any]
    messages: list[HistoryMessage]


class Invocation(BaseModel):
    invocation_id: UUID
    dialog_id: UUID
    user_id: UUID
    trace_id: UUID
    intent: str | None = None
    payload: Payload
    context: Context
    deadline_ms: int = 8000
    dry_run: bool = False


class PluginAnswer(BaseModel):
    text: str
    trace_id: UUID
    content_type: str = "text/plain"
    suggested_actions: list[dict[str, Any]] = []
    attachments: list[dict[str, Any]] = []
    usage: dict[str, Any] | None = None
    confidence: float | None = None


class PluginMessage(BaseModel):
    plugin_id: UUID
    content: str
    content_type: str
    suggested_actions: list[dict[str, Any]]


class MessageOut(BaseModel):
    dialog_id: UUID
    trace_id: UUID
    plugin_responses: list[PluginMessage]
    usage: dict[str, Any] | None
    status: str
    error: dict[str, Any] | None


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=SETTINGS.plugin_url, timeout=8) as client:
        app.state.plugin = client
        yield
    await engine.dispose()


async def get_session() -> AsyncIterator[AsyncSession]:
    async with make_session() as session:
        yield session


def get_plugin(request: Request) -> httpx.AsyncClient:
    client: httpx.AsyncClient = request.app.state.plugin
    return client


Session = Annotated[AsyncSession, Depends(get_session)]
Plugin = Annotated[httpx.AsyncClient, Depends(get_plugin)]

app = FastAPI(lifespan=lifespan)


@app.post("/api/v1/dialogs/{dialog_id}/messages")
async def add_message(
    dialog_id: UUID, body: MessageIn, session: Session, plugin: Plugin
) -> MessageOut:
    user = await session.get(BotUser, (SETTINGS.bot_id, body.user_id))
    if user is None:
        raise HTTPException(404, "no such user")
    dialog = await session.get(Dialog, dialog_id)
    if dialog is None:
        session.add(Dialog(id=dialog_id, bot_id=SETTINGS.bot_id, user_id=body.user_id))
        await session.flush()
    else:
        dialog.updated_at = datetime.now(UTC)
    history = await read_history(session, dialog_id)
    invocation = Invocation(
        invocation_id=uuid4(),
        dialog_id=dialog_id,
        user_id=body.user_id,
        trace_id=uuid4(),
        payload=body.payload,
        context=Context(locale=user.locale, metadata=body.metadata, messages=history),
    )
    key, call = take_in(session, body, invocation)
    await session.commit()

    started = time.monotonic()
    response = await plugin.post("/invoke", json=invocation.model_dump(mode="json"))
    response.raise_for_status()
    answer = PluginAnswer.model_validate(response.json())
    call.latency_ms = int((time.monotonic() - started) * 1000)

    result = MessageOut(
        dialog_id=dialog_id,
        trace_id=invocation.trace_id,
        plugin_responses=[
            PluginMessage(
                plugin_id=SETTINGS.plugin_id,
                content=answer.text,
                content_type=answer.content_type,
                suggested_actions=answer.suggested_actions,
            )
        ],
        usage=answer.usage,
        status="accepted",
        error=None,
    )
    finish(session, call, answer)
    key.response = result.model_dump_json().encode()
    await session.commit()
    return result


async def read_history(session: AsyncSession, dialog_id: UUID) -> list[HistoryMessage]:
    newest = await session.scalars(
        select(Message)
        .where(Message.dialog_id == dialog_id)
        .order_by(Message.seq.desc())
        .limit(HISTORY)
    )
    return [
        HistoryMessage.model_validate(message, from_attributes=True)
        for message in reversed(newest.all())
    ]


def take_in(
    session: AsyncSession, body: MessageIn, invocation: Invocation
) -> tuple[MessageKey, PluginCall]:
    now = datetime.now(UTC)
    key = MessageKey(
        dialog_id=invocation.dialog_id,
        message_id=body.message_id,
        fingerprint=hashlib.sha256(body.model_dump_json().encode()).digest(),
        invocation_id=invocation.invocation_id,
    )
    message = Message(
        dialog_id=invocation.dialog_id,
        sender_type="user",
        payload=body.payload.model_dump(mode="json"),
        message_id=body.message_id,
        trace_id=invocation.trace_id,
    )
    call = PluginCall(
        plugin_id=SETTINGS.plugin_id,
        dialog_id=invocation.dialog_id,
        user_id=body.user_id,
        invocation_id=invocation.invocation_id,
        message_id=body.message_id,
        trace_id=invocation.trace_id,
        request_payload=invocation.model_dump(mode="json", exclude={"context": {"messages"}}),
        routing=routing(SETTINGS.plugin_id),
        status="in_progress",
        started_at=now,
        lease_until=now + timedelta(seconds=30),
        deadline_at=now + timedelta(seconds=300),
    )
    session.add_all([key, message, call])
    publish(session, call, "plugin_invocation_started")
    return key, call


def finish(session: AsyncSession, call: PluginCall, answer: PluginAnswer) -> None:
    call.status = "succeeded"
    call.response_payload = answer.model_dump(mode="json")
    call.finished_at = datetime.now(UTC)
    call.lease_until = None
    reply = Message(
        dialog_id=call.dialog_id,
        sender_type="plugin",
        plugin_id=call.plugin_id,
        payload={"type": "text", "text": answer.text, "attachments": answer.attachments},
        trace_id=call.trace_id,
    )
    session.add(reply)
    publish(session, call, "plugin_invocation_completed")


def publish(session: AsyncSession, call: PluginCall, event_type: str) -> None:
    """The event's row, its audit entry and its way to the stream."""
    now = datetime.now(UTC)
    payload = {
        "status": call.status,
        "dialog_id": str(call.dialog_id),
        "plugin_id": str(call.plugin_id),
        "error_code": None,
        "started_at": call.started_at.isoformat(),
        "finished_at": call.finished_at.isoformat() if call.finished_at else None,
        "invocation_id": str(call.invocation_id),
        "request_payload": None,
        "response_payload": None,
    }
    event_id = uuid4()
    body = {
        "event_id": str(event_id),
        "event_type": event_type,
        "source": "core",
        "severity": "info",
        "trace_id": str(call.trace_id),
        "plugin_id": str(call.plugin_id),
        "dialog_id": str(call.dialog_id),
        "occurred_at": now.isoformat(),
        "payload": payload,
    }
    session.add_all(
        [
            PluginEvent(
                id=event_id,
                plugin_id=call.plugin_id,
                source="core",
                event_type=event_type,
                payload=payload,
                dialog_id=call.dialog_id,
                occurred_at=now,
            ),
            AuditLog(
                event_id=event_id,
                source="core",
                action=event_type,
                details=payload,
                trace_id=call.trace_id,
            ),
            OutboxEntry(
                event_id=event_id, stream=f"plugin:invocations:{call.plugin_id}", body=body
            ),
        ]
    )
