"""What is under way in this process, and which part of it is work of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Load:
    """`requests` are not answered yet; of these `working` wait for no client, plugin or model."""

    requests: int = 0
    working: int = 0


class Slot:
    """One request's part in the load, until it has ended."""

    __slots__ = ("_aside", "_ended", "_load")

    def __init__(self, load: Load) -> None:
        self._load = load
        self._aside = 0
        self._ended = False
        load.requests += 1
        load.working += 1

    def step_aside(self) -> None:
        """It waits for others. What outlives its request changes nothing any more."""
        if not self._ended:
            self._aside += 1
            self._load.working -= self._aside == 1

    def step_back(self) -> None:
        if not self._ended:
            self._aside -= 1
            self._load.working += self._aside == 0

    def end(self) -> None:
        self._ended = True
        self._load.requests -= 1
        self._load.working -= self._aside == 0


_slot: ContextVar[Slot | None] = ContextVar("slot", default=None)


def enter(slot: Slot) -> None:
    """What runs from here on, in this context, is done for the request of `slot`."""
    _slot.set(slot)


@contextmanager
def elsewhere() -> Iterator[None]:
    """Meanwhile others work for the request at hand: it takes up none of the work's places."""
    slot = _slot.get()
    if slot is None:
        yield
        return
    slot.step_aside()
    try:
        yield
    finally:
        slot.step_back()
