# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Who may call botcore plugin: the contract's security schemes and scopes."""

from dataclasses import dataclass
from typing import Protocol

from generated.runtime.edge import Credential, Principal


@dataclass(frozen=True, slots=True)
class InvocationBearer(Principal):
    """The `invocation_token` that the registration returned."""


class Authenticator(Protocol):
    """Proves credentials; None for one that is not good. It never says why."""

    async def invocation_bearer(self, credential: Credential) -> InvocationBearer | None: ...
