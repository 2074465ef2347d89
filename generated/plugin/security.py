# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Who may call botcore plugin: the contract's security schemes and scopes."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from generated.runtime.edge import Principal


@dataclass(frozen=True, slots=True)
class InvocationToken(Principal):
    """The `invocation_token` that the registration returned."""

    invocation_id: UUID


class Authenticator(Protocol):
    """Proves credentials; None for one that is not good. It never says why."""

    async def invocation_token(self, credential: str) -> InvocationToken | None: ...
