"""How long the core waits within the tests: longer than any machine takes, where nobody measures.

A deployment gives up early, so that its callers never hang. On a busy machine a test would meet
these limits by chance: a 503, a call that is handed over, an instance that counts alone.
"""

import time
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import TypeVar

import pytest

import impl.events.wire
import impl.redis
import impl.service
from impl import db
from impl.dialogs import delivery, service
from impl.metrics import sampler
from impl.routing import router

T = TypeVar("T")
PATIENT_SECONDS = 60.0  # also of a test's own waits: only what is broken gets there

LIMITS: list[tuple[ModuleType, str]] = [
    (db, "COMMAND_TIMEOUT_SECONDS"),
    (db, "ACQUIRE_TIMEOUT_SECONDS"),
    (db, "TRANSACTION_SECONDS"),
    (impl.events.wire, "TIMEOUT_SECONDS"),
    (delivery, "GIVE_BACK_SECONDS"),
    (service, "STORING_SECONDS"),
    (router, "CLASSIFIER_SECONDS"),
    (router, "CONDITIONS_SECONDS"),
    (sampler, "DATABASE_SECONDS"),
    (sampler, "SCRAPE_WAITS_SECONDS"),
    (impl.redis, "RELAY_TIMEOUT_SECONDS"),
    (impl.service, "PROBE_SECONDS"),
]
DEPLOYED = [getattr(module, name) for module, name in LIMITS]


async def uninterrupted(scenario: Callable[[], Awaitable[T]], seconds: float) -> T:
    """What `scenario` returns where it took less than `seconds`, in which nothing else happens.

    One that a busy machine interrupted says nothing, and is begun anew.
    """
    for _ in range(100):
        began = time.monotonic()
        found = await scenario()
        if time.monotonic() - began < seconds:
            return found
    raise AssertionError(f"never done within {seconds} s")


def be_patient(patch: pytest.MonkeyPatch) -> None:
    for module, name in LIMITS:
        patch.setattr(module, name, PATIENT_SECONDS)


def be_as_deployed(patch: pytest.MonkeyPatch) -> None:
    for (module, name), seconds in zip(LIMITS, DEPLOYED, strict=True):
        patch.setattr(module, name, seconds)
