"""Manifest 1.0: its intents are bare tags, and `is_default` marks the fallback."""

from typing import Any

from generated import models
from impl.plugins.manifests.form import Adapted, read


class Form:
    def fits(self, raw: dict[str, Any]) -> bool:
        intents = raw.get("intents")
        if "is_default" in raw or not isinstance(intents, list):
            return "is_default" in raw
        return not intents or any(isinstance(intent, str) for intent in intents)

    def adapt(self, raw: dict[str, Any]) -> Adapted:
        old = read(models.LegacyPluginManifestV1, raw)
        given = old.model_dump(exclude={"intents", "is_default", "auth"})
        manifest = models.PluginManifestV1(
            intents=[
                models.IntentV1(
                    tag=tag,
                    activation_condition=models.ClassifierConditionV1(type="classifier"),
                )
                for tag in old.intents
            ],
            auth=old.auth or models.ManifestAuthV1(type="bearer"),
            **given,
        )
        return Adapted(manifest, old.is_default, bare_tags=True)


FORM = Form()
