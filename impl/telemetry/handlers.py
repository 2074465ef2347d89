from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from generated import models
from generated.core.events import (
    ListPluginEvents200,
    ListPluginEvents422,
    ListPluginEventsResult,
    ReportPluginEvent200,
    ReportPluginEvent422,
    ReportPluginEventResult,
    StreamPluginEvents200,
    StreamPluginEvents422,
    StreamPluginEventsResult,
)
from generated.core.security import AdminKey, PluginToken
from generated.events import PLUGIN_FAILED
from generated.metrics import Metrics
from generated.runtime import trace
from generated.runtime.edge import Idempotency
from generated.runtime.problems import InvalidValue
from generated.triggers import TR_004
from impl.cursor import Cursors
from impl.db import Executor, Pool, repeated_if_lost
from impl.feed.feed import Feed
from impl.feed.places import NoPlaceError
from impl.feed.stream import Stream
from impl.feed.subscription import Subscription
from impl.plugins.catalogue import Catalogue
from impl.telemetry.queries.listing import Filters, list_events
from impl.telemetry.queries.reporting import AHEAD_MINUTES, Reported, report
from impl.tokens.verifier import TokenVerifier
from impl.triggers.firing import fired
from impl.triggers.lifecycle import TakenOut, take_out


@dataclass(frozen=True, slots=True)
class TakenOutHere:
    """What this instance does once a plugin was taken out: it knows of it at once."""

    metrics: Metrics
    verifier: TokenVerifier
    catalogue: Catalogue

    async def tell(self, plugin_id: UUID, done: TakenOut) -> None:
        if done.disabled:
            fired(self.metrics, TR_004, plugin_id=plugin_id)
        self.verifier.forget(*done.token_ids)
        await self.catalogue.refresh()


NO_SPAN = InvalidValue("query", "/to", "contradictory", "Must be later than /from")
NO_PLACE = InvalidValue("header", "/Last-Event-ID", "place_invalid", "No id of this service")


class EventHandlers:
    """The operations of the tag `events`."""

    def __init__(self, pool: Pool, cursors: Cursors, feed: Feed, taken_out: TakenOutHere) -> None:
        self._pool = pool
        self._cursors = cursors
        self._feed = feed
        self._taken_out = taken_out

    async def list_plugin_events(
        self, caller: PluginToken | AdminKey, query: models.ListPluginEventsQuery
    ) -> ListPluginEventsResult:
        if _is_no_span(query.from_, query.to):
            return ListPluginEvents422(code="validation_failed", errors=(NO_SPAN,))
        reader = _reader(caller)
        filters = Filters(**query.model_dump(exclude={"cursor", "limit"}))
        cursors = self._cursors.of("events", reader, asdict(filters))
        after = None
        if query.cursor is not None:
            moment, event_id = cursors.read(query.cursor)
            after = datetime.fromisoformat(moment), UUID(event_id)
        rows = await list_events(
            self._pool, filters, reader=reader, after=after, limit=query.limit + 1
        )
        page, cursor = cursors.page(rows, query.limit, "occurred_at", "event_id")
        found = {"items": page, "next_cursor": cursor}
        return ListPluginEvents200(body=models.PluginEventPageV1.model_validate(found))

    async def stream_plugin_events(
        self,
        caller: PluginToken | AdminKey,
        query: models.StreamPluginEventsQuery,
        header: models.StreamPluginEventsHeader,
    ) -> StreamPluginEventsResult:
        if _is_no_span(query.from_, query.to):
            return StreamPluginEvents422(code="validation_failed", errors=(NO_SPAN,))
        place = header.Last_Event_ID
        try:
            after = None if place is None else self._feed.places.read(place)
        except NoPlaceError:
            return StreamPluginEvents422(code="validation_failed", errors=(NO_PLACE,))
        filters = Filters(**query.model_dump(exclude={"max_seconds"}))
        subscription = Subscription(caller.token_id, _reader(caller), filters)
        await self._feed.open(subscription, after=after)
        return StreamPluginEvents200(body=Stream(self._feed, subscription, query.max_seconds))

    async def report_plugin_event(
        self,
        plugin_token: PluginToken,
        path: models.ReportPluginEventPath,
        body: models.PluginEventV1,
        idempotency: Idempotency,
    ) -> ReportPluginEventResult:
        if body.plugin_id != path.plugin_id:
            return _refused("/plugin_id", "mismatch", "Must equal the path's")
        plugin_id = plugin_token.plugin_id
        done, taken_out = await repeated_if_lost(
            lambda: self._report(plugin_id, body, idempotency.fingerprint)
        )
        if taken_out is not None:
            await self._taken_out.tell(plugin_id, taken_out)
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

    async def _report(
        self, plugin_id: UUID, body: models.PluginEventV1, fingerprint: bytes
    ) -> tuple[Reported, TakenOut | None]:
        """A critical failure takes the plugin out in the transaction that stores it."""
        trace_id = trace.require()

        async def store(executor: Executor) -> Reported:
            return await report(
                executor, plugin_id=plugin_id, body=body, fingerprint=fingerprint, trace_id=trace_id
            )

        if body.event_type != PLUGIN_FAILED.name or body.severity != TR_004.severity:
            return await store(self._pool), None
        async with self._pool.acquire() as connection, connection.transaction():
            done = await store(connection)
            if done is not Reported.ACCEPTED:
                return done, None
            reason = f"it reported {body.event_id}"
            return done, await take_out(connection, plugin_id, reason, trace_id)


def _is_no_span(begin: datetime | None, end: datetime | None) -> bool:
    return begin is not None and end is not None and begin >= end


def _reader(caller: PluginToken | AdminKey) -> UUID | None:
    """The plugin that may see its own payloads alone."""
    return caller.plugin_id if isinstance(caller, PluginToken) else None


def _refused(pointer: str, code: str, message: str) -> ReportPluginEvent422:
    fault = InvalidValue("body", pointer, code, message)
    return ReportPluginEvent422(code="validation_failed", errors=(fault,))
