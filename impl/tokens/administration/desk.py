"""Token administration over the API: the contract's bodies in and out, one transaction each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Protocol

import asyncpg

from generated import models
from generated.core.security import AdminKey
from impl.audit.log import by_key
from impl.cursor import Cursors
from impl.db import Pool
from impl.tokens.administration import actions
from impl.tokens.administration.actions import Grant, Issued
from impl.tokens.administration.queries import Holder, Token
from impl.tokens.issue import prepare
from impl.tokens.verifier import TokenVerifier


class PageQuery(Protocol):
    """The parameters of a list, as each operation's own model has them."""

    limit: int
    cursor: models.Cursor | None


@dataclass(frozen=True, slots=True)
class TokenDesk:
    """What it takes from a token, this process's `verifier` honours at once."""

    pool: Pool
    verifier: TokenVerifier
    cursors: Cursors

    async def page(self, holder: Holder, query: PageQuery) -> models.TokenPageV1:
        cursors = self.cursors.of("tokens", holder.kind, holder.id)
        after = None if query.cursor is None else cursors.read(query.cursor)[0]
        # One more than asked for tells whether there is a further page.
        found = await actions.page(self.pool, holder, after=after, limit=query.limit + 1)
        shown = found[: query.limit]
        more = len(found) > len(shown)
        return models.TokenPageV1(
            items=[described(token) for token in shown],
            next_cursor=cursors.write(shown[-1].id) if more else None,
        )

    async def issue(
        self,
        key: AdminKey,
        holder: Holder,
        body: models.BotTokenIssueV1 | models.PluginTokenIssueV1,
    ) -> models.TokenIssuedV1:
        grant = Grant(body.scopes, seconds(body.expires_in_seconds), body.name)
        new = await prepare(holder.kind)
        async with self.transaction() as connection:
            issued = await actions.issue(connection, by_key(key), holder, new, grant)
        return issued_model(issued)

    async def rotate(
        self, key: AdminKey, holder: Holder, token_id: str, body: models.TokenRotateV1
    ) -> models.TokenIssuedV1:
        new = await prepare(holder.kind)
        async with self.transaction() as connection:
            issued = await actions.rotate(
                connection,
                by_key(key),
                holder,
                token_id,
                new,
                overlap=timedelta(seconds=body.overlap_seconds),
                expires_in=seconds(body.expires_in_seconds),
            )
        self.verifier.forget(token_id)
        return issued_model(issued)

    async def narrow(
        self,
        key: AdminKey,
        holder: Holder,
        token_id: str,
        body: models.BotTokenNarrowV1 | models.PluginTokenNarrowV1,
    ) -> models.TokenV1:
        async with self.transaction() as connection:
            token = await actions.narrow(
                connection,
                by_key(key),
                holder,
                token_id,
                scopes=body.scopes,
                expires_in=seconds(body.expires_in_seconds),
            )
        self.verifier.forget(token_id)
        return described(token)

    async def revoke(self, key: AdminKey, holder: Holder, token_id: str) -> models.TokenV1:
        async with self.transaction() as connection:
            token = await actions.revoke(connection, by_key(key), holder, token_id)
        self.verifier.forget(token_id)
        return described(token)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection


def seconds(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=number)


def described(token: Token) -> models.TokenV1:
    return models.TokenV1(**asdict(token))


def issued_model(issued: Issued) -> models.TokenIssuedV1:
    return models.TokenIssuedV1(token=issued.plaintext, issued=described(issued.token))
