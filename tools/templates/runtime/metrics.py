"""Metrics whose labels take the contract's values, and no others."""

from collections.abc import Sequence
from itertools import product
from typing import Generic, TypeVar

from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

Kind = TypeVar("Kind", bound=MetricWrapperBase)
FEW = 16


class Family(Generic[Kind]):
    """A metric with labels; `listed` has the values that each may take.

    Any other value is a mistake of ours: it is counted as one in `mistakes`, and shown nowhere.
    """

    def __init__(
        self, metric: Kind, listed: Sequence[tuple[str | int, ...]], mistakes: Counter
    ) -> None:
        self._metric = metric
        self._listed = [frozenset(values) for values in listed]
        self._mistakes = mistakes
        self._children: dict[tuple[str | int, ...], Kind] = {}
        self._nowhere = type(metric)("nowhere", "Not shown.", registry=None)
        combinations = list(product(*listed))
        # A counter that begins at one hides its first event from rate(); many would be noise.
        if isinstance(metric, Counter) and len(combinations) <= FEW:
            for values in combinations:
                self.child(*values)

    def child(self, *values: str | int) -> Kind:
        """The series of these values; it is looked up, not built, after its first time."""
        found = self._children.get(values)
        return self._new(values) if found is None else found

    def clear(self) -> None:
        """Show no series until the next one is set."""
        self._children.clear()
        self._metric.clear()

    def _new(self, values: tuple[str | int, ...]) -> Kind:
        known = len(values) == len(self._listed)
        if not known or any(
            v not in listed for v, listed in zip(values, self._listed, strict=True)
        ):
            self._mistakes.inc()
            return self._nowhere
        found = self._metric.labels(*values)
        self._children[values] = found
        return found
