# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Who calls: credentials out of headers, and what they permit."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from starlette.types import Scope

from generated.errors import InsufficientScope, InvalidCredentials, MissingCredentials
from generated.runtime.call import Call

Identity = TypeVar("Identity", bound="Principal")
Other = TypeVar("Other", bound="Principal")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as proved by a credential."""

    token_id: str
    scopes: frozenset[str]


@dataclass(slots=True)
class Credential:
    """What a header says, and the request that it came with."""

    text: str = field(repr=False)
    scope: Scope = field(repr=False)


Verify: TypeAlias = Callable[[Credential], Awaitable[Identity | None]]


def required(credential: Credential | None) -> Credential:
    if credential is None:
        raise MissingCredentials
    return credential


def proved(identity: Identity | None) -> Identity:
    if identity is None:
        raise InvalidCredentials
    return identity


async def authenticate(verify: Verify[Identity], credential: Credential | None) -> Identity:
    return proved(await verify(required(credential)))


async def authenticate_if_given(
    verify: Verify[Identity], credential: Credential | None
) -> Identity | None:
    return None if credential is None else await authenticate(verify, credential)


async def authenticate_either(
    verify: Verify[Identity],
    credential: Credential | None,
    verify_other: Verify[Other],
    other: Credential | None,
) -> Identity | Other:
    """By the first of the two that is given; the second is then not looked at."""
    if credential is None:
        return await authenticate(verify_other, other)
    return await authenticate(verify, credential)


def require_scopes(principal: Principal, scopes: frozenset[str]) -> None:
    missing = scopes - principal.scopes
    if missing:
        raise InsufficientScope(f"The token lacks the scope {', '.join(sorted(missing))}.")


def header_credential(call: Call, name: bytes) -> Credential | None:
    """The header's value. Raises InvalidCredentials where there are several lines of it."""
    if name in call.repeated:
        raise InvalidCredentials("Give one credential of a kind.")
    value = call.headers.get(name)
    return None if value is None else Credential(value.decode("latin-1"), call.scope)


def bearer_credential(call: Call) -> Credential | None:
    found = header_credential(call, b"authorization")
    if found is None:
        return None
    scheme, _, text = found.text.partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidCredentials("Authorization must use the scheme Bearer.")
    return Credential(text.strip(), call.scope)
