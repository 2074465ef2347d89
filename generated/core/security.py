# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Who may call botcore: the contract's security schemes and scopes."""

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from generated.runtime.edge import Credential, Principal

Scope = Literal[
    "audit:read",
    "bots:manage",
    "dialogs:read",
    "dialogs:write",
    "limits:manage",
    "notifications:manage",
    "plugins:manage",
    "plugins:read",
    "plugins:register",
    "routing:explain",
    "telemetry:read",
    "telemetry:write",
    "users:erase",
    "users:write",
]


@dataclass(frozen=True, slots=True)
class AdminKey(Principal):
    """An operator's key, from `botcore keys create --admin`."""


@dataclass(frozen=True, slots=True)
class BotToken(Principal):
    """A bot's token, from `botcore bots create`."""

    bot_id: UUID


@dataclass(frozen=True, slots=True)
class PluginToken(Principal):
    """A plugin's token, from its registration."""

    plugin_id: UUID


@dataclass(frozen=True, slots=True)
class RegistryKey(Principal):
    """Permits the registration of plugins."""


class Authenticator(Protocol):
    """Proves credentials; None for one that is not good. It never says why."""

    async def admin_key(self, credential: Credential) -> AdminKey | None: ...

    async def bot_token(self, credential: Credential) -> BotToken | None: ...

    async def plugin_token(self, credential: Credential) -> PluginToken | None: ...

    async def registry_key(self, credential: Credential) -> RegistryKey | None: ...
