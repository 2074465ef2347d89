import socket

import pytest

from impl.local.ports import LOOPBACK, check_free
from tests.ports import spare_port


def test_a_port_is_taken_while_someone_listens() -> None:
    port = spare_port()
    check_free(port)
    with socket.create_server((LOOPBACK, port)), pytest.raises(OSError, match="in use"):
        check_free(port)
    check_free(port)
