"""What a plugin says of itself: its health and its manifest."""

import asyncio
from typing import Any

import aiohttp

from generated import models
from generated.runtime import strict_json
from generated.runtime.problems import ProblemError
from generated.runtime.validation import read_json
from impl.outgoing.answer import AnswerTooLargeError, read_capped
from impl.outgoing.client import OutgoingClient

MOST_BYTES = 256 * 1024  # of a manifest, however it is written


async def healthy(client: OutgoingClient, base_url: str, timeout_seconds: float) -> bool:
    """Whether `GET /health` answers as the contract says, in time."""
    content = await _get(client, base_url, "/health", timeout_seconds)
    if content is None:
        return False
    try:
        return read_json(models.PluginHealthV1, content).status == "ok"
    except ProblemError:
        return False


async def manifest(
    client: OutgoingClient, base_url: str, timeout_seconds: float
) -> dict[str, Any] | None:
    """What `GET /manifest` answers, if that is a JSON object; nothing of it is checked."""
    content = await _get(client, base_url, "/manifest", timeout_seconds)
    if content is None:
        return None
    try:
        value = strict_json.parse(content)
    except ProblemError:
        return None
    return value if isinstance(value, dict) else None


async def _get(
    client: OutgoingClient, base_url: str, path: str, timeout_seconds: float
) -> bytes | None:
    try:
        target = client.target(base_url.rstrip("/") + path)
        async with asyncio.timeout(timeout_seconds), client.get(target) as response:
            if response.status != 200 or response.content_type != "application/json":
                return None
            return await read_capped(response, MOST_BYTES)
    except (TimeoutError, AnswerTooLargeError, aiohttp.ClientError):
        return None
    except (OSError, ValueError):  # ValueError: a URL that is forbidden or that aiohttp refuses
        return None
