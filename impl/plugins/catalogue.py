"""The plugins that can be called, in memory: compiled when they change, never per message."""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson
import structlog

from impl.db import UNAVAILABLE, Pool
from impl.plugins.calls.terms import OutputSchemas
from impl.routing.candidate import Candidate
from impl.routing.classifier.port import Meanings
from impl.routing.table import RoutingTable, compile_table

log = structlog.get_logger()

READ_CALLABLE = """
SELECT id, name, version, base_url, intents, status, manifest_hash, schema_version, output_schema,
    supports_retry, is_fallback, sticky_bonus
FROM plugins WHERE status IN ('active', 'degraded') ORDER BY name, version
"""


@dataclass
class Catalogue:
    """The current routing table. `refresh` after each change of ours; `watch` for others'."""

    pool: Pool
    fallback: str
    _table: RoutingTable | None = None
    _schemas: OutputSchemas = field(default_factory=OutputSchemas)
    _rows: list[tuple[object, ...]] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def table(self) -> RoutingTable:
        """In memory; read at once where it never was: no message meets a table not yet loaded."""
        if self._table is None:
            await self.refresh()
        return self._table or compile_table([], self.fallback)

    async def meanings(self) -> Meanings:
        """What a classifier is to know."""
        return (await self.table()).meanings

    async def refresh(self) -> None:
        """One at a time: what was read earlier must not undo what was read later."""
        async with self._turn:
            await self._read()

    async def _read(self) -> None:
        records = await self.pool.fetch(READ_CALLABLE)
        rows = [tuple(record) for record in records]
        if rows == self._rows and self._table is not None:
            return
        known = self._table.left_out if self._table else {}
        candidates = [Candidate(*row) for row in rows]
        self._table = compile_table(candidates, self.fallback, self._schemas, _digest(rows))
        self._rows = rows
        for plugin_id, reason in self._table.left_out.items():
            if known.get(plugin_id) != reason:
                log.error("plugin_rules_left_out", plugin_id=str(plugin_id), reason=reason)
        log.info("catalogue_compiled", plugins=len(rows), version=self._table.version)

    async def watch(self, every_seconds: float) -> None:
        """Never ends. A database that is away is waited for: the table in hand keeps serving."""
        while True:
            try:
                await self.refresh()
            except UNAVAILABLE as error:
                log.warning("catalogue_stale", reason=type(error).__name__)
            await asyncio.sleep(every_seconds)


def _digest(rows: Iterable[tuple[object, ...]]) -> str:
    """Equal on every instance that has the same rows."""
    return hashlib.sha256(orjson.dumps([list(row) for row in rows], default=str)).hexdigest()
