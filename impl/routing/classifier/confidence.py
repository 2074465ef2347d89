"""What a score is worth, learned from texts that the models did not see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from impl.routing.classifier.model import Confidence
from impl.routing.classifier.vectors import Floats

# What was learned of CLINC150's training part, rounded: where few texts were seen it stands.
USUAL = np.array([0.5, 1.0, 4.0, -4.0])
USUAL_WEIGHT = 10.0  # as so many texts
# Of the messages, so many are expected to be nobody's.
OUTSIDE = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """A row for each text: the best tag's score, lead and nearness; whether it is the right tag.

    A text that is not `inside` is nobody's: whatever tag was best was wrong.
    """

    features: Floats
    right: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def fitted(rounds: Sequence[Seen]) -> Confidence:
    """The likeliest logistic function; more of a feature never means less confidence."""
    features = np.concatenate([one.features for one in rounds]).astype(np.float64)
    right = np.concatenate([one.right & one.inside for one in rounds])
    inside = np.concatenate([one.inside for one in rounds])
    weight = np.where(inside, 1.0, _weight(int(inside.sum()), int((~inside).sum())))

    def loss(values: NDArray[np.float64]) -> float:
        sure = features @ values[:3] + values[3]
        wrong = np.logaddexp(0, np.where(right, -sure, sure))
        return float(weight @ wrong + USUAL_WEIGHT * ((values - USUAL) ** 2).sum() / 10)

    bounds = [(0, None)] * 3 + [(None, None)]
    found = minimize(loss, USUAL, method="L-BFGS-B", bounds=bounds).x
    return Confidence(found[:3].astype(np.float32), float(found[3]))


def _weight(inside: int, outside: int) -> float:
    return OUTSIDE / (1 - OUTSIDE) * inside / outside if inside and outside else 1.0
