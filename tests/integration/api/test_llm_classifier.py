"""Messages that a language model classifies, over HTTP: whatever it does, they are answered."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from redis.asyncio import Redis

from impl.redis import request_client
from impl.settings import Settings
from tests import fake_llm as llms
from tests.fake_llm import (
    FakeLLM,
    chooses,
    drips,
    drops,
    fails,
    fake_llm,
    floods,
    hangs,
    says,
    sends,
)
from tests.integration.api.routed import Routed, routed_api
from tests.integration.cli.commands import botcore
from tests.integration.llm.injections import ANSWERS, INJECTIONS, PERMITTED
from tests.patience import PATIENT_SECONDS
from tests.stack import ScriptedPlugin, settings_but
from tests.unit.routing.tables import classifier_intent

HASTY_SECONDS = 0.5  # of who waits for a model that never answers
TEXT = "canary of what a user said"
TOLD = "SELECT count(*) FROM audit_logs WHERE action = 'llm_unavailable'"


@pytest_asyncio.fixture
async def llm() -> AsyncIterator[FakeLLM]:
    async with fake_llm() as llm:
        yield llm


@pytest.fixture
def seconds() -> float:
    return PATIENT_SECONDS


@pytest.fixture
def settings(settings: Settings, llm: FakeLLM, seconds: float) -> Settings:
    changed = {
        "classifier": "llm",
        "llm_base_url": llm.url,
        "llm_model": llms.MODEL,
        "llm_api_key": llms.KEY,
        "llm_window_calls": 1_000_000,  # a bad model is asked again and again
        "plugin_concurrency": 1000,
    }
    # More than a deployment may set.
    return settings_but(settings, **changed).model_copy(update={"classifier_llm_seconds": seconds})


@pytest_asyncio.fixture
async def routed(
    pool: asyncpg.Pool, settings: Settings, plugin: ScriptedPlugin
) -> AsyncIterator[Routed]:
    """Two plugins, `weather` and `time`; the local classifier is scripted."""
    async with routed_api(pool, settings, plugin) as running:
        await running.add("text_reply")
        for tag in PERMITTED:
            await running.add(tag, classifier_intent(tag, f"tell me the {tag}"))
        running.classifier.script = {TEXT: [("time", 0.9)]}
        yield running


async def test_the_model_decides_and_the_decision_says_so(routed: Routed, llm: FakeLLM) -> None:
    llm.will(chooses("weather", 0.8))
    decision = await routed.say(await routed.api.user(), TEXT, uuid4())
    assert (decision["stage"], decision["plugin"]) == ("classifier", "weather")
    assert decision["classifier"]["name"] == "llm"
    assert decision["classifier"]["version"] == llms.MODEL
    assert decision["classifier"]["fallback"] is None
    assert decision["candidates"][0]["score"] == 0.8
    assert routed.classifier.asked == []
    (request,) = llm.requests
    assert json.loads(request["messages"][1]["content"]) == {"message": TEXT}


@pytest.mark.parametrize("choice", [chooses(None), chooses("time", 0.1)], ids=["none", "unsure"])
async def test_what_fits_nothing_is_the_fallbacks(
    routed: Routed, llm: FakeLLM, choice: llms.Behaviour
) -> None:
    llm.will(choice)
    decision = await routed.say(await routed.api.user(), TEXT, uuid4())
    assert (decision["stage"], decision["plugin"]) == ("fallback", "text_reply")


@pytest.mark.parametrize(
    ("behaviour", "why", "seconds"),
    [
        (hangs, "timeout", HASTY_SECONDS),
        (drips, "timeout", HASTY_SECONDS),
        (fails(429), "rate_limited", PATIENT_SECONDS),
        (fails(429, Retry_After="3600"), "rate_limited", PATIENT_SECONDS),
        (fails(500), "unavailable", PATIENT_SECONDS),
        (drops, "unavailable", PATIENT_SECONDS),
        (sends("{rubbish"), "invalid_answer", PATIENT_SECONDS),
        (says("time"), "invalid_answer", PATIENT_SECONDS),
        (chooses("admin", 1), "invalid_answer", PATIENT_SECONDS),
        (floods(), "answer_too_large", PATIENT_SECONDS),
    ],
    ids=["hangs", "drips", "429", "429 later", "500", "drops", "rubbish", "free text",
         "unknown tag", "flood"],
)  # fmt: skip
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_whatever_the_model_does_the_message_is_answered_in_time_and_explained(
    routed: Routed, llm: FakeLLM, behaviour: llms.Behaviour, why: str, known: bool
) -> None:
    llm.will(behaviour)
    said = TEXT if known else "nobody knows"
    user = await routed.api.user()
    clock = asyncio.get_running_loop().time
    began = clock()
    sent = await routed.say(user, said, uuid4())
    assert clock() - began < PATIENT_SECONDS
    explained = await routed.explained(said)
    for decision in (sent, explained):
        assert decision["classifier"]["fallback"] == f"llm: {why}"
        assert decision["plugin"] == ("time" if known else "text_reply")
        assert decision["stage"] == ("classifier" if known else "fallback")


async def test_rules_ask_no_model(routed: Routed, llm: FakeLLM) -> None:
    user, dialog = await routed.api.user(), uuid4()
    llm.will(hangs)
    await routed.add(
        "rules", {"tag": "r", "activation_condition": {"type": "regex", "value": "^/r"}}
    )
    decision = await routed.say(user, "/r now", dialog)
    assert decision["stage"] == "command"
    assert llm.requests == []


async def obeys(request: web.Request) -> web.StreamResponse:
    body = await request.json()
    message = json.loads(body["messages"][-1]["content"])["message"]
    return await says(ANSWERS[message])(request)


async def test_no_injection_gets_more_than_a_permitted_tag(routed: Routed, llm: FakeLLM) -> None:
    llm.will(obeys)
    picked = set()
    for number, injection in enumerate(INJECTIONS):
        user = await routed.api.user(1 + number // 50)  # one alone may not ask so often
        answer = await routed.api.say(user, injection.text, dialog := uuid4())
        assert answer.status == 200, answer.raw
        decision = await routed.latest(dialog)
        assert decision["plugin"] in {*PERMITTED, "text_reply"}
        assert decision["intent"] in {*PERMITTED, None}
        assert all(one["intent"] in PERMITTED for one in decision["candidates"])
        assert injection.text not in json.dumps(decision, ensure_ascii=False)
        picked.add(decision["intent"])
    assert len(llm.requests) == len(INJECTIONS)
    assert picked == {*PERMITTED, None}


async def everything(pool: asyncpg.Pool, redis: Redis) -> str:
    """All that PostgreSQL and Redis hold, as text."""
    found = []
    for row in await pool.fetch("SELECT relname FROM pg_stat_user_tables"):
        rows = await pool.fetch(f'SELECT to_jsonb(t)::text FROM "{row["relname"]}" t')
        found += [f"{row['relname']} {one[0]}" for one in rows]
    async for key in redis.scan_iter("*"):
        name = str(key)
        kind = str(await redis.type(name))
        read = {"string": redis.get, "hash": redis.hgetall, "stream": redis.xrange}.get(kind)
        found.append(f"redis {name} {await read(name) if read else kind!r}")  # type: ignore[operator]  # its readers have several types
    return "\n".join(found)


async def test_the_key_is_found_nowhere_and_no_text_beside_the_messages(
    pool: asyncpg.Pool,
    settings: Settings,
    plugin: ScriptedPlugin,
    llm: FakeLLM,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The fake server repeats the key and the request in each of its errors."""
    watched = settings.model_copy(
        update={
            "llm_log": True, "llm_cache_seconds": 60, "llm_quotas": {"routing": 10**6},
            "llm_window_calls": 2,
        }
    )  # fmt: skip
    llm.will(chooses("time"), fails(500), fails(400), fails(400), fails(400), says(llms.KEY))
    redis = request_client(watched)
    async with routed_api(pool, watched, plugin) as routed:
        await routed.add("text_reply")
        await routed.add("time", classifier_intent("time", "what time is it"))
        user = await routed.api.user()
        for number in range(6):
            await routed.say(user, f"{TEXT} {number} {llms.KEY}", uuid4())
        async with asyncio.timeout(20):
            while not await pool.fetchval(TOLD):
                pass
        metrics = (await routed.api.send("GET", "/metrics")).raw.decode()
    held = await everything(pool, redis)
    await redis.aclose()
    output = "".join(capfd.readouterr())
    assert "llm_request" in output
    assert "llm_response" in output
    assert llms.KEY not in output
    assert llms.KEY not in metrics
    assert TEXT not in metrics
    assert 'llm_requests_total{operation="classify"' in metrics
    # A user's own words are kept as messages, whatever they are: nothing else holds them.
    kept = ("messages ", "plugin_calls ")
    for line in held.splitlines():
        if not line.startswith(kept):
            assert llms.KEY not in line
            assert TEXT not in line


