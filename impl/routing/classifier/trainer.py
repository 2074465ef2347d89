"""The worker's task that has a model trained for each catalogue, by a child process."""

import asyncio
import contextlib
import hashlib
import os
import sys
import time
from dataclasses import dataclass

import orjson
import structlog

from generated.metrics import Metrics
from impl.db import UNAVAILABLE, Pool
from impl.routing.classifier import queries
from impl.routing.classifier.port import Meanings, MeaningsSource

log = structlog.get_logger()

COMMAND = (sys.executable, "-m", "impl.routing.classifier.train")
MARGIN_SECONDS = 30.0  # from the end of a training's time until another worker may train
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 600.0
# One thread for each solver: sums are then the same on every machine of a kind.
THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
INHERITED = ("PATH", "PYTHONPATH", "HOME", "TMPDIR", "LANG")


class TrainingError(Exception):
    """The child failed, or took too long; the reason is for the log."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """Any number of these may run: for each catalogue one trains."""

    pool: Pool
    catalogue: MeaningsSource
    metrics: Metrics
    every_seconds: float
    training_seconds: float
    command: tuple[str, ...] = COMMAND

    async def run(self) -> None:
        """Never ends."""
        while True:
            try:
                await self.train_if_needed()
            except UNAVAILABLE as error:
                log.warning("training_waits", reason=type(error).__name__)
            await asyncio.sleep(self.every_seconds)

    async def train_if_needed(self) -> bool:
        """Whether this call published a model."""
        meanings = await self.catalogue.meanings()
        if not meanings.tags or await queries.in_hand(self.pool, meanings.version):
            return False
        lease = self.training_seconds + MARGIN_SECONDS
        attempt = await queries.claim(self.pool, meanings.version, lease)
        return attempt is not None and await self._train(meanings, attempt)

    async def _train(self, meanings: Meanings, attempt: int) -> bool:
        started = time.monotonic()
        try:
            model = await trained(meanings, self.training_seconds, self.command)
        except asyncio.CancelledError:
            with contextlib.suppress(*UNAVAILABLE):
                await asyncio.shield(queries.give_back(self.pool, meanings.version, attempt, 0))
            raise
        except TrainingError as error:
            self.metrics.classifier_trainings_total.at("failed").inc()
            log.error("training_failed", attempt=attempt, reason=str(error))  # noqa: TRY400  # no mistake of ours: its text says all
            pause = min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempt - 1, 10), LONGEST_PAUSE_SECONDS)
            await queries.give_back(self.pool, meanings.version, attempt, pause)
            return False
        seconds, version = time.monotonic() - started, hashlib.sha256(model).hexdigest()
        done = await queries.publish(
            self.pool, meanings.version, version, model, tags=len(meanings.tags), seconds=seconds
        )
        if done:
            self.metrics.classifier_trainings_total.at("published").inc()
            log.info("classifier_trained", version=version, tags=len(meanings.tags),
                     seconds=round(seconds, 1), bytes=len(model))  # fmt: skip
        return done


async def trained(meanings: Meanings, seconds: float, command: tuple[str, ...] = COMMAND) -> bytes:
    """A model, by a child process that is killed where it takes longer. Raises TrainingError."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment | THREADS,
    )
    tags = [[tag, one.examples, one.descriptions] for tag, one in meanings.tags.items()]
    given = orjson.dumps({"tags": tags, "version": meanings.version})
    try:
        async with asyncio.timeout(seconds):
            model, complaint = await child.communicate(given)
    except TimeoutError:
        raise TrainingError(f"it took more than {seconds:g} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await asyncio.shield(child.wait())
    if child.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise TrainingError(f"exit code {child.returncode}: {''.join(lines[-1:])[:300]}")
    from impl.tables.classifier import MAX_MODEL_BYTES  # noqa: PLC0415  # brings SQLAlchemy: 15 MiB

    if len(model) > MAX_MODEL_BYTES:
        raise TrainingError(f"its model has {len(model)} bytes, more than {MAX_MODEL_BYTES}")
    return model
