"""Which addresses may be connected to.

What is not listed as public is refused. An IPv6 address may carry an IPv4 address that a gateway
unpacks: such an address is refused for what it carries, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def _v4(*networks: str) -> tuple[IPv4Network, ...]:
    return tuple(IPv4Network(network) for network in networks)


def _v6(*networks: str) -> tuple[IPv6Network, ...]:
    return tuple(IPv6Network(network) for network in networks)


# IANA's special-purpose registries, less what is public. Python's `is_global` takes the IPv6 forms
# of private addresses for public, and differs from version to version.
PRIVATE_V4 = _v4(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
# All that was ever given out as public; within it, what was not: IETF protocols with Teredo,
# documentation, documentation.
GLOBAL_V6 = IPv6Network("2000::/3")
PRIVATE_V6 = _v6("2001::/23", "2001:db8::/32", "3fff::/20")

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
# Whatever the settings say: this network, link-local, multicast, reserved; and where clouds serve
# the machine's own credentials (AWS, Google, Alibaba, Azure, Oracle, Scaleway).
NEVER: tuple[Network, ...] = (
    *_v4("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    *_v6("::/128", "fe80::/10", "ff00::/8"),
    *_v4("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32"),
    *_v6("fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128", "fd00:42::42/128"),
)

MAPPED = IPv6Network("::ffff:0:0/96")
NAT64 = IPv6Network("64:ff9b::/96")
# Their own form says nothing: they are what they carry.
TRANSPARENT = (MAPPED, NAT64)
IN_THE_LAST_BITS = (
    *TRANSPARENT,
    IPv6Network("::/96"),  # IPv4-compatible
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated
)
LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
SIX_TO_FOUR = IPv6Network("2002::/16")
TEREDO = IPv6Network("2001::/32")
ISATAP = 0x0000_5EFE  # before the last 32 bits; with the bit 0x0200_0000 where it is a global one


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """`networks` are private ranges that are opened; only `development` opens loopback."""

    networks: tuple[Network, ...] = ()
    development: bool = False

    def permits(self, address: Address) -> bool:
        forms = (address, *carried(address))
        if any(form in network for form in forms for network in NEVER):
            return False
        if not self.development and any(is_loopback(form) for form in forms):
            return False
        if self._opened(address):
            return True
        return all(_public(form) or self._opened(form) for form in forms)

    def _opened(self, address: Address) -> bool:
        if any(address in network for network in self.networks):
            return True
        return self.development and is_loopback(address)


def is_loopback(address: Address) -> bool:
    return any(address in network for network in LOOPBACK)


def holds_loopback(network: Network) -> bool:
    return any(
        network.version == loopback.version and network.overlaps(loopback) for loopback in LOOPBACK
    )


def carried(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that gateways, tunnels and systems would unpack from `address`."""
    if isinstance(address, IPv4Address):
        return
    bits = int(address)
    if bits > 1 and any(address in network for network in IN_THE_LAST_BITS):  # not :: and ::1
        yield _low(bits)
    elif address in LOCAL_NAT64:  # RFC 6052, section 2.2: its prefix may have any of four lengths
        yield _low(bits)
        yield _low(bits >> 24)  # of 64 bits
        yield _low(bits >> 72 << 24 | bits >> 40 & 0xFF_FFFF)  # of 56; bits 64 to 71 are unused
        yield _low(bits >> 64 << 16 | bits >> 40 & 0xFFFF)  # of 48
    elif address in SIX_TO_FOUR:
        yield _low(bits >> 80)
    elif address in TEREDO:
        yield _low(bits >> 64)  # the server
        yield _low(~bits)  # the client
    if bits >> 32 & 0xFDFF_FFFF == ISATAP:
        yield _low(bits)


def _low(bits: int) -> IPv4Address:
    return IPv4Address(bits & 0xFFFF_FFFF)


def _public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in PRIVATE_V4)
    if any(address in network for network in TRANSPARENT):
        return True
    return address in GLOBAL_V6 and not any(address in network for network in PRIVATE_V6)


def read_network(text: str) -> Network:
    """Raises ValueError for what is no CIDR, or has bits set behind its prefix."""
    return ip_network(text)
