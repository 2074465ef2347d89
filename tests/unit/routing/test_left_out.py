"""A plugin that is left out is said once, not each time that another plugin changes."""

from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID, uuid4

from structlog.testing import capture_logs

from impl.db import Pool
from impl.plugins.catalogue import Catalogue


@dataclass
class Rows:
    """The plugins' table, as a pool reads it."""

    plugin_id: UUID = field(default_factory=uuid4)
    intents: Any = None
    base_url: str = "http://127.0.0.1:1"

    async def fetch(self, _query: str) -> list[tuple[object, ...]]:
        plugin = (self.plugin_id, "bad", "1.0.0", self.base_url, self.intents, "active", "0" * 64)
        return [plugin]


async def test_each_fault_is_logged_once() -> None:
    rows = Rows(intents=["go"])
    catalogue = Catalogue(cast("Pool", rows), "text_reply")
    with capture_logs() as logs:
        await catalogue.refresh()
        rows.base_url += "/moved"
        await catalogue.refresh()
        rows.intents = 7
        await catalogue.refresh()
    said = [log["plugin_id"] for log in logs if log["event"] == "plugin_rules_left_out"]
    assert said == [str(rows.plugin_id)] * 2
