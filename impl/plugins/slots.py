"""How many calls of one plugin may be under way in this process: a hung one holds no other's."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from uuid import UUID


@dataclass
class Slots:
    """`limit` for each plugin. Nobody waits for one: what finds none free goes to the queue."""

    limit: int
    _held: Counter[UUID] = field(default_factory=Counter)

    def reserve(self, plugin_id: UUID) -> "Slot | None":
        """One more call's; None at the limit. Use it as a context, or release it."""
        if self._held.get(plugin_id, 0) >= self.limit:
            return None
        self._held[plugin_id] += 1
        return Slot(self, plugin_id)

    def give_back(self, plugin_id: UUID) -> None:
        self._held[plugin_id] -= 1
        if not self._held[plugin_id]:
            del self._held[plugin_id]

    def free(self) -> Mapping[UUID, int]:
        """Of each plugin that has a call under way, how many more it may have."""
        return {plugin_id: self.limit - held for plugin_id, held in self._held.items()}


@dataclass
class Slot:
    slots: Slots
    plugin_id: UUID
    _held: bool = True

    def release(self) -> None:
        """The first time; then nothing."""
        if self._held:
            self._held = False
            self.slots.give_back(self.plugin_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
