"""Who answers a message, and why: as a RoutingDecisionV1, and in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from impl.routing.candidate import Candidate, Stage, Weighed
from impl.routing.classifier.port import Classified

MOST_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Decision:
    """Who answers; `reasons` is a RoutingDecisionV1."""

    plugin: Candidate
    intent: str | None
    reasons: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nobody can answer, not even the fallback; `reasons` is a RoutingDecisionV1."""

    reasons: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of the classifier: its answer, or why it gave none (`timeout`, `failed`, …)."""

    answer: Classified | None
    failure: str | None = None

    @property
    def told(self) -> dict[str, str | None]:
        found = self.answer
        if found is None:
            return {
                "name": None, "version": None, "catalogue_version": None, "fallback": self.failure
            }  # fmt: skip
        return {
            "name": _line(found.classifier),
            "version": _line(found.version),
            "catalogue_version": _line(found.catalogue_version),
            "fallback": None if found.fallback is None else _line(found.fallback),
        }


def reasons(
    stage: Stage,
    plugin: Candidate | None,
    sentence: str,
    *,
    intent: str | None = None,
    candidates: Sequence[Weighed] = (),
    asked: Asked | None = None,
    version: str | None = None,
    microseconds: int = 0,
    failed: tuple[UUID, str] | None = None,
) -> dict[str, Any]:
    """A RoutingDecisionV1, of values that JSON has. Never a word of the message."""
    return {
        "stage": stage,
        "plugin_id": plugin and str(plugin.plugin_id),
        "plugin": plugin and plugin.name,
        "version": plugin and plugin.version,
        "intent": intent,
        "manifest_hash": plugin and plugin.manifest_hash,
        "candidates": [_told(one) for one in candidates[:MOST_CANDIDATES]],
        "classifier": asked and asked.told,
        "catalogue_version": version,
        "microseconds": microseconds,
        "failed": failed and {"plugin_id": str(failed[0]), "code": failed[1]},
        "reason": sentence[:1024],
    }


def _told(one: Weighed) -> dict[str, Any]:
    rule = one.rule
    return {
        "plugin": rule.plugin.name,
        "version": rule.plugin.version,
        "intent": rule.tag,
        "stage": rule.stage,
        "score": round(one.score, 6),
        "bonus": round(one.bonus, 6),
        "threshold": one.threshold,
        "priority": rule.priority,
        "status": rule.plugin.status,
        "fired": one.fires,
    }


def of_rule(fired: Sequence[Weighed]) -> str:
    """Why the first of those that fired in one stage answers."""
    rule = fired[0].rule
    who = f"{rule.plugin.name} {rule.plugin.version}"
    cause = {
        "command": f"The command {(rule.command or '')[:64]} of {who} is what the text begins with",
        "regex": f"The text matches the pattern of {who}, intent {rule.tag}",
        "custom": f"The condition of {who}, intent {rule.tag}, holds",
        "classifier": f"The classifier takes it for {rule.tag} of {who} with {_figures(fired[0])}",
    }[rule.stage]
    return f"{cause}{_over_others(fired)}."


def _figures(one: Weighed) -> str:
    bonus = f" and {one.bonus:.2f} more as the dialog's last plugin" if one.bonus else ""
    return f"{one.score:.2f}{bonus}, threshold {one.threshold or 0:.2f}"


def _over_others(fired: Sequence[Weighed]) -> str:
    """What set it above the next of those that fired."""
    if len(fired) == 1:
        return ""
    first, second = fired[0], fired[1]
    others = f"{len(fired) - 1} more fired" if len(fired) > 2 else "one more fired"
    if first.total != second.total:
        return f"; {others} with a lower score"
    if first.rule.priority != second.rule.priority:
        priorities = f"{second.rule.priority} to its {first.rule.priority}"
        return f"; {others}, at most with priority {priorities}"
    if first.rule.plugin.healthy != second.rule.plugin.healthy:
        return f"; {others} of the same priority, but of a degraded plugin"
    return f"; {others} of the same rank, and the order of their names decides"


def of_fallback(plugin: Candidate | None, weighed: Sequence[Weighed], asked: Asked | None) -> str:
    who = f"{plugin.name} {plugin.version} answers" if plugin else "nobody is there to answer"
    return f"No rule fits{_of_classifier(weighed, asked)}: {who}."


def of_failure(plugin: Candidate, code: str) -> str:
    who = f"{plugin.name} {plugin.version}"
    return f"The plugin chosen first failed ({code}): {who} answers instead."


def _of_classifier(weighed: Sequence[Weighed], asked: Asked | None) -> str:
    if asked is None:
        return ""
    if asked.answer is None:
        return f", and the classifier gave no answer ({asked.failure})"
    if not weighed:
        return ", and the classifier knows nothing that fits"
    best = weighed[0]
    return (
        f", and the classifier's best, {best.rule.tag} of {best.rule.plugin.name} with"
        f" {best.total:.2f}, is below its threshold {best.threshold or 0:.2f}"
    )


def _line(text: str) -> str:
    return "".join(one if one.isprintable() else " " for one in text)[:256] or "-"
