import asyncio
from typing import Any

import aiohttp

from generated import models
from generated.runtime import strict_json
from generated.runtime.problems import ProblemError
from generated.runtime.validation import read_json
from impl.plugins.http import AnswerTooLargeError, read_capped

MOST_BYTES = 64 * 1024


async def manifest(
    session: aiohttp.ClientSession, base_url: str, timeout_seconds: float
) -> dict[str, Any] | None:
    """What `GET /manifest` serves, as it is; None where that is no strict JSON object in time."""
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            session.get(base_url.rstrip("/") + "/manifest", allow_redirects=False) as response,
        ):
            if response.status != 200 or response.content_type != "application/json":
                return None
            found = strict_json.parse(await read_capped(response, MOST_BYTES * 2))
    except (TimeoutError, AnswerTooLargeError, ProblemError, aiohttp.ClientError):
        return None
    except (OSError, ValueError):  # ValueError: as above
        return None
    return found if isinstance(found, dict) else None


async def healthy(session: aiohttp.ClientSession, base_url: str, timeout_seconds: float) -> bool:
    """Whether `GET /health` answers as the contract says, in time."""
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            session.get(base_url.rstrip("/") + "/health", allow_redirects=False) as response,
        ):
            if response.status != 200 or response.content_type != "application/json":
                return False
            content = await read_capped(response, MOST_BYTES)
            return read_json(models.PluginHealthV1, content).status == "ok"
    except (TimeoutError, AnswerTooLargeError, ProblemError, aiohttp.ClientError):
        return False
    except (OSError, ValueError):  # ValueError: a URL that aiohttp or IDNA does not take
        return False
