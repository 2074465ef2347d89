"""Choices of a model, kept for a while in Redis: the same message need not be paid for again.

The key is a digest under the deployment's secret, so that a short message cannot be guessed from
it; the value is a tag and a confidence. Neither holds a text.
"""

import hashlib

import orjson

from generated.models import LLMProvider
from impl.llm.answers import Said, UnusableError, read_choice
from impl.llm.port import Choice
from impl.llm.shared import AwayError, SharedState
from impl.routing.classifier.features import folded
from impl.routing.classifier.port import Meanings

PREFIX = "llm:classify:"


class ChoiceCache:
    """Redis away, or what it holds unreadable: as if nothing were kept."""

    def __init__(self, shared: SharedState, seconds: int, secret: str = "") -> None:
        """`seconds` 0: nothing is kept."""
        self._shared = shared
        self._seconds = seconds
        self._secret = hashlib.sha256(f"llm cache {secret}".encode()).digest()

    def key(self, text: str, meanings: Meanings, model: str) -> str:
        parts = orjson.dumps([folded(text), meanings.version, model])
        return PREFIX + hashlib.blake2b(parts, key=self._secret, digest_size=24).hexdigest()

    async def get(self, key: str, meanings: Meanings, provider: LLMProvider) -> Choice | None:
        if not self._seconds:
            return None
        try:
            found = await self._shared.ask(lambda redis: redis.get(key))
            if found is None:
                return None
            tag, confidence = read_choice(Said(str(found), None), meanings.tags)
        except (AwayError, UnusableError):
            return None
        return Choice(tag, confidence, provider)

    async def put(self, key: str, choice: Choice) -> None:
        if not self._seconds:
            return
        value = orjson.dumps({"tag": choice.tag, "confidence": choice.confidence})
        try:
            await self._shared.ask(lambda redis: redis.set(key, value, ex=self._seconds))
        except AwayError:
            return
