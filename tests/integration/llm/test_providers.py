"""One suite, on the model behind a server and on the local provider alike."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from impl.llm.errors import LLMError
from impl.llm.local import LocalClient
from impl.llm.port import LLMClient, Turn
from impl.routing.classifier.port import Meanings
from tests.fake_llm import FakeLLM, chooses, says
from tests.integration.llm.clients import MEANINGS, Words, openai_client


@pytest_asyncio.fixture(params=["openai", "local"])
async def provider(request: pytest.FixtureRequest, llm: FakeLLM) -> AsyncIterator[LLMClient]:
    if request.param == "local":
        yield LocalClient(Words())
    else:
        async with openai_client(llm.url) as client:
            yield client


async def test_it_says_something(provider: LLMClient) -> None:
    said = await provider.invoke([Turn("user", "Hello?")], language="en", seconds=5)
    assert said.text


@pytest.mark.parametrize("tag", ["weather", "time"])
async def test_it_chooses_a_permitted_tag(provider: LLMClient, llm: FakeLLM, tag: str) -> None:
    llm.will(chooses(tag))
    choice = await provider.classify(f"the {tag}?", MEANINGS, seconds=5)
    assert (choice.tag, choice.provider) == (tag, provider.provider)
    assert 0 < choice.confidence <= 1


@pytest.mark.parametrize("meanings", [MEANINGS, Meanings()], ids=["some", "none"])
async def test_it_may_find_none(provider: LLMClient, llm: FakeLLM, meanings: Meanings) -> None:
    llm.will(chooses(None))
    assert (await provider.classify("hello", meanings, seconds=5)).tag is None


async def test_it_writes_code_or_says_that_it_cannot(provider: LLMClient, llm: FakeLLM) -> None:
    llm.will(says('{"code": "print(1)"}'))
    if provider.provider == "local":
        with pytest.raises(LLMError, match="not_supported"):
            await provider.generate_code("Print one.", "python")
    else:
        assert (await provider.generate_code("Print one.", "python")).code == "print(1)"


async def test_it_is_well(provider: LLMClient) -> None:
    await provider.health(seconds=5)


async def test_the_local_one_needs_nobody() -> None:
    local = LocalClient()
    assert (await local.classify("weather", MEANINGS)).tag is None
    said = [(await local.invoke([], language=language)).text for language in ("en", "ru")]
    assert said[0].startswith("Your message has arrived")
    assert said[1].startswith("Сообщение получено")
    await local.close()
