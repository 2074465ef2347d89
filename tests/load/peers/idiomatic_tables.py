"""The tables of a message, as ORM models: what a team declares that writes the endpoint itself."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, LargeBinary, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy's
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        bytes: LargeBinary,
    }


class BotUser(Base):
    __tablename__ = "bot_users"

    bot_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    locale: Mapped[str | None]


class Dialog(Base):
    __tablename__ = "dialogs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    bot_id: Mapped[UUID]
    user_id: Mapped[UUID]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class MessageKey(Base):
    __tablename__ = "message_keys"

    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id"), primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    invocation_id: Mapped[UUID]
    response: Mapped[bytes | None]


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id"))
    sender_type: Mapped[str]
    plugin_id: Mapped[UUID | None]
    payload: Mapped[dict[str, Any]]
    message_id: Mapped[str | None]
    trace_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PluginCall(Base):
    __tablename__ = "plugin_calls"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    plugin_id: Mapped[UUID]
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id"))
    user_id: Mapped[UUID]
    invocation_id: Mapped[UUID]
    message_id: Mapped[str]
    trace_id: Mapped[UUID]
    request_payload: Mapped[dict[str, Any]]
    response_payload: Mapped[dict[str, Any] | None]
    routing: Mapped[dict[str, Any]]
    latency_ms: Mapped[int | None]
    status: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    deadline_at: Mapped[datetime]


class PluginEvent(Base):
    __tablename__ = "plugin_events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    plugin_id: Mapped[UUID]
    source: Mapped[str]
    event_type: Mapped[str]
    payload: Mapped[dict[str, Any]]
    dialog_id: Mapped[UUID]
    occurred_at: Mapped[datetime]


class AuditLog(Base):
    __tablename__ = "audit_logs"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID]
    source: Mapped[str]
    action: Mapped[str]
    details: Mapped[dict[str, Any]]
    trace_id: Mapped[UUID]


class OutboxEntry(Base):
    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[UUID]
    stream: Mapped[str]
    body: Mapped[dict[str, Any]]
