"""Manifest 1.1: its intents say when they fire. It is the form in which the core thinks."""

from typing import Any

from generated import models
from impl.plugins.manifests.form import Adapted, read


class Form:
    def fits(self, raw: dict[str, Any]) -> bool:
        intents = raw.get("intents")
        return isinstance(intents, list) and all(isinstance(intent, dict) for intent in intents)

    def adapt(self, raw: dict[str, Any]) -> Adapted:
        return Adapted(read(models.PluginManifestV1, raw))


FORM = Form()