async def test_an_equal_message_is_answered_without_the_model(
    pool: asyncpg.Pool, settings: Settings, plugin: ScriptedPlugin, llm: FakeLLM
) -> None:
    llm.will(chooses("time"))
    kept = settings.model_copy(update={"llm_cache_seconds": 60})
    async with routed_api(pool, kept, plugin) as routed:
        await routed.add("text_reply")
        await routed.add("time", classifier_intent("time", str(uuid4())))
        user = await routed.api.user()
        for said in ("What time?", "what  TIME?"):
            decision = await routed.say(user, said, uuid4())
            assert (decision["plugin"], decision["classifier"]["name"]) == ("time", "llm")
        assert len(llm.requests) == 1
        await routed.add("time", classifier_intent("time", "another example"), version="1.1.0")
        async with asyncio.timeout(20):  # as soon as this instance knows the catalogue
            while len(llm.requests) < 2:
                await routed.explained("what time?")


async def test_a_model_that_is_away_is_left_alone_and_comes_back(
    pool: asyncpg.Pool, settings: Settings, plugin: ScriptedPlugin, llm: FakeLLM
) -> None:
    llm.will(fails(401))
    llm.healthy = False
    changed = {"llm_window_calls": 5, "llm_probe_seconds": 0.05}
    async with routed_api(pool, settings.model_copy(update=changed), plugin) as routed:
        await routed.add("text_reply")
        await routed.add("time", classifier_intent("time", "what time is it"))
        for number in range(10):
            await routed.explained(f"{TEXT} {number}")
        assert len(llm.requests) == 5
        decision = await routed.explained(TEXT)
        assert decision["classifier"]["fallback"] == "llm: unavailable"
        llm.healthy = True
        llm.will(chooses("time"))
        async with asyncio.timeout(20):
            while (await routed.explained(TEXT))["classifier"]["fallback"] is not None:
                pass
    body = await pool.fetchval("SELECT body FROM outbox WHERE stream = 'plugin:events' "
                               "AND body->>'event_type' = 'llm_unavailable'")  # fmt: skip
    assert body["payload"]["error"]["code"] == "refused"
    assert body["payload"]["calls"] == 5


async def test_a_process_does_not_start_to_ask_a_model_that_is_not_named(tmp_path: Path) -> None:
    env = {
        "BOTCORE_DATABASE_URL": "postgresql://u:p@127.0.0.1:1/x",
        "BOTCORE_REDIS_URL": "redis://127.0.0.1:1",
        "BOTCORE_SECRET_KEY": "a test's secret key, long enough",
        "BOTCORE_CLASSIFIER": "llm",
    }
    ended = await botcore("serve", env=env, directory=tmp_path)
    assert ended.code == 2
    assert ended.err.strip() == (
        "botcore: BOTCORE_CLASSIFIER is llm: set BOTCORE_LLM_BASE_URL and BOTCORE_LLM_MODEL,"
        " or BOTCORE_CLASSIFIER=local"
    )
