"""What a plugin serves as its manifest is held against what it registered."""

from typing import Any

import asyncpg
import pytest

from impl.metrics.queries import read_sample
from impl.plugins.manifests.canonical import manifest_hash
from impl.plugins.watcher import queries
from impl.plugins.watcher.watcher import Watcher
from impl.text_reply.manifest import MANIFEST
from tests.integration.plugins.rows import add, until
from tests.integration.plugins.test_watcher import running
from tests.patience import PATIENT_SECONDS
from tests.stack import ScriptedPlugin, manifest

DIFFERENCES = "SELECT details FROM audit_logs WHERE action = 'plugin_manifest_differs' ORDER BY id"
READ = "(SELECT served_manifest_hash IS NOT NULL FROM plugins)"


async def read_again(watcher: Watcher, pool: asyncpg.Pool) -> None:
    """As when 30 s have passed: one probe, which reads it, and its end."""
    await pool.execute("UPDATE plugins SET manifest_read_at = NULL, next_probe_at = now()")
    (due,) = await queries.claim(pool, 600, 10)
    assert due.reads_manifest
    await watcher._probe(due)


async def test_a_difference_is_told_once(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    plugin.manifest = {**manifest("weather"), "description": "Another."}
    await add(pool, plugin.url)
    async with running(watcher):
        await until(pool, READ)
    (row,) = await pool.fetch(DIFFERENCES)
    assert row["details"]["name"] == "weather"
    assert row["details"]["manifest_hash"] == manifest_hash(manifest("weather"))
    assert row["details"]["served_manifest_hash"] == manifest_hash(plugin.manifest)
    await read_again(watcher, pool)
    assert len(await pool.fetch(DIFFERENCES)) == 1
    assert (await read_sample(pool, PATIENT_SECONDS)).differing == 1
    plugin.manifest = {"rubbish": True}
    await read_again(watcher, pool)
    assert len(await pool.fetch(DIFFERENCES)) == 2
    plugin.manifest = manifest("weather")
    await read_again(watcher, pool)
    assert len(await pool.fetch(DIFFERENCES)) == 2
    assert await pool.fetchval("SELECT served_manifest_hash = manifest_hash FROM plugins")
    assert (await read_sample(pool, PATIENT_SECONDS)).differing == 0


@pytest.mark.parametrize(
    ("registered", "served"),
    [
        (manifest("weather"), {**manifest("weather"), "llm": None, "intents": []}),
        (
            manifest("weather"),
            {
                **manifest("weather"),
                "auth": {"scopes": [], "type": "bearer"},
                "golden_examples": [],
            },
        ),
        (
            {"name": "weather", "version": "1.0.0", "intents": ["forecast"]},
            {"intents": ["forecast"], "is_default": False, "version": "1.0.0", "name": "weather"},
        ),
        (
            MANIFEST.model_dump(mode="json"),
            MANIFEST.model_dump(mode="json", exclude_defaults=True),
        ),
    ],
)
async def test_a_default_that_is_written_out_is_no_difference(
    registered: Any, served: Any, watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    plugin.manifest = served
    await add(pool, plugin.url, described=registered)
    async with running(watcher):
        await until(pool, READ)
    assert await pool.fetch(DIFFERENCES) == []
    assert await pool.fetchval("SELECT served_manifest_hash = manifest_hash FROM plugins")


async def test_a_manifest_that_cannot_be_read_is_no_difference(
    watcher: Watcher, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    await add(pool, plugin.url)
    await read_again(watcher, pool)
    assert await pool.fetchval("SELECT served_manifest_hash FROM plugins") is None
