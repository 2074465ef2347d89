"""One event as it is told: rendered once for all who see its payload, once for all who do not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from generated import models
from generated.runtime.edge import render
from impl.telemetry.queries.listing import Filters


@dataclass(slots=True)
class Event:
    """`row` is a PluginEventRecordV1 and its position; `place` is that position as a text."""

    row: Mapping[str, Any]
    place: str
    _frames: dict[bool, bytes] = field(default_factory=dict)

    @property
    def position(self) -> int:
        position: int = self.row["position"]
        return position

    def fits(self, filters: Filters) -> bool:
        """As the list of events takes them; see impl/telemetry/queries/listing.py."""
        row = self.row
        return (
            row["event_id"] is not None
            and filters.plugin_id in (None, row["plugin_id"])
            and filters.event_type in (None, row["event_type"])
            and filters.severity in (None, row["severity"])
            and filters.dialog_id in (None, row["dialog_id"])
            and (filters.from_ is None or row["occurred_at"] >= filters.from_)
            and (filters.to is None or row["occurred_at"] < filters.to)
        )

    def frame(self, reader: UUID | None) -> bytes:
        """For `reader`, the plugin that may see its own payloads alone; None sees all."""
        whole = reader is None or reader == self.row["plugin_id"]
        if whole not in self._frames:
            self._frames[whole] = self._rendered(whole=whole)
        return self._frames[whole]

    def _rendered(self, *, whole: bool) -> bytes:
        item = {name: value for name, value in self.row.items() if name != "position"}
        if not whole:
            item["payload"] = None
        data = render(models.PluginEventRecordV1.model_validate(item)).content
        event_type = self.row["event_type"].encode()
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (self.place.encode(), event_type, data)
