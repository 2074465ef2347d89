"""A third form of the manifest is one new file: nothing else knows what its manifests look like."""

import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from impl.plugins import manifests
from tests.integration.api.test_plugin_manifests import faults, registration
from tests.stack import Api, ScriptedPlugin

# It would also do for a 1.1: its intents are objects. It says otherwise what the core routes by.
FORM_2_0 = """
from generated import models
from impl.plugins.manifests.form import Adapted, read


class Form:
    def fits(self, raw):
        return raw.get("form") == "2.0"

    def adapt(self, raw):
        given = {name: raw[name] for name in raw if name not in ("form", "once", "fallback")}
        given["supported_schema_versions"] = ["v1alpha"]
        given["auth"] = {"type": "bearer"}
        given["capabilities"] = {"supports_retry": not raw["once"]}
        given["intents"] = [
            {"tag": one["tag"], "activation_condition": {"type": "regex", "value": one["regex"]}}
            for one in raw["intents"]
        ]
        return Adapted(read(models.PluginManifestV1, given), raw["fallback"])


FORM = Form()
"""
NEWEST: dict[str, Any] = {
    "form": "2.0",
    "name": "weather",
    "version": "1.0.0",
    "intents": [{"tag": "forecast", "regex": "^/weather"}],
    "once": True,
    "fallback": True,
}


@pytest.fixture(autouse=True)
def third_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "form_2_0.py").write_text(FORM_2_0)
    monkeypatch.setattr(manifests, "__path__", [*manifests.__path__, str(tmp_path)])
    name = f"{manifests.__name__}.form_2_0"
    monkeypatch.setitem(sys.modules, name, None)  # put back: nobody else has this form
    del sys.modules[name]
    monkeypatch.setattr(manifests, "FORMS", manifests._found())  # as at its import


async def test_its_manifest_is_registered_routed_to_and_compared(
    api: Api, plugin: ScriptedPlugin, pool: asyncpg.Pool
) -> None:
    answer = await api.register(registration(plugin.url, NEWEST))
    assert answer.status == 201, answer.raw
    row = await pool.fetchrow("SELECT * FROM plugins")
    assert (row["manifest"], row["status"]) == (NEWEST, "active")
    assert (row["is_fallback"], row["supports_retry"]) == (True, False)
    for text, intent in (("/weather Rome", "forecast"), ("Hello!", None)):
        said = await api.say(await api.user(), text)
        assert said.json["status"] == "accepted", said.raw
        assert plugin.calls[-1]["intent"] == intent
    assert (await api.register(registration(plugin.url, NEWEST))).status == 200
    other = {**NEWEST, "once": False}
    assert (await api.register(registration(plugin.url, other))).status == 409


async def test_what_is_wrong_in_it_is_told(api: Api, plugin: ScriptedPlugin) -> None:
    intent = NEWEST["intents"][0]
    twice = {**NEWEST, "intents": [intent, intent]}
    answer = await api.register(registration(plugin.url, twice))
    assert faults(answer) == [("/manifest/intents/1/tag", "duplicate")]


async def test_the_older_ones_are_read_as_before(api: Api, plugin: ScriptedPlugin) -> None:
    assert [type(form).__module__.rpartition(".")[2] for form in manifests.FORMS] == [
        "form_2_0",
        "form_1_1",
        "form_1_0",
    ]
    old = {"name": "chitchat", "version": "0.9.0", "intents": ["smalltalk"], "is_default": True}
    assert (await api.register(registration(plugin.url, old))).status == 201
    assert (await api.add_plugin(plugin.url))["plugin_id"]
