"""Whose request it is: what the peer says counts only where it is one of our proxies."""

from ipaddress import ip_network
from typing import Any

import pytest

from impl.clients import MOST_PROXIES, Clients

OURS = Clients((ip_network("10.0.0.0/8"), ip_network("fd12::/16")))


def scope(peer: str | None, *forwarded: str) -> Any:
    lines = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    client = None if peer is None else (peer, 40_000)
    return {"client": client, "headers": [(b"host", b"core"), *lines, (b"accept", b"*/*")]}


@pytest.mark.parametrize(
    ("peer", "forwarded", "told"),
    [
        ("198.51.100.7", (), "198.51.100.7"),
        ("198.51.100.7", ("203.0.113.9",), "198.51.100.7"),  # anybody may say so
        ("10.0.0.2", (), "10.0.0.2"),
        ("10.0.0.2", ("203.0.113.9",), "203.0.113.9"),
        ("10.0.0.2", ("1.1.1.1, 203.0.113.9",), "203.0.113.9"),  # the client began it
        ("10.0.0.2", ("1.1.1.1, 203.0.113.9,10.0.0.3 , 10.0.0.4",), "203.0.113.9"),
        ("10.0.0.2", ("1.1.1.1", "203.0.113.9", "10.0.0.3"), "203.0.113.9"),
        ("10.0.0.2", ("10.9.9.9",), "10.9.9.9"),  # within: nobody else is named
        ("10.0.0.2", ("203.0.113.9, unknown",), "10.0.0.2"),
        ("10.0.0.2", ("203.0.113.9, , 10.0.0.3",), "10.0.0.3"),
        ("10.0.0.2", ("",), "10.0.0.2"),
        ("10.0.0.2", ("203.0.113.9:5123",), "203.0.113.9"),
        ("10.0.0.2", ("[2001:db8::1]:5123",), "2001:db8::/64"),
        ("10.0.0.2", ("[2001:db8::1]",), "2001:db8::/64"),
        ("10.0.0.2", ("203.0.113.9:5123:1",), "10.0.0.2"),
        ("10.0.0.2", ("fe80::1%eth0\n",), "fe80::/64"),
        ("fd12::1", ("2001:db8:0:7:1:2:3:4",), "2001:db8:0:7::/64"),
        ("::ffff:10.0.0.2", ("::ffff:203.0.113.9",), "203.0.113.9"),
        ("::ffff:198.51.100.7", ("203.0.113.9",), "198.51.100.7"),
        ("2001:db8::1", (), "2001:db8::/64"),
        ("testclient", ("203.0.113.9",), ""),
        (None, ("203.0.113.9",), ""),
    ],
)
def test_the_client_is_the_first_from_the_right_that_is_no_proxy(
    peer: str | None, forwarded: tuple[str, ...], told: str
) -> None:
    assert OURS.address(scope(peer, *forwarded)) == told


def test_without_a_setting_nobody_is_believed() -> None:
    assert Clients().address(scope("10.0.0.2", "203.0.113.9")) == "10.0.0.2"


def test_a_long_chain_is_not_read_to_its_end() -> None:
    chain = ["203.0.113.9"] + ["10.0.0.3"] * MOST_PROXIES
    assert OURS.address(scope("10.0.0.2", ",".join(chain[:-1]))) == "203.0.113.9"
    assert OURS.address(scope("10.0.0.2", ",".join(chain))) == "10.0.0.3"
    assert OURS.address(scope("10.0.0.2", *chain[:-1])) == "203.0.113.9"
    assert OURS.address(scope("10.0.0.2", *chain)) == "10.0.0.3"
