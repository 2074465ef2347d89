"""What a plugin says of itself: its health and its manifest."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from generated import models
from generated.runtime import strict_json
from generated.runtime.problems import ProblemError
from generated.runtime.validation import read_json
from impl.outgoing.answer import AnswerTooLargeError, read_capped
from impl.outgoing.client import OutgoingClient
from impl.outgoing.urls import ForbiddenUrlError

MOST_BYTES = 256 * 1024  # of a manifest, however it is written


class NoAnswerError(Exception):
    """There is no answer to judge; its text says why, and holds nothing that the plugin sent."""


NO_HEADERS: Mapping[str, str] = {}


async def illness(
    client: OutgoingClient,
    base_url: str,
    timeout_seconds: float,
    headers: Mapping[str, str] = NO_HEADERS,
) -> str | None:
    """Why `GET /health` is no good answer; None where it answers as the contract says, in time."""
    try:
        content = await _get(client, base_url, "/health", timeout_seconds, headers)
        status = read_json(models.PluginHealthV1, content).status
    except NoAnswerError as error:
        return f"/health: {error}"
    except ProblemError as problem:
        places = ", ".join(f"{fault.pointer} {fault.code}" for fault in problem.errors[:3])
        return f"/health breaks the contract: {problem.code} {places}".strip()
    return None if status == "ok" else f"/health says {status}"


async def manifest(
    client: OutgoingClient, base_url: str, timeout_seconds: float, headers: Mapping[str, str]
) -> dict[str, Any] | None:
    """What `GET /manifest` answers, if that is a JSON object; nothing of it is checked."""
    try:
        content = await _get(client, base_url, "/manifest", timeout_seconds, headers)
        value = strict_json.parse(content)
    except (NoAnswerError, ProblemError):
        return None
    return value if isinstance(value, dict) else None


async def _get(
    client: OutgoingClient,
    base_url: str,
    path: str,
    timeout_seconds: float,
    headers: Mapping[str, str],
) -> bytes:
    """Raises NoAnswerError."""
    try:
        target = client.target(base_url.rstrip("/") + path)
        async with asyncio.timeout(timeout_seconds), client.get(target, headers) as response:
            if response.status != 200:
                raise NoAnswerError(f"status {response.status}")
            if response.content_type != "application/json":
                raise NoAnswerError("not application/json")
            return await read_capped(response, MOST_BYTES)
    except TimeoutError:
        raise NoAnswerError(f"no answer within {timeout_seconds:g} s") from None
    except AnswerTooLargeError:
        raise NoAnswerError(f"more than {MOST_BYTES} bytes") from None
    except ForbiddenUrlError as error:
        raise NoAnswerError(f"may not be asked: {error}") from None
    except aiohttp.ClientConnectorError as error:
        raise NoAnswerError(f"no connection ({type(error.os_error).__name__})") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: aiohttp's, of a URL
        raise NoAnswerError(type(error).__name__) from None
