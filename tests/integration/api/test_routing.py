"""What one plugin registers, or has in its row, harms no other and no instance."""

import asyncio

import asyncpg
import pytest

from tests.stack import Api, ScriptedPlugin, manifest, regex_intent

LARGE = "(?i)(abcdefgh|ijklmnop){1,900}"


@pytest.mark.parametrize(
    ("patterns", "pointer"),
    [
        ([LARGE + "x" * index for index in range(12)], "/manifest/intents"),
        (["[ab]{0,500}a[ab]{200}c" + "y" * index for index in range(6)], "/manifest/intents"),
        (["ok", r"\pL{100}"], "/manifest/intents/1/activation_condition/value"),
    ],
)
async def test_patterns_that_cost_too_much_are_refused_before_anything_is_stored(
    patterns: list[str], pointer: str, api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    intents = [regex_intent(f"t{index}", pattern) for index, pattern in enumerate(patterns)]
    described = manifest("evil", "1.0.0", *intents)
    body = {"name": "evil", "version": "1.0.0", "base_url": plugin.url, "manifest": described}
    answer = await api.register(body)
    assert (answer.status, answer.json["code"]) == (422, "validation_failed")
    errors = [(error["pointer"], error["code"]) for error in answer.json["errors"]]
    assert errors == [(pointer, "pattern_too_costly")]
    assert await pool.fetchval("SELECT count(*) FROM plugins") == 0


async def test_a_bad_row_stops_no_instance(
    api: Api, text_reply: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    await api.add_plugin(text_reply.url, "good", regex_intent("go", "go"))
    await api.add_plugin(text_reply.url, "bad")
    for intents in (
        [regex_intent(f"t{index}", LARGE + "x" * index) for index in range(12)],
        ["go"],
        [{"tag": "x", "activation_condition": {"type": "psychic"}, "priority": 0}],
    ):
        await pool.execute("UPDATE plugins SET intents = $1 WHERE name = 'bad'", intents)
        await asyncio.sleep(0.15)  # this instance looks again, twice at least
    answer = await api.say(await api.user(), "go")
    assert answer.json["status"] == "accepted", answer.raw
    assert text_reply.calls[-1]["intent"] == "go"
