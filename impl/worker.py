"""`botcore worker`: what happens after the answer. Any number of workers may run."""

import asyncio
import signal

import structlog
import uvloop

from generated.metrics import make_metrics
from impl import logging
from impl.app import metrics_listener, open_resources
from impl.connections import warn_if_few
from impl.degraded.keeper import Keeper
from impl.degraded.queries import Rules
from impl.dialogs.delivery import make_delivery
from impl.dialogs.queue import CallQueue
from impl.erasure.eraser import Eraser
from impl.events.relay import Relay
from impl.events.wire import EVENTS, FEED
from impl.notifications.collecting import Collector
from impl.notifications.sending import Sender
from impl.notifications.signing import Secrets
from impl.plugins.catalogue import Catalogue
from impl.plugins.watcher.watcher import Watcher
from impl.process import (
    announce_ready,
    end,
    warn_of_development,
    warn_of_impatience,
    warn_of_risks,
)
from impl.redis import relay_client
from impl.retention.retention import Retention, RetentionTask
from impl.routing.classifier.trainer import Trainer
from impl.safety import settings_risks
from impl.settings import Settings
from impl.triggers.scaling import ScalingAlert

log = structlog.get_logger()


def run(settings: Settings) -> int:
    """Works until SIGTERM or SIGINT. A task that dies ends the process, loudly."""
    logging.configure(settings.log_level)
    warn_of_development(settings)
    warn_of_risks(settings, settings_risks(settings))
    warn_of_impatience(settings)
    return uvloop.run(_work(settings))


async def _work(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    metrics = make_metrics()
    async with (
        open_resources(settings, metrics) as resources,
        metrics_listener(settings, resources.exposition),
    ):
        redis = relay_client(settings)
        relay = Relay(
            resources.pool,
            redis,
            settings.relay_batch,
            settings.relay_poll_seconds,
            metrics,
            committed=resources.wire.bell(EVENTS),
            told=lambda: resources.wire.tell(FEED),
        )
        catalogue = Catalogue(resources.pool, settings.fallback_plugin)
        delivery = make_delivery(resources.pool, resources.caller, catalogue, settings, metrics)
        queue = CallQueue(resources.pool, delivery, settings, metrics)
        watcher = Watcher(resources.pool, resources.caller, settings, metrics)
        trainer = Trainer(
            resources.pool,
            catalogue,
            metrics,
            settings.catalogue_refresh_seconds,
            settings.classifier_training_seconds,
        )
        retention = RetentionTask(Retention(resources.pool, settings), metrics)
        secrets = Secrets(settings.secret_key.get_secret_value().encode())
        sender = Sender(resources.pool, resources.webhooks, secrets, settings, metrics)
        collector = Collector(resources.pool, settings, metrics)
        scaling = ScalingAlert(resources.pool, settings, metrics)
        keeper = Keeper(resources.pool, resources.gate, Rules.of(settings), metrics)
        eraser = Eraser(resources.pool, resources.gate, settings.call_lease_seconds)
        tasks = {
            asyncio.create_task(resources.wire.run(), name="wire"),
            asyncio.create_task(collector.run(), name="notifications"),
            asyncio.create_task(sender.run(), name="webhooks"),
            asyncio.create_task(scaling.run(), name="scaling alert"),
            asyncio.create_task(relay.run(), name="relay"),
            asyncio.create_task(queue.run(), name="queue"),
            asyncio.create_task(retention.run(), name="retention"),
            asyncio.create_task(watcher.run(), name="watcher"),
            asyncio.create_task(keeper.run(), name="keeper"),
            asyncio.create_task(eraser.run(), name="eraser"),
            asyncio.create_task(
                catalogue.watch(settings.catalogue_refresh_seconds), name="catalogue"
            ),
        }
        await warn_if_few(resources.pool, settings, processes=1)
        if settings.classifier != "off":
            tasks.add(asyncio.create_task(trainer.run(), name="trainer"))
        log.info("working", tasks=sorted(task.get_name() for task in tasks))
        announce_ready()
        try:
            return await _watch(tasks, stop)
        finally:
            await redis.aclose()


async def _watch(tasks: set["asyncio.Task[None]"], stop: asyncio.Event) -> int:
    stopping = asyncio.create_task(stop.wait(), name="stop")
    done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
    died = [task for task in done if task is not stopping]
    for task in died:
        log.error("task_died", task=task.get_name(), exc_info=task.exception())
    await end(*tasks, stopping)
    return 1 if died else 0
