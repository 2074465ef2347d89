"""From deliveries to webhooks: at least once, each webhook on its own, and never for ever."""

import asyncio
import contextlib
import random
from dataclasses import dataclass
from uuid import UUID, uuid4

import aiohttp
import orjson
import structlog

from generated.metrics import Metrics
from generated.triggers import SUBSCRIPTION_DEAD
from impl.db import UNAVAILABLE, Pool
from impl.notifications import sending_queries as queries
from impl.notifications.sending_queries import Due
from impl.notifications.signing import Secrets
from impl.outgoing.client import OutgoingClient
from impl.outgoing.urls import ForbiddenUrlError
from impl.settings import Settings
from impl.triggers.firing import fired

log = structlog.get_logger()

AT_ONCE = 256
SPARE_SECONDS = 15  # until another worker takes an attempt for lost
# After each attempt, as the Standard Webhooks specification has it.
PAUSES_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 36_000)
GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt: the HTTP status where there was one, and why it failed."""

    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Sender:
    """Any number of workers may run it. While it waits for a webhook it holds no connection."""

    pool: Pool
    client: OutgoingClient  # with the guard of webhooks
    secrets: Secrets
    settings: Settings
    metrics: Metrics

    async def run(self) -> None:
        """Never ends; a database that is away is waited for. Stopped, it gives attempts back."""
        running: dict[asyncio.Task[None], Due] = {}
        try:
            while True:
                claimed = await self._claim(running)
                for due in claimed:
                    task = asyncio.create_task(self._send(due), name="notification")
                    running[task] = due
                    task.add_done_callback(running.pop)
                if not claimed:
                    await self._wait(running)
        finally:
            await self._stop(dict(running))

    async def send_due(self) -> int:
        """What is due now, once, and waits for its end. Returns the number of attempts."""
        claimed = await self._claim({})
        await asyncio.gather(*(self._send(due) for due in claimed))
        return len(claimed)

    async def _wait(self, running: dict["asyncio.Task[None]", Due]) -> None:
        """An attempt that ends frees a place."""
        poll = self.settings.notification_poll_seconds
        if running:
            await asyncio.wait(running, timeout=poll, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(poll)

    async def _claim(self, running: dict["asyncio.Task[None]", Due]) -> list[Due]:
        most = self.settings.notification_concurrency
        free: dict[UUID, int] = {}
        for due in running.values():
            free[due.subscription_id] = free.get(due.subscription_id, most) - 1
        lease = self.settings.notification_timeout_seconds + SPARE_SECONDS
        try:
            return await queries.claim(self.pool, lease, most, free, AT_ONCE - len(running))
        except UNAVAILABLE as error:
            log.warning("notifications_wait", reason=type(error).__name__)
            return []

    async def _stop(self, running: dict["asyncio.Task[None]", Due]) -> None:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        with contextlib.suppress(*UNAVAILABLE):
            await queries.release(self.pool, [due.claim for due in running.values()])

    async def _send(self, due: Due) -> None:
        """One delivery's fault is its own; one that was lost is made again when its lease ends."""
        try:
            answer = await self._post(due)
            await (self._delivered if answer.error is None else self._failed)(due, answer)
        except UNAVAILABLE as error:
            log.warning("notifications_wait", reason=type(error).__name__)
        except Exception:
            log.exception("notification_not_sent", delivery_id=due.id)

    async def _post(self, due: Due) -> Answer:
        """The answer's body is not read, whatever its length: the status says all that counts."""
        body = orjson.dumps(due.body)
        salts = [salt for salt in (due.salt, due.old_salt) if salt is not None]
        headers = self.secrets.headers(
            due.subscription_id, salts, due.id, moment=due.moment, body=body
        )
        try:
            target = self.client.target(due.url)
            async with asyncio.timeout(self.settings.notification_timeout_seconds):
                async with self.client.post(target, body, headers) as response:
                    status = response.status
        except ForbiddenUrlError as error:
            return Answer(None, f"not permitted: {error}")
        except TimeoutError:
            return Answer(None, "no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: of the URL
            return Answer(None, _named(error))
        return Answer(status, None if 200 <= status <= 299 else f"status {status}")

    async def _delivered(self, due: Due, answer: Answer) -> None:
        if await queries.note_delivered(self.pool, due, answer.status):
            self.metrics.notifications_total.at("delivered").inc()
            log.info("notification_delivered", **_about(due), attempts=due.attempts)

    async def _failed(self, due: Due, answer: Answer) -> None:
        gone = answer.status == GONE
        pause = self._pause(due.attempts)
        if pause is None and gone:  # it waits for whoever enables the subscription again
            pause = 0.0
        if not await queries.note_failed(self.pool, due, answer.status, answer.error, pause):
            return
        self.metrics.notifications_total.at("given_up" if pause is None else "failed").inc()
        log.warning("notification_failed", **_about(due), attempts=due.attempts,
                    reason=answer.error, given_up=pause is None)  # fmt: skip
        days = self.settings.notification_failing_days
        trace_id = str(uuid4())
        if await queries.disable(
            self.pool, due.subscription_id, gone=gone, days=days, trace_id=trace_id
        ):
            reason = "gone" if gone else "failing"
            fired(self.metrics, SUBSCRIPTION_DEAD, subscription_id=due.subscription_id,
                  reason=reason, trace_id=trace_id)  # fmt: skip

    def _pause(self, attempts: int) -> float | None:
        """Seconds until the next attempt; None where that was the last one."""
        if attempts > len(PAUSES_SECONDS):
            return None
        jitter = random.uniform(0.9, 1.2)  # noqa: S311  # no secret
        return PAUSES_SECONDS[attempts - 1] * self.settings.notification_retry_scale * jitter


def _about(due: Due) -> dict[str, object]:
    """For the log; a webhook's URL may be a secret itself."""
    return {
        "delivery_id": due.id, "subscription_id": due.subscription_id, "event_type": due.event_type
    }  # fmt: skip


def _named(error: Exception) -> str:
    """What kind it is, and nothing of what the receiver sent."""
    cause = getattr(error, "os_error", None)
    return type(cause if cause is not None else error).__name__
