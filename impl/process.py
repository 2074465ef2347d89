"""What a process of ours and its supervisor say to one another."""

import asyncio
import gc
import os
from collections.abc import Iterable
from typing import Any

import structlog

from impl.secrecy.risks import Risk, RiskSettings
from impl.settings import OutgoingSettings, Settings

log = structlog.get_logger()

PATIENT_SECONDS = 60  # twice the interval at which text_reply and the template beat


async def end(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel until they have ended: in Python 3.11 a `wait_for` may swallow one cancellation."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=1)
        for task in ended:
            _ = task.cancelled() or task.exception()  # seen, whatever it was


def announce_ready() -> None:
    """Tell whoever started us that we serve: one line on the descriptor in BOTCORE_READY_FD."""
    gc.freeze()  # what is loaded by now stays: no collection looks at it again
    descriptor = os.environ.pop("BOTCORE_READY_FD", None)
    if descriptor is not None:
        os.write(int(descriptor), b"ready\n")
        os.close(int(descriptor))


def warn_of_impatience(settings: Settings) -> None:
    """Plugins beat every 30 s or so: one late heartbeat is no outage."""
    if settings.heartbeat_missed_seconds < PATIENT_SECONDS:
        log.warning(
            "heartbeats_missed_early",
            seconds=settings.heartbeat_missed_seconds,
            at_least=PATIENT_SECONDS,
            set_by="BOTCORE_HEARTBEAT_MISSED_SECONDS",
        )


def warn_of_risks(settings: RiskSettings, risks: Iterable[Risk]) -> None:
    """At each start: what was accepted once shall not be forgotten."""
    for risk in settings.accepted(risks):
        log.warning("risk_accepted", risk=risk.name, reason=risk.reason, remedy=risk.remedy)


def warn_of_development(settings: OutgoingSettings) -> None:
    """Once, at the start: nobody shall deploy it so without being told."""
    if settings.development:
        log.warning("development_mode", opens="loopback addresses", set_by="BOTCORE_DEVELOPMENT")
