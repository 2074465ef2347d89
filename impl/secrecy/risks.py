"""Settings that are not safe, and the name by which an operator takes one all the same."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from impl.secrecy.settings import SecretSettings

# What else is not safe is nobody's to accept.
ACCEPTABLE = frozenset(
    {
        "core_plaintext",
        "database_plaintext",
        "development_exposed",
        "everyone_a_proxy",
        "llm_plaintext",
        "metrics_exposed",
        "redis_plaintext",
        "redis_without_password",
        "wildcard_hosts",
    }
)


@dataclass(frozen=True, slots=True)
class Risk:
    """No text holds a value."""

    name: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        way = f" (BOTCORE_ACCEPTED_RISKS={self.name} accepts it)"
        accepting = way if self.name in ACCEPTABLE else ""
        return f"{self.name}: {self.reason}; {self.remedy}{accepting}"


def _names(value: object) -> object:
    if not isinstance(value, str):
        return value
    names = {part.strip() for part in value.split(",") if part.strip()}
    if names - ACCEPTABLE:
        raise ValueError(f"must be of {', '.join(sorted(ACCEPTABLE))}, separated by commas")
    return frozenset(names)


class RiskSettings(SecretSettings):
    accepted_risks: Annotated[frozenset[str], NoDecode, BeforeValidator(_names)] = Field(
        default=frozenset(), description="settings to start with although they are not safe"
    )

    def refused(self, risks: Iterable[Risk]) -> list[Risk]:
        """What keeps a process from starting: all of it at once."""
        return [risk for risk in risks if risk.name not in self.accepted_risks]

    def accepted(self, risks: Iterable[Risk]) -> list[Risk]:
        return [risk for risk in risks if risk.name in self.accepted_risks]


def is_local(host: str) -> bool:
    """Whether it is this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
