"""Tokens as the contract's principals."""

from dataclasses import dataclass

from generated.core.security import AdminKey, BotToken, PluginToken, RegistryKey
from impl.tokens.verifier import TokenVerifier


@dataclass(frozen=True, slots=True)
class TokenAuthenticator:
    verifier: TokenVerifier

    async def bot_token(self, credential: str) -> BotToken | None:
        found = await self.verifier.verify(credential, "bot")
        if found is None or found.subject_id is None:
            return None
        return BotToken(found.token_id, found.scopes, found.subject_id)

    async def plugin_token(self, credential: str) -> PluginToken | None:
        found = await self.verifier.verify(credential, "plugin")
        if found is None or found.subject_id is None:
            return None
        return PluginToken(found.token_id, found.scopes, found.subject_id)

    async def registry_key(self, credential: str) -> RegistryKey | None:
        found = await self.verifier.verify(credential, "registry")
        return None if found is None else RegistryKey(found.token_id, found.scopes)

    async def admin_key(self, credential: str) -> AdminKey | None:
        found = await self.verifier.verify(credential, "admin")
        return None if found is None else AdminKey(found.token_id, found.scopes)
