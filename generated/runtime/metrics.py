# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Metrics whose labels take the contract's values, and no others."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Generic, TypeVar

import prometheus_client
from prometheus_client import Counter, values
from prometheus_client.metrics import MetricWrapperBase

Kind = TypeVar("Kind", bound=MetricWrapperBase)
FEW = 16
NOWHERE = "nowhere"


class Gauge(prometheus_client.Gauge):
    """A gauge whose function can be asked for other processes, which cannot ask it themselves."""

    _function: Callable[[], float] | None = None

    def set_function(self, f: Callable[[], float]) -> None:
        self._function = f
        super().set_function(f)

    def note(self) -> None:
        """Set what the function says now, where there is one."""
        if self._function is not None:
            self.set(self._function())


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
        self._nowhere = type(metric)(NOWHERE, "Not shown.", registry=None)
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
        """Show no series until the next one is set. Several processes' files go on showing what
        they hold: what is to be left out of them, whoever reads them leaves out.
        """
        if values.ValueClass is values.MutexValue:
            self._children.clear()
            self._metric.clear()

    def note(self) -> None:
        """As a gauge's own, for each series."""
        for child in self._children.values():
            if isinstance(child, Gauge):
                child.note()

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
