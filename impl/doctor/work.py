"""What waits, and whether anybody does it."""

from dataclasses import dataclass

from impl.db import Executor
from impl.doctor import queries
from impl.doctor.finding import Finding, failed, good, warning
from impl.doctor.queries import Outbox, Queue, State
from impl.metrics.queries import MOST

ASLEEP_SECONDS = 10.0  # a worker looks once a second
MANY = 1000  # TR-010
GRACE_SECONDS = 10.0  # from the end of a lease until another instance has surely taken the call
SLOW_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """In seconds: of a stream's lag, and of how long a queued call is worth making."""

    lag: float
    queue: float


async def check(executor: Executor, bounds: Bounds) -> list[Finding]:
    state = await queries.state(executor)
    lags, outbox = await queries.lags(executor), await queries.outbox(executor)
    return [
        _workers(state),
        _mode(state),
        _lag(lags, bounds.lag, outbox),
        _outbox(outbox),
        _queue(await queries.queue(executor, GRACE_SECONDS), bounds.queue),
    ]


def _asleep(state: State | None) -> bool:
    return state is None or state.looked_ago > ASLEEP_SECONDS


def _workers(state: State | None) -> Finding:
    if state is None or _asleep(state):
        since = "ever" if state is None else f"for {state.looked_ago:.0f} s"
        found = f"no worker has looked {since}"
        return failed("workers", found, "start `botcore worker`: nothing is published without one")
    return good("workers", f"one looked {state.looked_ago:.1f} s ago")


def _mode(state: State | None) -> Finding:
    if state is None or state.degraded_since is None:
        return good("mode", "normal")
    found = f"degraded since {state.degraded_since:%Y-%m-%d %H:%M:%S} UTC, reason {state.reason}"
    if _asleep(state):
        return warning("mode", f"{found}, as the last worker found", "start `botcore worker`")
    advice = "it recovers by itself when Redis is there and the streams are on time"
    return failed("mode", found, advice)


def _lag(lags: dict[str, float], bound: float, outbox: Outbox) -> Finding:
    if not lags:
        return good("streams", "nothing waits for its stream")
    stream, seconds = next(iter(lags.items()))
    newest = "nothing was ever sent" if outbox.newest is None else (
        f"the newest that was sent, at {outbox.newest:%Y-%m-%d %H:%M:%S} UTC")  # fmt: skip
    found = f"{stream} is {seconds:.1f} s late, the latest of {len(lags)} that wait; {newest}"
    if seconds > bound:
        advice = "does a worker run, and reach Redis? Its log has relay_waits or stream_refused"
        return failed("streams", found, advice)
    return good("streams", found)


def _outbox(outbox: Outbox) -> Finding:
    more = " or more" if outbox.waiting >= MOST else ""
    found = f"{outbox.waiting}{more} events wait"
    if outbox.waiting > MANY:
        return warning("outbox", found, "start more workers, or find out what holds theirs up")
    return good("outbox", found)


def _queue(queue: Queue, worth_seconds: float) -> Finding:
    found = (
        f"{queue.waiting} calls wait, the oldest for {queue.oldest:.0f} s;"
        f" {queue.lost} were lost with their instance"
    )
    if queue.lost or queue.oldest > worth_seconds + SLOW_SECONDS:
        return failed("queue", found, "no worker makes or ends them: start `botcore worker`")
    if queue.waiting > MANY or queue.overdue > SLOW_SECONDS:
        advice = "start more workers, or see which plugin is slow: docs/queue.md"
        return warning("queue", found, advice)
    return good("queue", found)
