"""What is asked of an OpenAI-compatible server, and what is read in its answers."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import structlog

from generated.models import LLMErrorCode, LLMProvider
from impl.llm.answers import (
    RefusedError,
    Said,
    UnusableError,
    read_choice,
    read_code,
    read_completion,
)
from impl.llm.errors import LLMError
from impl.llm.openai.server import OpenAIServer
from impl.llm.port import Choice, Code, Completion, Cost, Turn
from impl.llm.prompts import (
    CODE_SCHEMA,
    Prepared,
    TooManyTagsError,
    choosing,
    prepare,
    writing,
)
from impl.llm.sentences import Language
from impl.llm.times import Left, Times, given
from impl.routing.classifier.port import Meanings

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Form:
    """How a structured answer is asked for."""

    name: str
    schema: bool
    temperature: bool

    def options(self, name: str, schema: dict[str, Any]) -> dict[str, Any]:
        wanted: dict[str, Any] = {"type": "json_object"}
        if self.schema:
            described = {"name": name, "strict": True, "schema": schema}
            wanted = {"type": "json_schema", "json_schema": described}
        return {"response_format": wanted} | ({"temperature": 0} if self.temperature else {})


# Some models take no temperature, some servers know no schema. Each form is tried where the one
# before it is refused, and kept once it works. Never free text.
FORMS = (
    _Form("json_schema", schema=True, temperature=True),
    _Form("json_schema_without_temperature", schema=True, temperature=False),
    _Form("json_object", schema=False, temperature=False),
)
_NOT_UNDERSTOOD = frozenset({"status_400", "status_422"})


class OpenAIClient:
    """An LLMClient."""

    provider: LLMProvider = "openai"

    def __init__(self, server: OpenAIServer, times: Times) -> None:
        self.model = server.model
        self._server = server
        self._times = times
        self._prepared: Prepared | None = None
        self._form = 0

    async def invoke(
        self, turns: Sequence[Turn], *, language: Language = "en", seconds: float | None = None
    ) -> Completion:
        content = await self._server.complete(
            given(seconds, self._times.invoke), messages=_wire(turns)
        )
        said = _believed(lambda: read_completion(content, self.model))
        return Completion(said.text, _cost(turns, said))

    async def classify(
        self, text: str, meanings: Meanings, *, seconds: float | None = None
    ) -> Choice:
        prepared = self._prepare(meanings)
        turns = choosing(prepared, text)
        said = await self._structured(
            "intent", prepared.schema, turns, given(seconds, self._times.classify)
        )
        tag, confidence = _believed(lambda: read_choice(said, prepared.tags))
        return Choice(tag, confidence, self.provider, _cost(turns, said))

    async def generate_code(
        self, task: str, language: str, *, seconds: float | None = None
    ) -> Code:
        turns = writing(task, language)
        said = await self._structured(
            "code", CODE_SCHEMA, turns, given(seconds, self._times.generate_code)
        )
        return Code(_believed(lambda: read_code(said)), language, _cost(turns, said))

    async def health(self, *, seconds: float | None = None) -> None:
        await self._server.list_models(given(seconds, self._times.health))

    async def close(self) -> None:
        await self._server.close()

    async def _structured(
        self, name: str, schema: dict[str, Any], turns: Sequence[Turn], seconds: float
    ) -> Said:
        content = await self._in_some_form(name, schema, _wire(turns), seconds)
        return _believed(lambda: read_completion(content, self.model))

    async def _in_some_form(
        self, name: str, schema: dict[str, Any], messages: list[Any], seconds: float
    ) -> bytes:
        left = Left(seconds)
        for number, form in enumerate(FORMS[self._form :], self._form):
            try:
                content = await self._server.complete(
                    left.seconds(), messages=messages, **form.options(name, schema)
                )
            except LLMError as error:
                if error.reason not in _NOT_UNDERSTOOD or form is FORMS[-1]:
                    raise
            else:
                if number > self._form:
                    self._form = number
                    log.info("llm_form", form=form.name, model=self.model)
                return content
        raise AssertionError("the last form answers or raises")

    def _prepare(self, meanings: Meanings) -> Prepared:
        """Once for each catalogue: it takes a millisecond."""
        if self._prepared is None or self._prepared.version != meanings.version:
            try:
                self._prepared = prepare(meanings)
            except TooManyTagsError:
                raise LLMError("not_supported", self.provider, reason="too_many_tags") from None
        return self._prepared


def _cost(turns: Sequence[Turn], said: Said) -> Cost:
    return Cost(said.usage, sum(len(turn.content) for turn in turns) + len(said.text))


def _wire(turns: Sequence[Turn]) -> list[Any]:
    return [asdict(turn) for turn in turns]


def _believed(read: Callable[[], T]) -> T:
    try:
        return read()
    except UnusableError as error:
        refused = isinstance(error, RefusedError)
        code: LLMErrorCode = "refused" if refused else "invalid_answer"
        raise LLMError(code, "openai", reason=error.reason, usage=error.usage) from None
