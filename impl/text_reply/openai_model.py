"""The model behind an OpenAI-compatible API. Import it only where a model is set: it is slow."""

import asyncio
import logging
from typing import TYPE_CHECKING

import openai

from impl.text_reply.model import ModelReply, ModelUnavailableError, read_completion

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

PAUSES = (0.1, 0.2)  # before the second and the third attempt, in seconds
_WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class OpenAIModel:
    def __init__(self, base_url: str, model: str, api_key: str | None) -> None:
        # OPENAI_LOG would have it write down what users say.
        logging.getLogger("openai").setLevel(logging.WARNING)
        self._model = model
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=0,  # its own know no deadline
            timeout=None,  # `reply` keeps the time of all attempts together
            http_client=openai.DefaultAsyncHttpxClient(trust_env=False, follow_redirects=False),
        )
        # Loads the rest of the package now, and not during the first answer.
        self._completions = self._client.chat.completions.with_raw_response

    async def close(self) -> None:
        await self._client.close()

    async def reply(self, turns: list["ChatCompletionMessageParam"], seconds: float) -> ModelReply:
        try:
            async with asyncio.timeout(seconds) as limit:
                content = await self._ask(turns, limit.when() or 0.0)
        except TimeoutError:
            raise ModelUnavailableError("timeout") from None
        except (openai.OpenAIError, ValueError) as error:
            raise ModelUnavailableError(_reason(error)) from None
        return read_completion(content, self._model)

    async def _ask(self, turns: list["ChatCompletionMessageParam"], deadline: float) -> bytes:
        for pause in PAUSES:
            try:
                return await self._attempt(turns)
            except openai.APIError as error:
                wait = _wait(error, pause)
                # An attempt that cannot start in time is not worth waiting for.
                if wait is None or asyncio.get_running_loop().time() + wait >= deadline:
                    raise
                await asyncio.sleep(wait)
        return await self._attempt(turns)

    async def _attempt(self, turns: list["ChatCompletionMessageParam"]) -> bytes:
        response = await self._completions.create(model=self._model, messages=turns)
        return response.content


def _wait(error: openai.APIError, pause: float) -> float | None:
    """Seconds until the next attempt; None where it would fail alike."""
    if isinstance(error, openai.APIStatusError):
        if error.status_code not in _WORTH_ANOTHER_TRY:
            return None
        return max(pause, _retry_after(error))
    return pause if isinstance(error, openai.APIConnectionError) else None


def _retry_after(error: openai.APIStatusError) -> float:
    try:
        return float(error.response.headers.get("retry-after", "0"))
    except ValueError:  # a date
        return 0.0


def _reason(error: Exception) -> str:
    """For the log. Never the error's own words: a server may repeat the key or the message."""
    if isinstance(error, openai.APIStatusError):
        return f"status_{error.status_code}"
    if isinstance(error, openai.APIConnectionError):
        return "no_connection"
    return type(error).__name__
