"""Whose request it is, by address: the peer's own, or what a trusted proxy says of it.

`X-Forwarded-For` is read from the right, for anybody can begin it as he likes: each of our own
proxies adds the address that it saw, and the first that is no proxy of ours is the client's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

from impl.outgoing.addresses import Address, Network

MOST_PROXIES = 16  # in a row; what is beyond them is not looked at
CUSTOMER_PREFIX = 64  # of IPv6: whoever has one address has all of these
_WITH_PORT = re.compile(r"\[([^][]*)\](?::\d{1,5})?|(\d[\d.]*):\d{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clients:
    """`trusted`: the proxies that may say for whom they ask."""

    trusted: tuple[Network, ...] = ()

    def address(self, scope: Scope) -> str:
        """An IPv4 address, the /64 of an IPv6 address, or "" where the server knows of none."""
        peer = _read((scope.get("client") or ("", 0))[0])
        if peer is None:
            return ""
        return _told(self._behind(peer, scope) if self._is_proxy(peer) else peer)

    def _behind(self, proxy: Address, scope: Scope) -> Address:
        """What makes no sense ends it: then it is the proxy's own request, as far as we know."""
        for text in _forwarded(scope):
            said = _read(text)
            if said is None:
                break
            proxy = said
            if not self._is_proxy(said):
                break
        return proxy

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self.trusted)


def _forwarded(scope: Scope) -> Iterator[str]:
    """From the right, over all lines of the header."""
    left = MOST_PROXIES
    for name, value in reversed(scope["headers"]):
        if name == b"x-forwarded-for":
            parts = value.decode("latin-1").rsplit(",", left)
            yield from reversed(parts[-left:])
            left -= min(len(parts), left)
            if not left:
                return


def _read(text: str) -> Address | None:
    text = text.strip(" \t")
    if found := _WITH_PORT.fullmatch(text):
        text = found[1] or found[2] or ""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def _told(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), CUSTOMER_PREFIX), strict=False))
    return str(address)
