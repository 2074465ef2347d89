"""The table of refusals, made of the contract: whoever may not is told so, and nothing else.

A new operation is in it by itself. One of which no good request can be made fails here: then
tools/conform/good.py does not know yet how to fill it. Every request of the table is a good one but
for what its cell names; the last test sends it as it is.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from impl.db import prepare_connection
from impl.tokens import queries
from impl.tokens.format import Kind, mint
from impl.tokens.scopes import KEY_SCOPES
from tests.every_operation import OPERATIONS, asking
from tests.servers import create_database, drop_database
from tests.stack import running_api, settings_for
from tools.bundler import error_codes
from tools.conform.answers import Answer
from tools.conform.client import Request
from tools.conform.codes import NOWHERE
from tools.conform.columns.scopes import scopes_of
from tools.conform.good import Caller, caller, good_request
from tools.conform.keys import NARROW
from tools.conform.world import BOT_SCOPES, PLUGIN_SCOPES, World
from tools.contract import Operation
from tools.steps import principals

KINDS: dict[str, Kind] = {
    "AdminKey": "admin",
    "BotToken": "bot",
    "PluginToken": "plugin",
    "RegistryKey": "registry",
}
SCOPES = {
    "AdminKey": KEY_SCOPES["admin"],
    "BotToken": frozenset(BOT_SCOPES),
    "PluginToken": frozenset(PLUGIN_SCOPES),
    "RegistryKey": KEY_SCOPES["registry"],
}
CODES = {
    "none": "missing_credentials",
    "malformed": "invalid_credentials",
    "bad checksum": "invalid_credentials",
    "unknown": "invalid_credentials",
    "expired": "invalid_credentials",
    "revoked": "invalid_credentials",
    "wrong kind": "invalid_credentials",
    "wrong scope": "insufficient_scope",
}
PAST = timedelta(seconds=-1)
HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# What is absent is made by these, and so cannot be told from another's by the answer.
MAKE_THE_ABSENT = {"addDialogMessage"}
# Of an answer; the others are the same for everybody.
OF_ONE_REQUEST = {"x-trace-id", "date", "ratelimit"}


def cells() -> Iterator[tuple[str, str, str]]:
    for name, operation in OPERATIONS.items():
        callers = principals(operation)
        for scheme in callers.names:
            for state in CODES:
                given_or_not = state == "none" and scheme in callers.optional
                needs_none = state == "wrong scope" and not scopes_of(operation, scheme)
                if not given_or_not and not needs_none:
                    yield name, scheme, state


CELLS = list(cells())
OWNED = [name for name, operation in OPERATIONS.items() if "x-owner" in operation.spec]


def ids(operation: Operation) -> list[str]:
    """The path's parameters that name objects, the one that holds the others first."""
    return [each["name"] for each in operation.parameters("path") if each["name"].endswith("_id")]


NESTED = [name for name, operation in OPERATIONS.items() if len(ids(operation)) > 1]


@dataclass
class Table:
    """Good requests of `who`, one of each operation, and tokens that are good but for one thing."""

    world: World
    pool: asyncpg.Pool
    who: Caller
    other: Caller
    _good: dict[str, Request] = field(default_factory=dict)

    async def good(self, name: str) -> Request:
        """Whoever is refused uses nothing up."""
        if name not in self._good:
            self._good[name] = await good_request(self.world, OPERATIONS[name], self.who)
        return self._good[name]

    async def sent(self, request: Request) -> Answer:
        """Held against the contract."""
        answer = await self.world.client.send(request)
        name = request.operation.id
        assert self.world.client.header_faults[name] == []
        assert self.world.client.body_faults[name] == []
        return answer

    async def token(self, operation: Operation, scheme: str, state: str) -> str | None:
        """Each is another one, so that no refusal is owed to those before it."""
        kind = KINDS[scheme]
        if state in {"none", "malformed", "unknown"}:
            made = {"malformed": f"bc_{kind}_{uuid4().hex}", "unknown": mint(kind).plaintext}
            return made.get(state)
        if state == "wrong kind":
            return await self.issued("BotToken" if scheme != "BotToken" else "AdminKey")
        narrow = SCOPES[scheme] - scopes_of(operation, scheme) or {NARROW.get(scheme, "")}
        scopes = frozenset(narrow) if state == "wrong scope" else None
        expires_in = PAST if state == "expired" else None
        issued = await self.issued(scheme, scopes=scopes, expires_in=expires_in)
        if state == "revoked":
            await queries.revoke(self.pool, issued.split("_")[2])
        if state == "bad checksum":
            return issued[:-1] + ("0" if issued[-1] != "0" else "1")
        return issued

    async def issued(
        self,
        scheme: str,
        *,
        scopes: frozenset[str] | None = None,
        expires_in: timedelta | None = None,
    ) -> str:
        """Of `who`, where it is anybody's. Its hash is a cheap one: there are hundreds."""
        kind, subject = KINDS[scheme], None
        if kind in {"bot", "plugin"}:
            subject = UUID(self.who.bot.id if kind == "bot" else self.who.plugin.id)
        new = mint(kind)
        await queries.insert(
            self.pool,
            new.id,
            kind,
            subject_id=subject,
            hashed=HASHER.hash(new.plaintext),
            scopes=sorted(SCOPES[scheme] if scopes is None else scopes),
            expires_in=expires_in,
        )
        return new.plaintext


