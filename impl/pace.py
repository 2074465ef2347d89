"""A client must go on: what is slower than this is cut off."""

import asyncio
from collections.abc import Callable

BYTES_PER_SECOND = 500  # Apache's mod_reqtimeout asks for as much


class Pace:
    """Looks every `window` seconds, and cuts where too little has moved, or after `most` seconds.

    `moved` tells the bytes since it was last asked; None where it is not the client who is waited
    for, and then the time does not count, nor what is left of the window in which that ends.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        window: float,
        most: float,
        moved: Callable[[], int | None],
        cut: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._window = window
        self._left = most
        self._moved = moved
        self._cut = cut
        self._whole = True  # the client was waited for from the window's beginning
        self._timer = loop.call_later(window, self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        moved = self._moved()
        whole, self._whole = self._whole, moved is not None
        if moved is not None and whole:
            self._left -= self._window
            if self._left <= 0 or moved < BYTES_PER_SECOND * self._window:
                self._cut()
                return
        self._timer = self._loop.call_later(self._window, self._look)
