"""The work that is let in, by how long it waits."""

import asyncio
import time

from generated.metrics import make_metrics
from impl.overload.admission import Admission
from impl.overload.limit import LEAST, WorkLimit

TARGET, MOST, LOOK = 0.1, 200, 0.0625


class Looks:
    """At a process; each is LOOK seconds after the one before."""

    def __init__(self) -> None:
        self.limit = WorkLimit(MOST, TARGET)
        self.now = 0.0

    def see(self, wait: float, times: int, working: int = MOST) -> int:
        for _ in range(times):
            self.now += LOOK
            self.limit.note(wait, working, self.now)
        return self.limit.permitted


def test_a_wait_below_the_target_changes_nothing() -> None:
    assert Looks().see(0.09, 100) == MOST


def test_a_burst_changes_nothing() -> None:
    looks = Looks()
    for _ in range(50):
        looks.see(5.0, 2)
        assert looks.see(0.0, 1) == MOST


def test_a_wait_that_lasts_cuts_what_is_let_in() -> None:
    looks = Looks()
    assert looks.see(0.2, 3) == 180
    assert looks.see(0.2, 2) == 162  # once in each interval


def test_it_is_cut_from_what_is_used() -> None:
    assert Looks().see(0.2, 3, working=50) == 45


def test_it_is_never_cut_so_far_that_nothing_is_done() -> None:
    assert Looks().see(0.2, 1000) == LEAST
    few = WorkLimit(3, TARGET)
    for at in range(10):
        few.note(0.2, 3, at)
    assert few.permitted == 3


def test_it_comes_back() -> None:
    looks = Looks()
    looks.see(0.2, 1000)
    assert LEAST < looks.see(0.0, 10) < MOST / 2
    assert looks.see(0.0, 100) == MOST


async def test_the_loops_own_lateness_is_a_wait() -> None:
    limit = WorkLimit(MOST, TARGET)
    admission = Admission(1000, limit, make_metrics(), lambda: None)
    admission.load.working = MOST
    watch = asyncio.create_task(admission.watch(lambda: 0.0))
    await asyncio.sleep(0)
    for _ in range(3):
        time.sleep(0.3)  # noqa: ASYNC251  # it is this that is to be noticed
        await asyncio.sleep(0.01)
    watch.cancel()
    assert admission.wait > TARGET
    assert limit.permitted < MOST