@pytest_asyncio.fixture(scope="module")
async def table(postgres: str, valkey: str, migrated: str) -> AsyncIterator[Table]:
    database = await create_database(postgres, "refusals", template=migrated)
    async with (
        asyncpg.create_pool(database, min_size=0, max_size=4, init=prepare_connection) as pool,
        running_api(pool, settings_for(database, valkey)) as api,
        asking(api.url, database) as world,
    ):
        yield Table(world, pool, await caller(world), await caller(world))
    await drop_database(database)


def refused(answer: Answer, code: str) -> None:
    """With the declared problem, whole."""
    declared, problem = error_codes()[code], answer.json
    assert (answer.status, problem["code"]) == (declared["status"], code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:botcore:problem:{code}"
    assert (problem["title"], problem["status"]) == (declared["title"], declared["status"])
    assert problem["trace_id"] == answer.headers["x-trace-id"]
    if answer.status == 401:
        assert 'realm="botcore"' in answer.headers["www-authenticate"]


def told(answer: Answer) -> object:
    """All that an answer says, but for what each has of its own."""
    body = {name: value for name, value in answer.json.items() if name != "trace_id"}
    headers = {name: value for name, value in answer.headers.items() if name not in OF_ONE_REQUEST}
    return answer.status, body, headers


def test_each_operation_says_who_may(table: Table) -> None:
    """Nothing is open for want of a word; what is open says so."""
    assert all("security" in operation.spec for operation in OPERATIONS.values())
    assert {scheme for _, scheme, _ in CELLS} == set(KINDS)
    assert set(KINDS) == set(table.world.client.schemes)


@pytest.mark.parametrize(("name", "scheme", "state"), CELLS)
async def test_who_may_not_is_refused(table: Table, name: str, scheme: str, state: str) -> None:
    operation, good = OPERATIONS[name], await table.good(name)
    beside = {
        each: await table.issued(each) for each in principals(operation).required if each != scheme
    }
    token = await table.token(operation, scheme, state)
    credentials = beside if token is None else {**beside, scheme: token}
    assert CODES[state] in operation.codes
    refused(await table.sent(good.but(credentials=credentials)), CODES[state])


def as_other(table: Table, request: Request) -> Request:
    """The same of another bot or plugin, which has every scope and a user of its own."""
    tokens = {"BotToken": table.other.bot.token, "PluginToken": table.other.plugin.token}
    credentials = {scheme: tokens[scheme] for scheme in request.credentials}
    if "user_id" in (request.body or {}):
        request = request.with_body(user_id=table.other.bot.user_id)
    return request.but(credentials=credentials)


def elsewhere(request: Request, parameter: str) -> Request:
    """The same of an object that never was."""
    absent = NOWHERE.get(parameter, str(uuid4()))
    if parameter in (request.body or {}):
        request = request.with_body(**{parameter: absent})
    return request.but(path={**request.path, parameter: absent})


@pytest.mark.parametrize("name", OWNED)
async def test_anothers_object_is_as_absent_as_none(table: Table, name: str) -> None:
    owner = OPERATIONS[name].spec["x-owner"]
    request = as_other(table, await table.good(name))
    foreign = await table.sent(request)
    refused(foreign, owner["code"])
    absent = await table.sent(elsewhere(request, owner["parameter"]))
    if name in MAKE_THE_ABSENT:
        assert absent.status < 300
    else:
        assert told(foreign) == told(absent)


@pytest.mark.parametrize("name", NESTED)
async def test_an_object_is_found_in_its_own_place_alone(table: Table, name: str) -> None:
    """One of another bot, plugin, dialog or subscription is none of this one."""
    operation, good = OPERATIONS[name], await table.good(name)
    *_, last = ids(operation)
    beside = await good_request(table.world, operation, table.who)
    assert all(beside.path[each] != good.path[each] for each in ids(operation))
    foreign = await table.sent(good.but(path={**good.path, last: beside.path[last]}))
    refused(foreign, f"{last.removesuffix('_id')}_not_found")
    assert told(foreign) == told(await table.sent(elsewhere(good, last)))


@pytest.mark.parametrize("name", list(OPERATIONS))
async def test_the_same_request_is_good_where_nothing_is_wrong(table: Table, name: str) -> None:
    """By each of the ways in, of which the first uses the good one up."""
    operation, good = OPERATIONS[name], await table.good(name)
    schemes = principals(operation)
    for number, ways in enumerate([[each] for each in schemes.either] or [schemes.required]):
        if number:
            good = await good_request(table.world, operation, table.who)
        credentials = {scheme: await table.issued(scheme) for scheme in ways}
        answer = await table.sent(good.but(credentials=credentials))
        assert answer.status < 300, answer
