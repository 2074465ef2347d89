"""Requests to an OpenAI-compatible server, by the official client: attempts, deadline, errors."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import openai

from generated.models import LLMErrorCode
from impl.llm.errors import LLMError
from impl.llm.exchange import ExchangeLog
from impl.llm.openai.transport import CappedTransport, EncodedError, TooLargeError
from impl.llm.retries import Retries, seconds_asked_for

T = TypeVar("T")

MAX_ANSWER_BYTES = 1024 * 1024
_WORTH_ANOTHER_TRY = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_LOGGERS = ("openai", "httpx2", "httpcore2")


class OpenAIServer:
    """Each call raises LLMError, within its seconds, all its attempts together."""

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str | None,
        *,
        retries: Retries,
        exchange: ExchangeLog,
        most_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        for name in _LOGGERS:  # OPENAI_LOG would have them write down what users say
            logging.getLogger(name).setLevel(logging.WARNING)
        self.model = model
        self._retries = retries
        self._exchange = exchange
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=0,  # its own know no deadline
            timeout=None,  # `_within` keeps the time of all attempts together
            default_headers={"Accept-Encoding": "identity"},
            http_client=openai.DefaultAsyncHttpxClient(
                transport=CappedTransport(most_bytes), trust_env=False, follow_redirects=False
            ),
        )
        # The client takes these from OPENAI_… variables, which are meant for something else.
        self._client.organization = self._client.project = None
        # Loads the rest of the package now, and not during the first answer.
        self._completions = self._client.chat.completions.with_raw_response
        self._models = self._client.models.with_raw_response

    async def complete(self, seconds: float, **body: Any) -> bytes:
        """The body of a good answer of `POST /chat/completions`."""

        async def ask() -> bytes:
            self._exchange.request(body)
            response = await self._completions.create(model=self.model, **body)
            content: bytes = response.content
            self._exchange.response(response.http_response.status_code, content)
            return content

        return await self._within(seconds, ask)

    async def list_models(self, seconds: float) -> None:
        """`GET /models`: costs no token, and every such server has it."""

        async def ask() -> None:
            await self._models.list()

        await self._within(seconds, ask)

    async def close(self) -> None:
        await self._client.close()

    async def _within(self, seconds: float, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(seconds) as limit:
                deadline = limit.when() or 0.0
                return await self._retries.run(lambda: self._attempt(ask), deadline)
        except TimeoutError:
            raise LLMError("timeout", "openai") from None

    async def _attempt(self, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            return await ask()
        except openai.APIStatusError as error:
            self._exchange.response(error.status_code, error.response.content)
            raise _of_status(error) from None
        except (openai.OpenAIError, TooLargeError, EncodedError, ValueError) as error:
            raise _of_failure(error) from None


def _of_status(error: openai.APIStatusError) -> LLMError:
    """By the status alone: a server may repeat the key or the message in its words."""
    status = error.status_code
    code: LLMErrorCode = "refused"
    if status == 429:
        code = "rate_limited"
    elif status >= 500 or status in _WORTH_ANOTHER_TRY:
        code = "unavailable"
    worth = status in _WORTH_ANOTHER_TRY
    retry_after = seconds_asked_for(error.response.headers) if worth else None
    return LLMError(code, "openai", reason=f"status_{status}", retry_after=retry_after)


def _of_failure(error: Exception) -> LLMError:
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    if isinstance(cause, TooLargeError):
        return LLMError("answer_too_large", "openai")
    if isinstance(cause, EncodedError):
        return LLMError("invalid_answer", "openai", reason="compressed_answer")
    if isinstance(error, openai.APIConnectionError):
        return LLMError("unavailable", "openai", reason="no_connection", retry_after=0.0)
    return LLMError("invalid_answer", "openai", reason=type(error).__name__)
