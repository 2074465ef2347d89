"""Operators' keys for the conformance suite, the spare ones too, which no API issues."""

from datetime import timedelta

import asyncpg

from impl.tokens import queries
from impl.tokens.development import KEYS
from impl.tokens.format import Kind
from impl.tokens.issue import issue
from tools.conform.world import Keys

KINDS: dict[str, Kind] = {"AdminKey": "admin", "RegistryKey": "registry"}


async def issue_keys(executor: asyncpg.Pool) -> Keys:
    """Good ones, and an expired, a revoked and one without any useful scope of each."""
    scopes = {key.kind: key.scopes for key in KEYS}
    good: dict[str, str] = {}
    spare: dict[tuple[str, str], str] = {}
    for scheme, kind in KINDS.items():
        good[scheme] = (await issue(executor, kind, scopes=scopes[kind])).plaintext
        past = timedelta(seconds=-1)
        expired = await issue(executor, kind, scopes=scopes[kind], expires_in=past)
        revoked = await issue(executor, kind, scopes=scopes[kind])
        await queries.revoke(executor, revoked.id)
        narrow = await issue(executor, kind, scopes=["notifications:manage"])
        spare[scheme, "expired"] = expired.plaintext
        spare[scheme, "revoked"] = revoked.plaintext
        spare[scheme, "narrow"] = narrow.plaintext
    return Keys(good["AdminKey"], good["RegistryKey"], spare)
