"""What a peer is told by its environment: where to store, whom to ask, and for whom."""

import os
from dataclasses import dataclass
from typing import Self
from uuid import UUID

PREFIX = "PEER_"


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """One bot, whose token nobody asks for, and the one plugin that answers."""

    database_url: str
    bot_id: UUID
    plugin_id: UUID
    plugin_url: str

    @classmethod
    def read(cls) -> Self:
        found = {name: os.environ[f"{PREFIX}{name.upper()}"] for name in cls.__slots__}
        return cls(
            found["database_url"],
            UUID(found["bot_id"]),
            UUID(found["plugin_id"]),
            found["plugin_url"],
        )

    def environment(self) -> dict[str, str]:
        return {f"{PREFIX}{name.upper()}": str(getattr(self, name)) for name in self.__slots__}


# What the core stores of a decision by which the fallback plugin answers.
def routing(plugin_id: UUID) -> dict[str, object]:
    return {
        "stage": "fallback",
        "failed": None,
        "intent": None,
        "plugin": "text_reply",
        "reason": "No rule fits: text_reply 1.0.0 answers.",
        "version": "1.0.0",
        "plugin_id": str(plugin_id),
        "candidates": [],
        "classifier": None,
        "microseconds": 28,
        "manifest_hash": "0" * 64,
        "catalogue_version": "0" * 64,
    }
