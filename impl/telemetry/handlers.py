from generated import models
from generated.core.events import (
    ReportPluginEvent200,
    ReportPluginEvent422,
    ReportPluginEventResult,
)
from generated.core.security import PluginToken
from generated.runtime import trace
from generated.runtime.edge import Idempotency
from generated.runtime.problems import InvalidValue
from impl.db import Pool, repeated_if_lost
from impl.telemetry.queries import AHEAD_MINUTES, Reported, report


class EventHandlers:
    """The operations of the tag `events`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def report_plugin_event(
        self,
        plugin_token: PluginToken,
        path: models.ReportPluginEventPath,
        body: models.PluginEventV1,
        idempotency: Idempotency,
    ) -> ReportPluginEventResult:
        if body.plugin_id != path.plugin_id:
            return _refused("/plugin_id", "mismatch", "Must equal the path's")
        done = await repeated_if_lost(
            lambda: report(
                self._pool,
                plugin_id=plugin_token.plugin_id,
                body=body,
                fingerprint=idempotency.fingerprint,
                trace_id=trace.require(),
            )
        )
        if done is Reported.REUSED:
            return ReportPluginEvent422(code="event_id_reused")
        if done is Reported.AHEAD:
            message = f"Must not be more than {AHEAD_MINUTES} minutes ahead"
            return _refused("/occurred_at", "in_the_future", message)
        if done is Reported.DUPLICATE:
            duplicate = models.EventAckV1(status="duplicate", event_id=body.event_id)
            return ReportPluginEvent200(body=duplicate, idempotency_replayed="true")
        accepted = models.EventAckV1(status="accepted", event_id=body.event_id)
        return ReportPluginEvent200(body=accepted)


def _refused(pointer: str, code: str, message: str) -> ReportPluginEvent422:
    fault = InvalidValue("body", pointer, code, message)
    return ReportPluginEvent422(code="validation_failed", errors=(fault,))
