"""What a score is worth, learned from texts that the models did not see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from impl.routing.classifier.model import Confidence
from impl.routing.classifier.vectors import Floats

# Of small catalogues, which have no examples to spare: learned of 80 of 1 to 20 tags with 3 to 20
# examples each, made of CLINC150's training part (docs/decisions/0016-classifier.md).
SMALL = Confidence(np.array([0.96, 0.0, 6.44], np.float32), -2.48)
# Of the messages so many are expected to be nobody's.
OUTSIDE = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """A row for each text: the best tag's score, lead and nearness; whether it is the right tag.

    A text that is not `inside` is nobody's: whatever tag was best was wrong.
    """

    features: Floats
    right: NDArray[np.bool_]
    inside: NDArray[np.bool_]


def fitted(seen: Seen) -> Confidence:
    """The likeliest logistic function; more of a feature never means less confidence."""
    features = seen.features.astype(np.float64)
    right = seen.right & seen.inside
    inside, outside = int(seen.inside.sum()), int((~seen.inside).sum())
    share = OUTSIDE / (1 - OUTSIDE) * inside / max(outside, 1)
    weight = np.where(seen.inside, 1.0, share)

    def loss(values: NDArray[np.float64]) -> float:
        sure = features @ values[:3] + values[3]
        return float(weight @ np.logaddexp(0, np.where(right, -sure, sure)))

    first = np.array([*SMALL.weights, SMALL.bias], np.float64)
    bounds = [(0, None)] * 3 + [(None, None)]
    found = minimize(loss, first, method="L-BFGS-B", bounds=bounds).x
    return Confidence(found[:3].astype(np.float32), float(found[3]))
