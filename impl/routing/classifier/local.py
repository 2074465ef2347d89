"""The classifier that needs no network: a model that a worker trained, held in memory."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from impl.db import UNAVAILABLE, Pool
from impl.routing.classifier.port import Classified, Meanings, MeaningsSource
from impl.routing.classifier.queries import Stored, best, read_model

if TYPE_CHECKING:  # numpy is loaded where a model is
    from impl.routing.classifier.model import Model

log = structlog.get_logger()

NAME = "local"


@dataclass
class LocalClassifier:
    """Until the model of a new catalogue is there, the one in hand answers; removed tags never."""

    pool: Pool
    _model: "Model | None" = field(default=None, init=False)
    _stored: Stored | None = field(default=None, init=False)
    _refused: set[str] = field(default_factory=set, init=False)

    async def classify(self, text: str, meanings: Meanings) -> Classified | None:
        model, stored = self._model, self._stored
        if model is None or stored is None:
            return None
        scores = model.scores(text, meanings.tags)
        return Classified(scores, NAME, stored.version, stored.catalogue_version)

    async def watch(self, catalogue: MeaningsSource, every_seconds: float) -> None:
        """Never ends. A database that is away is waited for: the model in hand keeps answering."""
        while True:
            try:
                await self.follow(await catalogue.meanings())
            except UNAVAILABLE as error:
                log.warning("classifier_stale", reason=type(error).__name__)
            await asyncio.sleep(every_seconds)

    async def follow(self, meanings: Meanings) -> None:
        """Takes the model of this catalogue where it is there: one small read, none else."""
        if not meanings.tags:
            self._model = self._stored = None
            return
        if self._stored is not None and self._stored.catalogue_version == meanings.version:
            return
        found = await best(self.pool, meanings.version)
        if found is None or found == self._stored or found.version in self._refused:
            return
        content = await read_model(self.pool, found)
        if content is not None:
            await self._take(found, content)

    async def _take(self, stored: Stored, content: bytes) -> None:
        from impl.routing.classifier.model import BadModelError  # noqa: PLC0415  # brings numpy

        try:
            self._model = await asyncio.to_thread(_loaded, content)
        except BadModelError as error:
            self._refused.add(stored.version)
            log.error("classifier_model_refused", version=stored.version, reason=str(error))  # noqa: TRY400  # no mistake of ours: its text says all
            return
        self._stored = stored
        log.info("classifier_model_loaded", version=stored.version, tags=len(self._model.tags) - 1)


def _loaded(content: bytes) -> "Model":
    """In a thread, with what the first message would wait for."""
    from impl.routing.classifier.model import Model  # noqa: PLC0415  # brings numpy

    model = Model.from_bytes(content)
    model.scores("hello", model.tags)
    return model
