"""The router's classifier on a model: in time, only permitted tags, never an exception."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from impl.llm.availability import Bounds
from impl.llm.classifier import LLMClassifier
from impl.routing.classifier.port import Classified, Classifier, Meanings
from tests import fake_llm as llms
from tests.fake_llm import FakeLLM, chooses, drips, drops, fails, floods, hangs, says, sends
from tests.integration.llm.clients import MEANINGS, Words, router
from tests.integration.llm.injections import ANSWERS, INJECTIONS, PERMITTED

TEXT = "what about the weather"
BY_WORDS = Classified([("weather", 0.75)], "words", "1", MEANINGS.version)


class Broken:
    async def classify(self, text: str, meanings: Meanings) -> Classified | None:
        return None


async def classified(
    llm: FakeLLM,
    text: str = TEXT,
    *,
    instead: Classifier | None = None,
    seconds: float = 5.0,
    **options: Any,
) -> Classified | None:
    async with router(llm, **options) as found:
        return await LLMClassifier(found, instead, seconds).classify(text, MEANINGS)


async def test_the_models_choice_is_the_classifiers(llm: FakeLLM) -> None:
    llm.will(chooses("time", 0.8))
    found = await classified(llm, instead=Words())
    assert found == Classified([("time", 0.8)], "llm", llms.MODEL, MEANINGS.version)


async def test_where_the_model_finds_none_there_is_none(llm: FakeLLM) -> None:
    llm.will(chooses(None, 0.9))
    found = await classified(llm, instead=Words())
    assert found is not None
    assert (list(found.scores), found.fallback) == ([], None)


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        (hangs, "timeout"),
        (drips, "timeout"),
        (fails(429), "rate_limited"),
        (fails(429, Retry_After="60"), "rate_limited"),
        (fails(500), "unavailable"),
        (drops, "unavailable"),
        (fails(401), "refused"),
        (sends("{rubbish"), "invalid_answer"),
        (sends("<html>", "text/html"), "invalid_answer"),
        (says("weather"), "invalid_answer"),
        (chooses("admin"), "invalid_answer"),
        (floods(), "answer_too_large"),
    ],
    ids=["hangs", "drips", "429", "429 later", "500", "drops", "401", "rubbish", "html",
         "free text", "unknown tag", "flood"],
)  # fmt: skip
@pytest.mark.parametrize("instead", [Words(), Broken(), None], ids=["local", "broken", "nobody"])
async def test_whatever_the_model_does_another_answers_in_time_and_says_why(
    llm: FakeLLM, behaviour: llms.Behaviour, why: str, instead: Classifier | None
) -> None:
    llm.will(behaviour)
    async with asyncio.timeout(30):
        found = await classified(llm, instead=instead, seconds=0.3 if why == "timeout" else 20)
    assert found is not None
    assert found.fallback == f"llm: {why}"
    assert list(found.scores) == ([("weather", 0.75)] if isinstance(instead, Words) else [])


async def test_used_up_tokens_are_a_reason_too(llm: FakeLLM) -> None:
    found = await classified(llm, instead=Words(), limits={"routing": 0})
    assert found is not None
    assert found.fallback == "llm: quota_exceeded"
    assert llm.requests == []


async def test_while_the_model_is_away_the_local_one_answers_and_says_so(llm: FakeLLM) -> None:
    llm.will(fails(500))
    llm.healthy = False
    async with router(llm, bounds=Bounds(calls=1)) as found:
        classifier = LLMClassifier(found, Words(), 5.0)
        await classifier.classify("one", MEANINGS)
        asked = len(llm.requests)
        said = await classifier.classify(TEXT, MEANINGS)
    assert len(llm.requests) == asked
    assert said == Classified(BY_WORDS.scores, "words", "1", MEANINGS.version, "llm: unavailable")


async def test_a_mistake_of_ours_costs_no_message_its_answer(
    llm: FakeLLM, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_arguments: object) -> None:
        raise LookupError(TEXT)

    monkeypatch.setattr("impl.llm.openai.client.choosing", broken)
    found = await classified(llm, instead=Words())
    assert found is not None
    assert (list(found.scores), found.fallback) == ([("weather", 0.75)], "llm: failed")
    output = "".join(capfd.readouterr())
    assert "LookupError" in output
    assert TEXT not in output


async def test_nothing_to_choose_from_asks_nobody(llm: FakeLLM) -> None:
    async with router(llm) as found:
        said = await LLMClassifier(found, Words(), 5.0).classify(TEXT, Meanings())
    assert said is not None
    assert list(said.scores) == []
    assert llm.requests == []


async def obeys(request: web.Request) -> web.StreamResponse:
    """Answers what the message asks for."""
    body = await request.json()
    message = json.loads(body["messages"][-1]["content"])["message"]
    return await says(ANSWERS[message])(request)


def test_the_injections_are_many_and_differ() -> None:
    assert len({injection.text for injection in INJECTIONS}) == len(INJECTIONS) >= 200


async def test_no_injection_gets_more_than_a_permitted_tag(llm: FakeLLM) -> None:
    llm.will(obeys)
    got: dict[str, Classified | None] = {}
    bounds = Bounds(availability=0.01)  # rubbish from a model would have it left alone
    async with router(llm, bounds=bounds) as found:
        classifier = LLMClassifier(found, None, 20.0)
        for injection in INJECTIONS:
            got[injection.text] = await classifier.classify(injection.text, MEANINGS)
    assert len(llm.requests) == len(INJECTIONS)  # the model saw and obeyed each
    for injection in INJECTIONS:
        said = got[injection.text]
        assert said is not None
        assert all(tag in PERMITTED and 0 <= score <= 1 for tag, score in said.scores)
        for value in (said.fallback or "", said.classifier, said.version):
            assert injection.answer not in value
    # Some pick a permitted tag: so the server did obey, and it was read.
    assert {tag for said in got.values() if said for tag, _ in said.scores} == set(PERMITTED)
