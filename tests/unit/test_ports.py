"""Ports of the tests' own: no two workers of the suite choose the same."""

import os
import socket
from itertools import combinations

import pytest

from tests import ports
from tests.ports import FIRST, LAST, SHARES, share, spare_port


def test_each_worker_has_ports_of_its_own() -> None:
    shares = [set(share(f"gw{number}")) for number in range(SHARES)]
    assert all(not one & other for one, other in combinations(shares, 2))
    assert set().union(*shares) <= set(range(FIRST, LAST + 1))
    assert share("") == share("gw0")


def test_a_port_is_chosen_once_and_not_where_somebody_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = spare_port()
    assert first in share(os.environ.get("PYTEST_XDIST_WORKER", ""))
    assert spare_port() != first
    with socket.create_server(("127.0.0.1", first)):
        monkeypatch.setattr(ports, "_ports", iter([first, second := spare_port()]))
        assert spare_port() == second
