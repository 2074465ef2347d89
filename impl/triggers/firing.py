"""That a trigger fired: what every one of them tells, beside its events."""

from typing import cast

import structlog

from generated.metrics import Metrics, TriggerLabel
from generated.runtime.triggers import Trigger

log = structlog.get_logger()
LEVELS = {"info": "info", "warning": "warning", "critical": "error"}


def fired(metrics: Metrics, trigger: Trigger, **about: object) -> None:
    """After its commit, by whoever's statement it was: so it is told once. `about` are ids."""
    metrics.triggers_fired_total.at(cast("TriggerLabel", trigger.id)).inc()
    getattr(log, LEVELS[trigger.severity])("trigger_fired", trigger=trigger.id, **about)
