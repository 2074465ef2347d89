"""What the tests of the queue ask of an API and of its database."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg

from tests.stack import Answer, Api

LATER = {"Prefer": "respond-async"}


async def say(  # noqa: PLR0917  # a message and how it is asked for
    api: Api,
    user: str,
    text: str,
    dialog: UUID | None = None,
    message_id: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """As `Api.say`, with headers."""
    body = {"user_id": user, "payload": {"type": "text", "text": text}, "message_id": message_id}
    path = f"/api/v1/dialogs/{dialog or uuid4()}/messages"
    return await api.bot("POST", path, json=body, headers=headers or {})


async def read(api: Api, dialog: UUID, message_id: str) -> Answer:
    return await api.bot("GET", f"/api/v1/dialogs/{dialog}/messages/{message_id}")


async def calls(pool: asyncpg.Pool) -> list[tuple[str, int, str | None]]:
    rows = await pool.fetch("SELECT status, attempt, error_code FROM plugin_calls ORDER BY id")
    return sorted(tuple(row) for row in rows)


async def told(pool: asyncpg.Pool, plugin: str = "%") -> list[tuple[str, str, str | None]]:
    """The events of calls, in the order of the outbox: type, the call's status, error code."""
    rows = await pool.fetch(
        "SELECT body FROM outbox WHERE stream LIKE $1 ORDER BY id", f"plugin:invocations:{plugin}"
    )
    bodies: list[dict[str, Any]] = [row["body"] for row in rows]
    return [
        (body["event_type"], body["payload"]["status"], body["payload"]["error_code"])
        for body in bodies
    ]


QUEUED = ("plugin_invocation_queued", "queued", None)
STARTED = ("plugin_invocation_started", "in_progress", None)
COMPLETED = ("plugin_invocation_completed", "succeeded", None)
