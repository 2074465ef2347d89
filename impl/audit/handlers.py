from dataclasses import asdict
from datetime import datetime

from generated import models
from generated.core.audit import (
    ListAuditEntries200,
    ListAuditEntries422,
    ListAuditEntriesResult,
)
from generated.core.security import AdminKey
from generated.runtime.problems import InvalidValue
from impl.audit.queries import Filters, list_entries
from impl.cursor import Cursors
from impl.db import Pool


class AuditHandlers:
    """The operations of the tag `audit`."""

    def __init__(self, pool: Pool, cursors: Cursors) -> None:
        self._pool = pool
        self._cursors = cursors

    async def list_audit_entries(
        self, admin_key: AdminKey, query: models.ListAuditEntriesQuery
    ) -> ListAuditEntriesResult:
        if query.from_ is not None and query.to is not None and query.from_ >= query.to:
            fault = InvalidValue("query", "/to", "contradictory", "Must be later than /from")
            return ListAuditEntries422(code="validation_failed", errors=(fault,))
        filters = Filters(
            trace_id=query.trace_id,
            action=query.action,
            source=query.source,
            severity=query.severity,
            from_=query.from_,
            to=query.to,
        )
        cursors = self._cursors.of("audit", asdict(filters))
        after = None
        if query.cursor is not None:
            moment, entry = cursors.read(query.cursor)
            after = datetime.fromisoformat(moment), entry
        # One more than asked for tells whether there is a further page.
        found = await list_entries(self._pool, filters, after=after, limit=query.limit + 1)
        shown = found[: query.limit]
        more = len(found) > len(shown)
        page = models.AuditPageV1(
            items=[models.AuditEntryV1(**asdict(entry)) for entry in shown],
            next_cursor=cursors.write(shown[-1].created_at, shown[-1].id) if more else None,
        )
        return ListAuditEntries200(body=page)
