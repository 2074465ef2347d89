import asyncio

import aiohttp

from generated import models
from generated.runtime.problems import ProblemError
from generated.runtime.validation import read_json
from impl.plugins.http import AnswerTooLargeError, read_capped

MOST_BYTES = 64 * 1024


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
