"""The URL guard: whatever is written, every reader takes it for the same host, and that is one
that may be connected to."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import urlsplit

from hypothesis import strategies as st
from yarl import URL

from impl.outgoing.addresses import AddressPolicy
from impl.outgoing.client import Guard
from impl.outgoing.urls import ForbiddenUrlError, Target, read_url
from tests.fuzz.properties import Property
from tests.unit.outgoing.test_addresses import PRIVATE, forms

GUARD = Guard()
POLICY = AddressPolicy()
# Public by what they carry: their own form says nothing.
NAT64, MAPPED = IPv6Network("64:ff9b::/96"), IPv6Network("::ffff:0:0/96")

hosts = st.sampled_from(
    ["example.com", "localhost", "LOCALHOST", "127.0.0.1", "0x7f000001", "2130706433", "0177.1",
     "127.1", "1.1.1.1", "[::1]", "[::ffff:10.0.0.1]", "[2606:4700::1111]", "xn--a", "a_b", "0",
     "①②⑦.0.0.1", "127。0。0。1", "ⓔxample.com", "[fe80::1%25eth0]", "a..b", "-a", "%31"]
)  # fmt: skip
pieces = (
    hosts
    | st.sampled_from(
        ["http://", "https://", "HTTP://", "http:", "//", "/", "\\", "@", ":", ":80", ":0", "?",
         "#", "%2e", "%00", "%0d%0a", ".", "..", "[", "]", " ", "\t", "\r\n", "\x00", "user", ";",
         "&", "\u00ad", "\u200b", "\ufeff", "\uff0e", "\u3002"]
    )
    | st.text(max_size=3)
)  # fmt: skip
texts = st.lists(pieces, max_size=9).map("".join)
urls = (
    texts
    | texts.map(lambda text: f"http://{text}")
    | st.builds(lambda host, rest: f"http://{host}{rest}", hosts, texts)
    | st.text(max_size=40).map(lambda text: f"http://{text}/")
)


def is_read_alike_or_refused(text: str) -> None:
    try:
        target = read_url(text)
    except ForbiddenUrlError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text
    split, requested = urlsplit(text), target.url
    assert (split.username, split.password, requested.user) == (None, None, None)
    assert _plain(split.hostname) == _plain(target.host) == _plain(requested.raw_host)
    assert target.port == requested.port == (split.port or requested.port)
    assert target.scheme == split.scheme == requested.scheme
    assert str(URL(str(requested)).raw_host) == str(requested.raw_host)  # and when sent on
    if target.address is None:
        _is_a_name(target)
    else:
        assert _plain(str(target.address)) == _plain(target.host)


def _plain(host: str | None) -> str:
    assert host
    return str(IPv6Address(host)) if ":" in host else host


def _is_a_name(target: Target) -> None:
    """The system would otherwise take it for an address, past the guard's own look."""
    for reader in (socket.inet_aton, IPv4Address, IPv6Address):
        try:
            reader(target.host)
        except (OSError, ValueError):
            continue
        raise AssertionError(f"{reader.__name__} reads an address in {target.host}")


def _written(bits: int) -> st.SearchStrategy[str]:
    a, b, c, d = IPv4Address(bits).packed
    return st.sampled_from(
        [f"{a}.{b}.{c}.{d}", f"{bits}", f"0x{bits:x}", f"0{bits:o}", f"{a}.{bits & 0xFFFFFF}",
         f"{a}.{b}.{c << 8 | d}", f"0x{a:x}.0{b:o}.{c}.{d}", f"{a:03}.{b:03}.{c:03}.{d:03}",
         f"{a}.{b}.{c}.{d}.", f"1.1.1.1@{a}.{b}.{c}.{d}", f"[::ffff:{a}.{b}.{c}.{d}]",
         *(f"[{form}]" for form in forms(str(IPv4Address(bits))).values())]
    )  # fmt: skip


v4 = st.integers(0, 2**32 - 1) | st.sampled_from([int(IPv4Address(text)) for text in PRIVATE])


def leads_to_public_addresses_only(host: str) -> None:
    try:
        target = GUARD.target(f"http://{host}/")
    except ForbiddenUrlError:
        return
    assert target.address is not None, "taken for a name"
    _is_public(target.address)


v6 = (
    st.integers(0, 2**128 - 1)
    | st.integers(0, 2**125 - 1).map(lambda bits: 1 << 125 | bits)  # 2000::/3
    | st.builds(
        lambda prefix, low: int(IPv6Address(prefix)) | low,
        st.sampled_from(
            ["::", "::1", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::", "100::",
             "2001::", "2001:2::", "2001:10::", "2001:20::", "2001:db8::", "2002::", "2620:4f::",
             "3fff::", "5f00::", "fc00::", "fd00:ec2::", "fe80::", "fec0::", "ff00::",
             "2a00::5efe:0:0", "2a00::200:5efe:0:0"]
        ),
        v4 | v4.map(lambda bits: bits << 80) | v4.map(lambda bits: bits << 64)
        | v4.map(lambda bits: ~bits & 0xFFFFFFFF) | st.integers(0, 2**64 - 1),
    )
)  # fmt: skip


def is_public_or_refused(bits: int) -> None:
    address = IPv6Address(bits & (2**128 - 1))
    if POLICY.permits(address):
        _is_public(address)


def _is_public(address: IPv4Address | IPv6Address) -> None:
    """By the standard library's own tables, for all that its own names for tunnels unpack."""
    if isinstance(address, IPv4Address):
        assert address.is_global, address
        assert not address.is_multicast, address
        return
    assert not address.is_multicast, address
    if address in NAT64 or address in MAPPED:
        _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        return
    for name in ("private", "link_local", "loopback", "reserved", "site_local", "unspecified"):
        assert not getattr(address, f"is_{name}"), (name, address)
    for carried in (address.sixtofour, *(address.teredo or ())):
        if carried is not None:
            _is_public(carried)


PROPERTIES = (
    Property("url.text", urls, is_read_alike_or_refused),
    Property("url.written", v4.flatmap(_written), leads_to_public_addresses_only),
    Property("url.addresses", v6, is_public_or_refused),
)
