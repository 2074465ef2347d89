"""Every answer against the contract: its status, headers and body must be declared."""

import json
from collections.abc import Iterator

from impl.kit import promise
from impl.kit.promise import Json
from tools.contract import Operation

Answer = promise.Answer

EVENT_STREAM = "text/event-stream"


class Promise(promise.Promise):
    """What one operation may answer."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.document, operation.spec)

    def body_faults(self, answer: Answer) -> Iterator[str]:
        yield from super().body_faults(answer)
        if answer.headers.get("content-type") == EVENT_STREAM:
            yield from self._event_faults(answer)

    def _event_faults(self, answer: Answer) -> Iterator[str]:
        """In a stream each event is held against the schema, and its data against their own."""
        content = self._responses[answer.status]["content"]
        schema = promise.deref(self._document, content[EVENT_STREAM]["schema"])
        of_data = schema["properties"]["data"]["contentSchema"]
        for event in _events(answer.content.decode()):
            faults = [*self._faults(schema, event)]
            faults = faults or [*self._faults(of_data, json.loads(event["data"]))]
            yield from (f"{answer.status}: an event: {text}" for text in faults)


def _events(text: str) -> Iterator[Json]:
    """The blocks that have data; the others are signs of life."""
    for block in text.split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines() if not line.startswith(":")]
        fields = {name: value for name, _, value in lines if name != "retry"}
        if "data" in fields:
            yield fields
