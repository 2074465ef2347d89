"""The way of a message to its plugin, from the cheapest reason to the dearest.

Commands, patterns, conditions, the classifier, then the fallback: the first stage in which
something fires decides. docs/routing.md tells it to authors and operators.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from generated import models
from impl.routing.candidate import Candidate, Stage, Weighed
from impl.routing.classifier.port import Classified, Classifier
from impl.routing.conditions import Facts
from impl.routing.decision import Asked, Decision, Nobody, of_fallback, of_rule, reasons
from impl.routing.table import RoutingTable

log = structlog.get_logger()

# Of all conditions of the catalogue; the worst single one takes a quarter of it.
CONDITIONS_SECONDS = 0.02
# Whatever the classifier is: a bot waits for the answer, and the plugin is still to be called.
CLASSIFIER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class DialogState:
    """Before the message. `last_plugin`: whose answer is the latest, within ten minutes."""

    is_new: bool = True
    last_plugin: str | None = None
    seconds_since_last: float | None = None


@dataclass(frozen=True, slots=True)
class Routable:
    """All that a message is routed by."""

    payload: models.MessagePayloadV1
    metadata: Mapping[str, object] = field(default_factory=dict)
    locale: str | None = None
    dialog: DialogState = field(default_factory=DialogState)

    @property
    def text(self) -> str | None:
        return getattr(self.payload, "text", None)

    @property
    def facts(self) -> Facts:
        payload = self.payload.model_dump(mode="json", include={"type", "text", "attachments"})
        dialog = self.dialog
        return Facts.of(
            {
                "payload": {"text": "", **payload},
                "metadata": dict(self.metadata),
                "locale": self.locale or "",
                "dialog": {
                    "is_new": dialog.is_new,
                    "last_plugin": dialog.last_plugin or "",
                    "seconds_since_last": dialog.seconds_since_last,
                },
            }
        )


class Tables(Protocol):
    """A Catalogue."""

    async def table(self) -> RoutingTable: ...


@dataclass(frozen=True, slots=True)
class Router:
    """`threshold` is of those intents of the classifier that name none of their own."""

    tables: Tables
    classifier: Classifier | None = None
    threshold: float = 0.5

    async def route(self, message: Routable) -> Decision | Nobody:
        """Who answers, and why."""
        started = time.perf_counter_ns()
        table = await self.tables.table()
        fired = _by_pattern(table, message.text) or _by_condition(table, message)
        asked, weighed = None, fired
        if not fired and table.classes and message.payload.type == "text":
            asked = await self._ask(table, message.text or "")
            # Meanwhile a plugin may have left: what it would have answered is masked.
            table = await self.tables.table()
            weighed = self._weighed(table, asked, message.dialog)
            fired = [one for one in weighed if one.fires]
        return self._decided(table, fired, weighed, asked, started)

    async def _ask(self, table: RoutingTable, text: str) -> Asked | None:
        if self.classifier is None:
            return None
        try:
            async with asyncio.timeout(CLASSIFIER_SECONDS):
                found = await self.classifier.classify(text, table.meanings)
        except TimeoutError:
            log.warning("classifier_failed", reason="timeout")
            return Asked(None, "timeout")
        except Exception:  # whatever it is: the message is answered
            log.exception("classifier_failed")
            return Asked(None, "failed")
        return Asked(found, None if found else "no model yet")

    def _weighed(
        self, table: RoutingTable, asked: Asked | None, dialog: DialogState
    ) -> list[Weighed]:
        """Tags that the table does not have are passed over; a tag counts once, at its best."""
        answer: Classified | None = asked.answer if asked else None
        scores: dict[str, float] = {}
        for tag, score in answer.scores if answer else ():
            scores[tag] = max(score, scores.get(tag, 0.0))
        found = [
            Weighed(
                rule,
                score=min(1.0, max(0.0, score)),
                bonus=rule.plugin.sticky_bonus if rule.plugin.name == dialog.last_plugin else 0.0,
                threshold=self.threshold if rule.threshold is None else rule.threshold,
            )
            for tag, score in scores.items()
            for rule in table.classes.get(tag, ())
        ]
        return sorted(found, key=lambda one: one.rank)

    def _decided(
        self,
        table: RoutingTable,
        fired: Sequence[Weighed],
        weighed: Sequence[Weighed],
        asked: Asked | None,
        started: int,
    ) -> Decision | Nobody:
        stage: Stage
        plugin: Candidate | None
        if fired:
            first = fired[0].rule
            stage, plugin, intent = first.stage, first.plugin, first.tag
            sentence = of_rule([one for one in fired if one.rule.stage == stage])
        else:
            plugin, intent = table.fallback, None
            stage = "fallback" if plugin else "none"
            sentence = of_fallback(plugin, weighed, asked)
        told = reasons(
            stage,
            plugin,
            sentence,
            intent=intent,
            candidates=weighed,
            asked=asked,
            version=table.version or None,
            microseconds=(time.perf_counter_ns() - started) // 1000,
        )
        return Nobody(told) if plugin is None else Decision(plugin, intent, told)


def _by_pattern(table: RoutingTable, text: str | None) -> list[Weighed]:
    """All that match, the commands first: one of them decides before any other pattern."""
    if text is None:
        return []
    found = [Weighed(rule, threshold=rule.threshold) for rule in table.patterns.fired(text)]
    fired = [one for one in found if one.fires]
    return sorted(fired, key=lambda one: (one.rule.stage != "command", one.rank))


def _by_condition(table: RoutingTable, message: Routable) -> list[Weighed]:
    if not table.conditions:
        return []
    facts = message.facts
    until = time.perf_counter() + CONDITIONS_SECONDS
    fired = []
    for number, rule in enumerate(table.conditions):
        if time.perf_counter() > until:
            log.warning("conditions_cut", tried=number, of=len(table.conditions))
            break
        if rule.condition is not None and rule.condition.holds(facts):
            fired.append(Weighed(rule, threshold=rule.threshold))
    return fired
