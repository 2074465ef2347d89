"""Tokens as the contract's principals."""

from dataclasses import dataclass

from generated.core.security import AdminKey, BotToken, PluginToken, RegistryKey
from generated.runtime.edge import Credential
from impl.clients import Clients
from impl.tokens.format import Kind
from impl.tokens.verifier import TokenVerifier, VerifiedToken


@dataclass(frozen=True, slots=True)
class TokenAuthenticator:
    verifier: TokenVerifier
    clients: Clients

    async def bot_token(self, credential: Credential) -> BotToken | None:
        found = await self._verified(credential, "bot")
        if found is None or found.subject_id is None:
            return None
        return BotToken(found.token_id, found.scopes, found.subject_id)

    async def plugin_token(self, credential: Credential) -> PluginToken | None:
        found = await self._verified(credential, "plugin")
        if found is None or found.subject_id is None:
            return None
        return PluginToken(found.token_id, found.scopes, found.subject_id)

    async def registry_key(self, credential: Credential) -> RegistryKey | None:
        found = await self._verified(credential, "registry")
        return None if found is None else RegistryKey(found.token_id, found.scopes)

    async def admin_key(self, credential: Credential) -> AdminKey | None:
        found = await self._verified(credential, "admin")
        return None if found is None else AdminKey(found.token_id, found.scopes)

    async def _verified(self, credential: Credential, kind: Kind) -> VerifiedToken | None:
        return await self.verifier.verify(
            credential.text, kind, lambda: self.clients.address(credential.scope)
        )
