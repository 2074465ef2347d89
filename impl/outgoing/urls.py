"""Which URLs may be asked: one written form of each, so that all who read it mean the same host."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from yarl import URL

from impl.outgoing.addresses import Address

PORTS = {"http": 80, "https": 443}
# Printable ASCII without space and backslash: parsers differ about the rest.
PLAIN = re.compile(r"[!-\[\]-~]{1,2048}")
PARTS = re.compile(r"(https?)://([^/?#]*)((?:[/?#].*)?)", re.IGNORECASE)
AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([1-9][0-9]{0,4}))?")
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# Where the last label is a number, systems take the whole for an IPv4 address, in whatever form.
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class ForbiddenUrlError(ValueError):
    """The URL may not be asked; its text says why, and repeats nothing of the URL."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL of a form that may be asked. `address` is its host where that is one."""

    url: URL
    scheme: str
    host: str
    port: int
    address: Address | None

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """Names of hosts; `*.example.com` is every host below it. Without `allowed`, all are."""

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()

    def permits(self, host: str) -> bool:
        if any(_matches(host, pattern) for pattern in self.denied):
            return False
        return not self.allowed or any(_matches(host, pattern) for pattern in self.allowed)


def _matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def read_url(text: str) -> Target:
    """Raises ForbiddenUrlError."""
    if not PLAIN.fullmatch(text):
        raise ForbiddenUrlError("it holds a character that a URL may not hold, or is too long")
    parts = PARTS.fullmatch(text)
    if parts is None:
        raise ForbiddenUrlError("it is no http or https URL")
    if "@" in parts[2]:
        raise ForbiddenUrlError("it carries user information")
    found = AUTHORITY.fullmatch(parts[2])
    if found is None or int(found[3] or 1) > 65535:
        raise ForbiddenUrlError("its host or port has no plain form")
    scheme = parts[1].lower()
    host, address = _literal(found[1]) if found[1] else _name(found[2].lower())
    port = int(found[3] or PORTS[scheme])
    return Target(_agreed(text, host, port), scheme, host, port, address)


def _literal(text: str) -> tuple[str, Address]:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise ForbiddenUrlError("its host is no IPv6 address") from None
    return str(address), address


def _name(host: str) -> tuple[str, Address | None]:
    labels = host.split(".")
    if NUMBER.fullmatch(labels[-1]):
        try:
            return host, IPv4Address(host)  # four decimal numbers without leading zeros, no other
        except ValueError:
            raise ForbiddenUrlError("its host is a number in an odd form") from None
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise ForbiddenUrlError("its host is no name")
    return host, None


def _agreed(text: str, host: str, port: int) -> URL:
    """What the HTTP client will read out of `text`; it must be the host that is checked here."""
    url = URL(text)
    read = url.raw_host or ""
    if ":" in read and ":" in host:
        read = str(IPv6Address(read))
    if read != host or url.port != port or url.raw_user is not None:
        raise ForbiddenUrlError("its host can be read in two ways")
    return url
