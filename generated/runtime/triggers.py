# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""What the contract says of a trigger, as the code that runs it needs it."""

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """`events`: by which it tells, the one that tells that it fired first."""

    id: str
    severity: Severity
    events: list[str] = field(hash=False)
