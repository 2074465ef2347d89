# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""How often a caller may: what a request is charged, and the headers that tell what is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

Partition = Literal["bot", "user", "plugin"]


@dataclass(frozen=True, slots=True)
class Limit:
    """`quota` requests in `window` seconds: the contract's default for each of a partition."""

    partition: Partition
    quota: int
    window: int


class Charge(NamedTuple):
    """One request of one bot, user or plugin."""

    limit: Limit
    subject_id: UUID


class Standing(NamedTuple):
    """What a partition's quota is for this subject, and what is left of it."""

    partition: Partition
    quota: int
    window: int
    remaining: int
    reset: int  # seconds until the quota is whole again


class Verdict(NamedTuple):
    """`retry_after` is in seconds, and 0 where the request is permitted."""

    standings: Sequence[Standing]
    retry_after: int = 0


class Limiter(Protocol):
    """Counts. One that cannot reach its store decides by itself: it never fails a request."""

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        """Take one unit of each, or of none where one of them has none left."""
        ...


class NoLimits:
    """For a service whose contract charges nothing."""

    async def charge(self, charges: Sequence[Charge]) -> Verdict:
        raise NotImplementedError("an operation has a limit and the service no limiter")


class Places(Protocol):
    """At most `most` requests of a token are under way."""

    @property
    def most(self) -> int: ...

    def take(self, token_id: str) -> bool:
        """Whether there is one more; it is given back when the request ends."""
        ...

    def give_back(self, token_id: str) -> None: ...


class AnyPlaces:
    """For a service that bounds no token."""

    most = 0  # asked of who refuses, and this refuses nobody

    def take(self, token_id: str) -> bool:
        return True

    def give_back(self, token_id: str) -> None: ...


def places_taken(places: Places) -> dict[str, str]:
    """None is left, and the next may be free within a second."""
    return {
        "RateLimit-Policy": f'"requests";q={places.most};w=1',
        "RateLimit": '"requests";r=0;t=1',
    }


def headers_of(standings: Sequence[Standing]) -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers)."""
    policies = [_policy(item.partition, item.quota, item.window) for item in standings]
    left = [f'"{item.partition}";r={item.remaining};t={item.reset}' for item in standings]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(left)}


@lru_cache  # few quotas are the subject's own
def _policy(partition: Partition, quota: int, window: int) -> str:
    return f'"{partition}";q={quota};w={window}'
