from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from impl.llm.openai.client import OpenAIClient
from tests.fake_llm import FakeLLM, fake_llm
from tests.integration.llm.clients import openai_client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server() -> AsyncIterator[FakeLLM]:
    async with fake_llm() as llm:
        yield llm


@pytest.fixture
def llm(server: FakeLLM) -> FakeLLM:
    server.forget()
    return server


@pytest_asyncio.fixture
async def client(llm: FakeLLM) -> AsyncIterator[OpenAIClient]:
    async with openai_client(llm.url) as client:
        yield client
