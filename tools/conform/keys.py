"""Operators' keys, which no API issues: made in the deployment's database for one run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from impl.db import prepare_connection
from impl.tokens import queries
from impl.tokens.format import Kind
from impl.tokens.issue import IssuedToken, issue
from impl.tokens.scopes import KEY_SCOPES
from tools.conform.world import Keys

KINDS: dict[str, Kind] = {"AdminKey": "admin", "RegistryKey": "registry"}
PAST = timedelta(seconds=-1)
# A good scope, but of another kind or of no operation.
NARROW = {"AdminKey": "plugins:register", "RegistryKey": "audit:read"}
NAME = "conformance"


@asynccontextmanager
async def issued_keys(database_url: str) -> AsyncIterator[Keys]:
    """Good ones, and an expired, a revoked and a narrow one of each; in the end all are revoked."""
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        await prepare_connection(connection)
        issued = await _issue(connection)
        try:
            plain = {key: token.plaintext for key, token in issued.items()}
            good = {scheme: plain.pop((scheme, "good")) for scheme in KINDS}
            yield Keys(good["AdminKey"], good["RegistryKey"], plain)
        finally:
            for token in issued.values():
                await queries.revoke(connection, token.id)
    finally:
        await connection.close()


async def _issue(connection: asyncpg.Connection) -> dict[tuple[str, str], IssuedToken]:
    issued = {}
    for scheme, kind in KINDS.items():
        scopes = KEY_SCOPES[kind]
        for state in ("good", "revoked"):
            issued[scheme, state] = await issue(connection, kind, scopes=scopes, name=NAME)
        issued[scheme, "expired"] = await issue(
            connection, kind, scopes=scopes, name=NAME, expires_in=PAST
        )
        issued[scheme, "narrow"] = await issue(connection, kind, scopes=[NARROW[scheme]], name=NAME)
        await queries.revoke(connection, issued[scheme, "revoked"].id)
    return issued
