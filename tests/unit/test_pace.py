"""Who is cut off for being slow, and who is not."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from impl.pace import BYTES_PER_SECOND, Pace

WINDOW = 2.0
ENOUGH = int(BYTES_PER_SECOND * WINDOW)


class Clock:
    """In a loop's place: it says when a window is over."""

    def __init__(self) -> None:
        self._next: list[Callable[[], None]] = []

    def call_later(self, seconds: float, look: Callable[[], None]) -> Any:
        assert seconds == WINDOW
        self._next.append(look)

    def pass_window(self) -> None:
        self._next.pop()()

    @property
    def looks_on(self) -> bool:
        return bool(self._next)


@pytest.mark.parametrize(
    ("windows", "cut"),
    [
        ([ENOUGH, ENOUGH], False),
        ([ENOUGH - 1], True),
        ([ENOUGH, ENOUGH, ENOUGH], True),  # it has an end
        ([None, None, None, None], False),
        ([None, 0], False),  # of this window it had a part
        ([None, 0, 0], True),
        ([None, 0, ENOUGH, ENOUGH], False),
        ([ENOUGH, None, 0, ENOUGH - 1], True),
    ],
)
def test_who_is_cut_off(windows: list[int | None], cut: bool) -> None:
    clock, told = Clock(), []
    loop = cast("asyncio.AbstractEventLoop", clock)
    left = iter(windows)
    Pace(loop, WINDOW, 3 * WINDOW, lambda: next(left), lambda: told.append("cut"))
    for _ in windows:
        assert clock.looks_on
        clock.pass_window()
    assert (told == ["cut"], clock.looks_on) == (cut, not cut)
