"""Catalogues and classifiers that a test writes."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from generated import models
from impl.routing.candidate import Candidate
from impl.routing.classifier.port import Classified, Classifier, Meanings
from impl.routing.decision import Decision, Nobody
from impl.routing.router import DialogState, Routable, Router
from impl.routing.table import RoutingTable, compile_table

SPACE = UUID(int=5)


def candidate(name: str, intents: Any, status: str = "active", version: str = "1.0.0") -> Candidate:
    plugin_id = uuid5(SPACE, f"{name}@{version}")
    return Candidate(plugin_id, name, version, "http://127.0.0.1:1", intents, status, "0" * 64)


def custom_intent(tag: str, value: str, priority: int = 0) -> dict[str, Any]:
    condition = {"type": "custom", "value": value, "threshold": None}
    return {"tag": tag, "activation_condition": condition, "priority": priority}


def classifier_intent(
    tag: str, *examples: str, threshold: float | None = None, priority: int = 0
) -> dict[str, Any]:
    condition = {"type": "classifier", "value": None, "threshold": threshold}
    return {
        "tag": tag,
        "activation_condition": condition,
        "priority": priority,
        "examples": list(examples),
        "description": None,
    }


@dataclass
class Tables:
    """A catalogue whose table a test changes."""

    now: RoutingTable

    async def table(self) -> RoutingTable:
        return self.now


def tables(*plugins: Candidate, fallback: str = "text_reply") -> Tables:
    return Tables(compile_table(plugins, fallback, version="v"))


@dataclass
class Scripted:
    """A classifier that answers each text as the script says, and nothing for any other."""

    script: Mapping[str, list[tuple[str, float]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def classify(self, text: str, meanings: Meanings) -> Classified | None:
        self.asked.append(text)
        return Classified(self.script.get(text, []), "scripted", "1", meanings.version)


def text(said: str) -> models.TextPayloadV1:
    return models.TextPayloadV1(type="text", text=said)


def decide(
    source: Tables,
    said: str | models.MessagePayloadV1,
    classifier: Classifier | None = None,
    *,
    dialog: DialogState | None = None,
    **more: Any,
) -> Decision | Nobody:
    payload = text(said) if isinstance(said, str) else said
    message = Routable(payload, dialog=dialog or DialogState(), **more)
    decision = asyncio.run(Router(source, classifier, 0.5).route(message))
    models.RoutingDecisionV1.model_validate(decision.reasons)
    return decision


def routed(source: Tables, said: str, classifier: Classifier | None = None, **more: Any) -> str:
    """The stage and who answers, as `command weather`."""
    reasons = decide(source, said, classifier, **more).reasons
    return f"{reasons['stage']} {reasons['plugin']}"
