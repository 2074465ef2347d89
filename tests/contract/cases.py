"""A case of schemathesis, and what a run has learned so far."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import schemathesis

from generated.runtime.scalars import FIRST, LAST
from tests.contract.known import Known

Case = schemathesis.Case[Any]


@dataclass
class State:
    """What this run has learned so far."""

    known: Known
    users: dict[str, str] = field(default_factory=dict)  # of each dialog
    made: set[str] = field(default_factory=set)  # dialogs that exist
    messages: set[tuple[str, str]] = field(default_factory=set)
    stored: list[tuple[str, str]] = field(default_factory=list)  # messages that can be read
    bots: set[str] = field(default_factory=set)  # and their tokens, as far as this run made them
    issued: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    manifests: dict[tuple[str, str], str] = field(default_factory=dict)
    turn: int = 0

    def next(self) -> int:
        self.turn += 1
        return self.turn


def operation_id(case: Case) -> str:
    return str(case.operation.definition.raw["operationId"])


def in_the_case_of(given: str, wanted: str) -> str:
    """`wanted`, in capitals where `given` is: both are the same id."""
    return wanted.upper() if given != given.lower() else wanted


def moment_of_utc(text: str) -> datetime | None:
    """None for a second 60, for an hour that UTC's calendar lacks, and for its two ends."""
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if FIRST < moment < LAST else None
