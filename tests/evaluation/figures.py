"""What the decisions are worth."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

BINS = 15


@dataclass(frozen=True)
class Judged:
    """A message: its tag (None: nobody's), the classifier's best with its confidence, the one that
    the router decided for, and how long it took."""

    wanted: str | None
    best: str | None
    confidence: float
    decided: str | None
    milliseconds: float


def figures(judged: list[Judged]) -> dict[str, float]:
    inside = [one for one in judged if one.wanted is not None]
    outside = [one for one in judged if one.wanted is None]
    times = sorted(one.milliseconds for one in judged)
    return {
        "accuracy_in_scope": _share(one.best == one.wanted for one in inside),
        "accuracy_in_scope_at_threshold": _share(one.decided == one.wanted for one in inside),
        "recall_out_of_scope": _share(one.decided is None for one in outside),
        "macro_f1": macro_f1(judged),
        "calibration_error": calibration_error(inside),
        "median_ms": round(statistics.median(times), 3),
        "p95_ms": round(times[int(len(times) * 0.95)], 3),
    }


def macro_f1(judged: list[Judged]) -> float:
    """Of the router's decisions, over the tags; an out-of-scope message that got one is wrong."""
    tags = sorted({one.wanted for one in judged if one.wanted is not None})
    scores = []
    for tag in tags:
        right = sum(one.wanted == one.decided == tag for one in judged)
        said = sum(one.decided == tag for one in judged)
        wanted = sum(one.wanted == tag for one in judged)
        scores.append(2 * right / (said + wanted))
    return round(statistics.fmean(scores), 4)


def calibration_error(judged: list[Judged]) -> float:
    """The expected one over bins of equal width, of the messages in scope."""
    return round(sum(weight * abs(sure - right) for sure, right, weight in reliability(judged)), 4)


def reliability(judged: list[Judged]) -> list[tuple[float, float, float]]:
    """By bin: the mean confidence, the share that was right, the share of messages."""
    sure = np.array([one.confidence for one in judged])
    right = np.array([one.best == one.wanted for one in judged])
    at = np.minimum((sure * BINS).astype(int), BINS - 1)
    return [
        (float(sure[at == one].mean()), float(right[at == one].mean()), float((at == one).mean()))
        for one in range(BINS)
        if (at == one).any()
    ]


def by_threshold(judged: list[Judged], threshold: float) -> tuple[float, float]:
    """In scope: right and above it; out of scope: below it."""
    inside = [one for one in judged if one.wanted is not None]
    outside = [one for one in judged if one.wanted is None]
    return (
        _share(one.best == one.wanted and one.confidence >= threshold for one in inside),
        _share(one.confidence < threshold for one in outside),
    )


def _share(true: Iterable[bool]) -> float:
    return round(statistics.fmean(true), 4)
