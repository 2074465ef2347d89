"""One attempt: a request out, the answer's bytes or a fault back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import aiohttp

from impl.outgoing.answer import AnswerTooLargeError, PackingError, read_capped
from impl.outgoing.client import OutgoingClient
from impl.outgoing.resolver import ForbiddenAddressError
from impl.outgoing.urls import Target
from impl.plugins.calls.outcome import ErrorCode
from impl.plugins.calls.retries import seconds_asked_for

BUSY = frozenset({429, 502, 503, 504})
# Why it may be tried again: no connection was made, it broke before an answer, or it was busy.
Again: TypeAlias = Literal["no_connection", "no_answer", "busy"]


@dataclass(frozen=True, slots=True)
class Fault:
    """`again` is None where another attempt helps nobody; `wait` is what the plugin asked for."""

    code: ErrorCode
    reason: str
    sent: bool = True
    again: Again | None = None
    wait: float | None = None
    lives: bool = False  # a limit of its own, perhaps for one user: no reason to shut it for all


async def attempt(
    client: OutgoingClient, target: Target, body: bytes, headers: Mapping[str, str], cap: int
) -> bytes | Fault:
    """Never raises for what a plugin does; it takes as long as the caller lets it."""
    began = False
    try:
        async with client.post(target, body, headers) as response:
            began = True
            return await _read(response, cap)
    except AnswerTooLargeError:
        return Fault("plugin_answer_too_large", f"over {cap} bytes")
    except PackingError as error:
        return Fault("plugin_answer_invalid", str(error))
    except aiohttp.ClientResponseError:
        return Fault("plugin_answer_invalid", "no HTTP")
    except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
        return _unconnected(error)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: of the URL
        again: Again | None = None if began or isinstance(error, ValueError) else "no_answer"
        return Fault("plugin_unavailable", type(error).__name__, again=again)


async def _read(response: aiohttp.ClientResponse, cap: int) -> bytes | Fault:
    status = response.status
    if status in BUSY:
        wait = seconds_asked_for(response.headers)
        return Fault(
            "plugin_unavailable", f"status {status}", again="busy", wait=wait, lives=status == 429
        )
    if status != 200:
        return Fault("plugin_rejected", f"status {status}")
    if response.content_type != "application/json":
        return Fault("plugin_answer_invalid", "not application/json")
    return await read_capped(response, cap)


def _unconnected(error: aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError) -> Fault:
    """A forbidden address or a wrong certificate is no better a moment later."""
    lasting = isinstance(error, aiohttp.ClientSSLError) or isinstance(
        getattr(error, "os_error", None), ForbiddenAddressError
    )
    reason = "forbidden address" if lasting else type(error).__name__
    if isinstance(error, aiohttp.ClientSSLError):
        reason = type(error).__name__
    again: Again | None = None if lasting else "no_connection"
    return Fault("plugin_unavailable", reason, sent=False, again=again)
