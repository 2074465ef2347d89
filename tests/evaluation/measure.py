"""The utterances on their way: registered, trained and routed as they would be."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from generated.metrics import make_metrics
from generated.models import TextPayloadV1
from impl.plugins.catalogue import Catalogue
from impl.routing.classifier.local import LocalClassifier
from impl.routing.classifier.trainer import Trainer
from impl.routing.router import Routable, Router
from impl.settings import Settings
from impl.tokens.issue import issue
from tests.evaluation.data import Data, intents, plugins
from tests.evaluation.figures import Judged
from tests.faults.processes import Process
from tests.faults.world import World
from tests.stack import scripted_plugin

Progress = Callable[[str], None]
FALLBACK = "text_reply"
WARM_REQUESTS = 50
LOADING_SECONDS = 60.0
TRAINING_SECONDS = 600.0


@dataclass(frozen=True)
class Measured:
    """`rss_mib` and `rss_without_mib` are of `botcore serve`, with the model and before it."""

    judged: list[Judged]
    threshold: float
    training_s: float
    rss_mib: float
    rss_without_mib: float
    model_mib: float


async def measure(world: World, data: Data, progress: Progress) -> Measured:
    admin = await issue(world.pool, "admin", scopes=["routing:explain"], expires_in=None)
    core = await world.serve()
    async with scripted_plugin() as plugin:
        await world.register(core, plugin.url, FALLBACK)
        for text, _ in data.val[:WARM_REQUESTS]:
            await explained(world, core, admin.plaintext, text)
        without = core.memory_kib / 1024
        groups = plugins(intents(data.train))
        for number, group in enumerate(groups, 1):
            await world.register(core, plugin.url, f"plugin_{number:03}", *group)
        progress(f"registered {sum(map(len, groups))} intents of {len(groups)} plugins; training")
        catalogue = Catalogue(world.pool, FALLBACK)
        trainer = Trainer(world.pool, catalogue, make_metrics(), 1.0, TRAINING_SECONDS)
        if not await trainer.train_if_needed():
            raise RuntimeError("the training failed; its reason is in the log above")
        stored = await world.pool.fetchrow(
            "SELECT seconds, octet_length(model) AS bytes FROM classifier_models"
        )
        progress(f"trained in {stored['seconds']:.1f} s; routing")
        threshold = float(Settings.model_fields["classifier_threshold"].default)
        judged = await routed(world.pool, catalogue, data, threshold)
        async with asyncio.timeout(LOADING_SECONDS):
            first = data.val[0][0]
            while not await loaded(world, core, admin.plaintext, first):  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.1)
        for text, _ in data.val[:WARM_REQUESTS]:
            await explained(world, core, admin.plaintext, text)
        return Measured(
            judged,
            threshold,
            round(stored["seconds"], 1),
            round(core.memory_kib / 1024, 1),
            round(without, 1),
            round(stored["bytes"] / 2**20, 1),
        )


async def routed(
    pool: asyncpg.Pool, catalogue: Catalogue, data: Data, threshold: float
) -> list[Judged]:
    classifier = LocalClassifier(pool)
    await classifier.follow(await catalogue.meanings())
    router = Router(catalogue, classifier, threshold)
    wanted: list[tuple[str, str | None]] = [*data.val, *((text, None) for text in data.oos_val)]
    judged = []
    for text, tag in wanted:
        message = Routable(TextPayloadV1(type="text", text=text))
        started = time.perf_counter()
        decision = await router.route(message)
        milliseconds = (time.perf_counter() - started) * 1000
        told: dict[str, Any] = decision.reasons
        best = max(told["candidates"], key=lambda one: one["score"], default=None)
        judged.append(
            Judged(
                tag,
                best["intent"] if best else None,
                best["score"] if best else 0.0,
                told["intent"],
                milliseconds,
            )
        )
    return judged


async def loaded(world: World, core: Process, key: str, text: str) -> bool:
    """Whether the model answers there: at first nothing does."""
    told = (await explained(world, core, key, text))["classifier"]
    return told is not None and told["version"] is not None


async def explained(world: World, core: Process, key: str, text: str) -> dict[str, Any]:
    body = {"payload": {"type": "text", "text": text}}
    place, headers = f"{core.url}/api/v1/routing/explain", {"X-Admin-Key": key}
    async with world.bot.session.post(place, json=body, headers=headers) as response:
        said: dict[str, Any] = await response.json()
        if response.status != 200:
            raise RuntimeError(f"explain answered {response.status}: {said}")
        return said
