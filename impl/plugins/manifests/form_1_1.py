"""Manifest 1.1: its intents say when they fire. It is the form in which the core thinks."""

from typing import Any

from generated import models
from impl.plugins.manifests.form import Adapted, read

# 1.0 demands neither: without intents they tell the two apart.
DEMANDED = ("auth", "supported_schema_versions")


class Form:
    def fits(self, raw: dict[str, Any]) -> bool:
        intents = raw.get("intents")
        if "is_default" in raw or not isinstance(intents, list):
            return False
        if not intents:
            return all(raw.get(name) is not None for name in DEMANDED)
        return all(isinstance(intent, dict) for intent in intents)

    def adapt(self, raw: dict[str, Any]) -> Adapted:
        return Adapted(read(models.PluginManifestV1, raw))


FORM = Form()
