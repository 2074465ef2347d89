import socket

import pytest

from impl.local.given import masked
from impl.local.ports import LOOPBACK, check_free
from tests.ports import spare_port


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@db:5432/x", "postgresql://me:***@db:5432/x"),
        ("postgresql://me:se@cret@db/x", "postgresql://me:***@db/x"),
        ("postgresql://db/x?password=secret", "postgresql://db/x?***"),
        ("redis://:secret@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("redis://localhost:6379", "redis://localhost:6379"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_a_port_is_taken_while_someone_listens() -> None:
    port = spare_port()
    check_free(port)
    with socket.create_server((LOOPBACK, port)), pytest.raises(OSError, match="in use"):
        check_free(port)
    check_free(port)
