"""The provider `openai` over real HTTP: what it sends, what it believes, how often it asks."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from generated.models import LLMErrorV1
from impl.llm.errors import LLMError
from impl.llm.openai.client import OpenAIClient
from impl.llm.port import Turn
from impl.llm.times import Times
from impl.routing.classifier.port import Meaning, Meanings
from tests import fake_llm as llms
from tests.fake_llm import (
    FakeLLM,
    chooses,
    drips,
    drops,
    fails,
    floods,
    hangs,
    packs,
    says,
    sends,
    understands,
)
from tests.integration.llm.clients import MEANINGS, openai_client
from tests.ports import spare_port

TEXT = "canary of what a user said"
TURNS = [Turn("system", "Be kind."), Turn("user", TEXT)]
Ask = Callable[[OpenAIClient], Awaitable[Any]]
ASKED: dict[str, Ask] = {
    "invoke": lambda client: client.invoke(TURNS),
    "classify": lambda client: client.classify(TEXT, MEANINGS),
    "generate_code": lambda client: client.generate_code(TEXT, "python"),
}


async def refusal(answer: Awaitable[object]) -> LLMError:
    with pytest.raises(LLMError) as refused:
        await answer
    LLMErrorV1.model_validate(refused.value.error.model_dump())
    for told in (str(refused.value), refused.value.error.model_dump_json()):
        assert TEXT not in told
        assert llms.KEY not in told
    return refused.value


async def test_a_conversation_is_sent_as_it_is(client: OpenAIClient, llm: FakeLLM) -> None:
    llm.will(says("Hello."))
    answer = await client.invoke(TURNS)

    (request,) = llm.requests
    assert request == {
        "model": llms.MODEL,
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": TEXT},
        ],
    }
    assert llm.keys == [f"Bearer {llms.KEY}"]
    assert answer.text == "Hello."
    assert answer.cost.usage is not None
    assert answer.cost.usage.total_tokens == llms.USAGE["total_tokens"]


async def test_a_choice_is_asked_for_by_a_strict_schema_of_the_permitted_tags(
    client: OpenAIClient, llm: FakeLLM
) -> None:
    llm.will(chooses("weather", 0.8))
    choice = await client.classify(TEXT, MEANINGS)

    (request,) = llm.requests
    wanted = request["response_format"]["json_schema"]
    assert request["response_format"]["type"] == "json_schema"
    assert wanted["strict"] is True
    assert wanted["schema"]["properties"]["tag"]["enum"] == ["weather", "time", None]
    assert wanted["schema"]["additionalProperties"] is False
    system, user = request["messages"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert json.loads(user["content"]) == {"message": TEXT}
    assert TEXT not in system["content"]
    assert "Will it rain tomorrow?" in system["content"]
    assert (choice.tag, choice.confidence, choice.provider) == ("weather", 0.8, "openai")


async def test_code_is_asked_for_by_a_schema_too(client: OpenAIClient, llm: FakeLLM) -> None:
    llm.will(says(json.dumps({"code": "print(1)\n"})))
    answer = await client.generate_code("Print one.", "python")

    (request,) = llm.requests
    assert request["response_format"]["json_schema"]["schema"]["required"] == ["code"]
    user = json.loads(request["messages"][1]["content"])
    assert user == {"task": "Print one.", "language": "python"}
    assert (answer.code, answer.language) == ("print(1)\n", "python")


async def test_health_asks_for_the_models_and_costs_no_token(
    client: OpenAIClient, llm: FakeLLM
) -> None:
    await client.health()
    llm.healthy = False
    assert (await refusal(client.health())).code == "unavailable"
    assert (llm.looks, llm.requests) == (4, [])  # it was retried twice


@pytest.mark.parametrize("operation", ASKED)
@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_three_times(
    client: OpenAIClient, llm: FakeLLM, operation: str, status: int
) -> None:
    llm.will(fails(status))
    error = await refusal(ASKED[operation](client))

    assert len(llm.requests) == 3
    assert error.code == ("rate_limited" if status == 429 else "unavailable")
    assert error.error.retryable
    assert error.reason == f"status_{status}"


async def test_an_answer_after_two_failures_is_good(client: OpenAIClient, llm: FakeLLM) -> None:
    llm.will(fails(503), drops, chooses("time"))
    assert (await client.classify(TEXT, MEANINGS)).tag == "time"
    assert len(llm.requests) == 3


@pytest.mark.parametrize("retries", [0, 1, 4])
async def test_so_often_as_the_setting_says(llm: FakeLLM, retries: int) -> None:
    llm.will(fails(500))
    async with openai_client(llm.url, retries=retries) as client:
        await refusal(client.invoke(TURNS, seconds=30))
    assert len(llm.requests) == retries + 1


@pytest.mark.parametrize("status", [401, 403, 404, 413, 501])
async def test_what_would_fail_alike_is_not_tried_again(
    client: OpenAIClient, llm: FakeLLM, status: int
) -> None:
    llm.will(fails(status))
    error = await refusal(client.classify(TEXT, MEANINGS))
    assert len(llm.requests) == 1
    assert error.code == ("unavailable" if status == 501 else "refused")


async def test_the_server_says_when(client: OpenAIClient, llm: FakeLLM) -> None:
    llm.will(fails(429, Retry_After="0.6"), says("Hello."))
    clock = asyncio.get_running_loop().time
    began = clock()
    await client.invoke(TURNS)
    assert clock() - began >= 0.6
    assert len(llm.requests) == 2


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_nobody_waits_for_what_comes_too_late(
    client: OpenAIClient, llm: FakeLLM, form: str
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    llm.will(fails(429, Retry_After="3600" if form == "seconds" else later))
    assert (await refusal(client.invoke(TURNS))).code == "rate_limited"
    assert len(llm.requests) == 1


@pytest.mark.parametrize("value", ["soon", "", "-5", "nan", "inf", "Fri, 99 Foo 2026 07:00:00 GMT"])
async def test_nonsense_for_when_is_no_when(client: OpenAIClient, llm: FakeLLM, value: str) -> None:
    llm.will(fails(503, Retry_After=value), says("Hello."))
    assert (await client.invoke(TURNS)).text == "Hello."


async def test_nobody_there_is_unavailable() -> None:
    async with openai_client(f"http://127.0.0.1:{spare_port()}/v1") as client:
        error = await refusal(client.invoke(TURNS))
    assert (error.code, error.reason) == ("unavailable", "no_connection")


@pytest.mark.parametrize("operation", ASKED)
@pytest.mark.parametrize("behaviour", [hangs, drips], ids=["hangs", "drips"])
async def test_it_ends_in_time(llm: FakeLLM, operation: str, behaviour: llms.Behaviour) -> None:
    llm.will(behaviour)
    times = Times(invoke=0.2, classify=0.2, generate_code=0.2)
    async with openai_client(llm.url, times=times) as client, asyncio.timeout(20):
        assert (await refusal(ASKED[operation](client))).code == "timeout"


async def test_calls_that_were_left_take_no_connection_from_others(llm: FakeLLM) -> None:
    """More than the pool holds."""
    llm.will(hangs)
    async with openai_client(llm.url) as client:
        for _ in range(3):
            left = (client.invoke(TURNS, seconds=0.3) for _ in range(120))
            failed = await asyncio.gather(*left, return_exceptions=True)
            assert {error.code for error in failed if isinstance(error, LLMError)} == {"timeout"}
        llm.will(says("Hello."))
        assert (await client.invoke(TURNS, seconds=20)).text == "Hello."


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (sends("{rubbish"), "invalid_answer"),
        (sends("<html>", "text/html"), "invalid_answer"),
        (sends(""), "invalid_answer"),
        (sends('{"choices": []}'), "invalid_answer"),
        (says(None), "invalid_answer"),
        (says(""), "invalid_answer"),
        (floods(), "answer_too_large"),
        (floods(500), "answer_too_large"),
        (fails(307, Location="/v1/chat/completions"), "refused"),
        (fails(302, Location="http://127.0.0.1:9/"), "refused"),
    ],
    ids=[
        "rubbish", "html", "nothing", "no choice", "no text", "empty", "flood",
        "flood of an error", "307", "302",
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", ASKED)
async def test_what_is_no_answer_is_told_and_not_asked_for_again(
    client: OpenAIClient, llm: FakeLLM, operation: str, behaviour: llms.Behaviour, code: str
) -> None:
    llm.will(behaviour)
    assert (await refusal(ASKED[operation](client))).code == code
    assert len(llm.requests) == 1


async def test_a_packed_answer_is_not_unpacked(client: OpenAIClient, llm: FakeLLM) -> None:
    llm.will(packs)
    error = await refusal(client.invoke(TURNS))
    assert (error.code, error.reason) == ("invalid_answer", "compressed_answer")
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        chooses("admin"),
        chooses("weather", 95),
        chooses(["weather"]),
        says("weather"),
        says('{"tag": "weather", "confidence": 0.9} as you wished'),
        says("I am DAN now: {'tag': 'root'}"),
    ],
    ids=["unknown tag", "percent", "list", "bare", "chatter", "free text"],
)
async def test_no_choice_but_a_permitted_one(
    client: OpenAIClient, llm: FakeLLM, behaviour: llms.Behaviour
) -> None:
    llm.will(behaviour)
    error = await refusal(client.classify(TEXT, MEANINGS))
    assert error.code == "invalid_answer"
    assert error.usage is not None  # it was paid for


async def test_none_of_them_is_a_choice(client: OpenAIClient, llm: FakeLLM) -> None:
    llm.will(chooses(None, 0.99))
    assert (await client.classify(TEXT, MEANINGS)).tag is None


@pytest.mark.parametrize(
    ("forms", "asked"),
    [(("json_schema", "json_object"), 2), (("json_object",), 3)],
    ids=["no temperature", "no schema"],
)
async def test_a_server_that_knows_less_is_asked_as_it_understands(
    client: OpenAIClient, llm: FakeLLM, forms: tuple[str, ...], asked: int
) -> None:
    llm.will(understands(*forms, then=chooses("time")))
    assert (await client.classify(TEXT, MEANINGS)).tag == "time"
    assert len(llm.requests) == asked
    assert (await client.classify(TEXT, MEANINGS)).tag == "time"
    assert len(llm.requests) == asked + 1  # it is known now
    assert llm.requests[-1]["response_format"]["type"] == forms[0]


async def test_a_server_that_understands_nothing_is_asked_in_each_form_and_never_freely(
    client: OpenAIClient, llm: FakeLLM
) -> None:
    llm.will(fails(400))
    assert (await refusal(client.classify(TEXT, MEANINGS))).code == "refused"
    forms = [request["response_format"]["type"] for request in llm.requests]
    assert forms == ["json_schema", "json_schema", "json_object"]


async def test_without_a_schema_an_answer_is_checked_alike(
    client: OpenAIClient, llm: FakeLLM
) -> None:
    llm.will(understands("json_object", then=chooses("admin")))
    assert (await refusal(client.classify(TEXT, MEANINGS))).code == "invalid_answer"


async def test_more_tags_than_a_request_holds_are_not_asked_about(
    client: OpenAIClient, llm: FakeLLM
) -> None:
    many = Meanings({f"tag{number}": Meaning() for number in range(501)}, "many")
    assert (await refusal(client.classify(TEXT, many))).code == "not_supported"
    assert llm.requests == []


async def test_only_our_own_variables_configure_it(
    llm: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("OPENAI_ORG_ID", "somebody-elses")
    async with openai_client(llm.url, key=None) as client:
        assert (await client.invoke(TURNS)).text == "Hello."
    assert llm.keys == ["Bearer none"]
    assert "openai-organization" not in llm.headers[0]
