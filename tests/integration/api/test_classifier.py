"""The local classifier from a registration to an answer, and its training's bad days."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from generated.metrics import Metrics, make_metrics
from impl.plugins.catalogue import Catalogue
from impl.routing.classifier import queries
from impl.routing.classifier.local import LocalClassifier
from impl.routing.classifier.port import Meaning, Meanings
from impl.routing.classifier.trainer import Trainer, TrainingError, trained
from impl.settings import Settings
from tests.stack import Api, ScriptedPlugin

WEATHER = ["what is the weather in berlin", "will it rain tomorrow", "is it cold outside"]
PIZZA = ["order a pizza", "i want a margherita", "pizza delivery to my home"]


def classifier_intent(tag: str, examples: list[str]) -> dict[str, Any]:
    return {"tag": tag, "activation_condition": {"type": "classifier"}, "examples": examples}


def trainer(pool: asyncpg.Pool, metrics: Metrics | None = None, **changed: object) -> Trainer:
    values = {"every_seconds": 0.05, "training_seconds": 120.0} | changed
    catalogue = Catalogue(pool, "text_reply")
    return Trainer(pool, catalogue, metrics or make_metrics(), **values)  # type: ignore[arg-type]  # each value as its parameter is typed


def command(script: str) -> tuple[str, ...]:
    return (sys.executable, "-c", script)


HANGS = command("import time; time.sleep(600)")
FAILS = command("raise SystemExit('no such luck')")


async def count(pool: asyncpg.Pool) -> int:
    found: int = await pool.fetchval("SELECT count(model) FROM classifier_models")
    return found


async def routed(api: Api, user: str, pool: asyncpg.Pool, text: str) -> dict[str, object]:
    """The stored decision of a message that is sent."""
    message_id = uuid4().hex
    answer = await api.say(user, text, message_id=message_id)
    assert answer.status == 200, answer.raw
    found: dict[str, object] = await pool.fetchval(
        "SELECT routing FROM plugin_calls WHERE message_id = $1", message_id
    )
    return found


async def decided_by(
    api: Api, user: str, pool: asyncpg.Pool, text: str, stage: str
) -> dict[str, object]:
    async with asyncio.timeout(60):
        while (found := await routed(api, user, pool, text))["stage"] != stage:
            pass
    return found


async def test_a_message_goes_where_its_meaning_says(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user = await api.user()
    await api.add_plugin(text_reply.url, "weather", classifier_intent("forecast", WEATHER))
    before = await routed(api, user, pool, "will it be cold in berlin tomorrow")
    assert (before["stage"], before["plugin"]) == ("fallback", "text_reply")

    assert await trainer(pool).train_if_needed()
    after = await decided_by(api, user, pool, "will it be cold in berlin tomorrow", "classifier")
    assert (after["plugin"], after["intent"]) == ("weather", "forecast")
    model = await pool.fetchrow("SELECT * FROM classifier_models")
    told = after["classifier"]
    assert isinstance(told, dict)
    assert told["name"] == "local"
    assert (told["version"], told["catalogue_version"]) == (
        model["version"],
        model["catalogue_version"],
    )
    other = await routed(api, user, pool, "my brother painted the old fence")
    assert (other["stage"], other["plugin"]) == ("fallback", "text_reply")


async def test_the_old_model_answers_until_the_new_one_is_there(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    user = await api.user()
    await api.add_plugin(text_reply.url, "weather", classifier_intent("forecast", WEATHER))
    assert await trainer(pool).train_if_needed()
    first = await decided_by(api, user, pool, "will it rain tomorrow", "classifier")

    await api.add_plugin(text_reply.url, "pizza", classifier_intent("order", PIZZA))
    meanwhile = await routed(api, user, pool, "will it rain tomorrow")
    assert meanwhile["classifier"] == first["classifier"]
    assert meanwhile["stage"] == "classifier"

    assert await trainer(pool).train_if_needed()
    later = await decided_by(api, user, pool, "order a big pizza", "classifier")
    assert (later["plugin"], later["intent"]) == ("pizza", "order")
    assert later["classifier"] != first["classifier"]


async def test_of_two_workers_one_trains(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    await api.add_plugin(text_reply.url, "weather", classifier_intent("forecast", WEATHER))
    begun = tmp_path / "begun"
    told = command(
        f"open({str(begun)!r}, 'a').write('x'); import runpy;"
        " runpy.run_module('impl.routing.classifier.train', run_name='__main__')"
    )
    done = await asyncio.gather(*(trainer(pool, command=told).train_if_needed() for _ in range(2)))
    assert sorted(done) == [False, True]
    assert not await trainer(pool, command=told).train_if_needed()
    assert begun.read_text() == "x"
    assert await count(pool) == 1


async def test_a_claim_is_one_workers_until_its_time_is_over(pool: asyncpg.Pool) -> None:
    assert await queries.claim(pool, "v1", 60) == 1
    assert await queries.claim(pool, "v1", 60) is None
    await queries.give_back(pool, "v1", 1, -1)
    assert await queries.claim(pool, "v1", 60) == 2
    await queries.give_back(pool, "v1", 1, -1)  # of the worker that was too late
    assert await queries.claim(pool, "v1", 60) is None
    assert await queries.publish(pool, "v1", "version", b"model", tags=1, seconds=1)
    await pool.execute("UPDATE classifier_models SET claimed_until = now() - interval '1 s'")
    assert await queries.claim(pool, "v1", 60) is None


async def test_nothing_is_trained_without_intents_of_the_classifier(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    assert not await trainer(pool, command=FAILS).train_if_needed()
    assert await pool.fetchval("SELECT count(*) FROM classifier_models") == 0


@pytest.mark.parametrize(("script", "seconds"), [(HANGS, 0.3), (FAILS, 60.0)], ids=["hang", "fail"])
async def test_a_training_that_fails_is_counted_and_due_again_later(
    api: Api,
    text_reply: ScriptedPlugin,
    pool: asyncpg.Pool,
    script: tuple[str, ...],
    seconds: float,
) -> None:
    await api.add_plugin(text_reply.url, "weather", classifier_intent("forecast", WEATHER))
    metrics = make_metrics()
    ill = trainer(pool, metrics, command=script, training_seconds=seconds)
    assert not await ill.train_if_needed()
    failed = metrics.classifier_trainings_total.at("failed")
    assert failed._value.get() == 1
    assert not await ill.train_if_needed()  # not due yet
    assert failed._value.get() == 1
    await pool.execute("UPDATE classifier_models SET claimed_until = now() - interval '1 s'")
    assert await trainer(pool).train_if_needed()
    assert await pool.fetchval("SELECT attempts FROM classifier_models") == 2


async def test_a_model_that_is_too_large_is_a_failed_training() -> None:
    large = command("import sys; sys.stdout.write('x' * (65 << 20))")
    with pytest.raises(TrainingError, match="more than"):
        await trained(Meanings({"a": Meaning()}, "v"), 120, large)


async def test_the_reason_of_a_failed_training_is_told() -> None:
    with pytest.raises(TrainingError, match="no such luck"):
        await trained(Meanings({"a": Meaning()}, "v"), 60, FAILS)


async def test_a_worker_that_stops_leaves_no_child_and_no_claim(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    await api.add_plugin(text_reply.url, "weather", classifier_intent("forecast", WEATHER))
    mark = tmp_path / "pid"
    hangs = f"import os, time; open({str(mark)!r}, 'w').write(f'{{os.getpid()}} '); time.sleep(600)"
    task = asyncio.create_task(trainer(pool, command=command(hangs)).run())
    async with asyncio.timeout(60):
        while not mark.exists() or not mark.read_text().endswith(" "):  # noqa: ASYNC110  # a file
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)
    assert await trainer(pool).train_if_needed()


async def test_a_stored_model_that_is_broken_is_refused_once(
    pool: asyncpg.Pool, settings: Settings
) -> None:
    meanings = Meanings({"a": Meaning(("one",)), "b": Meaning(("two",))}, "v1")
    classifier = LocalClassifier(pool)
    model = await trained(meanings, 120)
    assert await queries.claim(pool, "v1", 60)
    assert await queries.publish(pool, "v1", "good", model, tags=2, seconds=1)
    await classifier.follow(meanings)
    newer = Meanings({"a": Meaning(("one", "more")), "b": Meaning(("two",))}, "v2")
    assert await queries.claim(pool, "v2", 60)
    assert await queries.publish(pool, "v2", "bad", model[:-50], tags=2, seconds=1)
    for _ in range(2):
        await classifier.follow(newer)
    answer = await classifier.classify("one", newer)
    assert answer is not None
    assert (answer.version, answer.scores[0][0]) == ("good", "a")


async def test_only_the_latest_models_are_kept(pool: asyncpg.Pool) -> None:
    for number in range(5):
        version = f"v{number}"
        assert await queries.claim(pool, version, 60)
        assert await queries.publish(pool, version, version, b"model", tags=1, seconds=1)
    kept = await pool.fetch("SELECT catalogue_version AS v FROM classifier_models ORDER BY 1")
    assert [row["v"] for row in kept] == ["v2", "v3", "v4"]


def test_a_core_without_intents_of_the_classifier_loads_nothing_of_it() -> None:
    script = """
import sys
import impl.app, impl.worker, impl.routing.classifier.local, impl.routing.classifier.trainer
found = {"numpy", "scipy", "sklearn", "tokenizers", "openai"} & sys.modules.keys()
sys.exit(f"loaded: {sorted(found)}" if found else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)  # noqa: PLW1510  # the next line looks at it
    assert done.returncode == 0, done.stderr
