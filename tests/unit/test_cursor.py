"""A cursor is good for the list, the owner and the filters that it was written for."""

import base64
from uuid import UUID, uuid4

import pytest

from generated.errors import ValidationFailed
from impl.cursor import Cursors

BOT, DIALOG = UUID(int=1), UUID(int=2)
CURSORS = Cursors("a test's secret key, long enough")


def test_a_position_comes_back_as_json_keeps_it() -> None:
    event = uuid4()
    found = CURSORS.of("dialog", BOT, DIALOG)
    assert found.read(found.write(7, event)) == [7, str(event)]


def test_another_instance_with_the_same_secret_takes_it() -> None:
    written = CURSORS.of("dialog", BOT, DIALOG).write(7)
    assert Cursors(CURSORS.secret).of("dialog", BOT, DIALOG).read(written) == [7]


@pytest.mark.parametrize(
    "other",
    [
        CURSORS.of("events", BOT, DIALOG),
        CURSORS.of("dialog", UUID(int=9), DIALOG),
        CURSORS.of("dialog", BOT, UUID(int=9)),
        CURSORS.of("dialog", BOT),
        CURSORS.of("dialog", BOT, DIALOG, {"severity": "info"}),
        Cursors("another installation's secret key").of("dialog", BOT, DIALOG),
    ],
    ids=["list", "owner", "object", "less", "filter", "secret"],
)
def test_one_of_something_else_is_refused(other: object) -> None:
    written = CURSORS.of("dialog", BOT, DIALOG).write(7)
    with pytest.raises(ValidationFailed) as refused:
        other.read(written)  # type: ignore[attr-defined]  # another kind of cursor, on purpose
    (fault,) = refused.value.errors
    assert (fault.location, fault.pointer, fault.code) == ("query", "/cursor", "cursor_invalid")


def test_no_bit_of_it_can_be_changed() -> None:
    lists = CURSORS.of("dialog", BOT, DIALOG)
    raw = base64.urlsafe_b64decode(lists.write(12345) + "==")
    for bit in range(len(raw) * 8):
        forged = bytearray(raw)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValidationFailed):
            lists.read(base64.urlsafe_b64encode(forged).decode().rstrip("="))


@pytest.mark.parametrize("cursor", ["A", "AAAA", "x" * 256, "-_-_", "0", "Wzdd"])
def test_a_made_up_one_is_refused(cursor: str) -> None:
    with pytest.raises(ValidationFailed):
        CURSORS.of("dialog", BOT, DIALOG).read(cursor)


def test_it_fits_the_contracts_bound() -> None:
    """Two ids and a time are the longest position that a list has."""
    written = CURSORS.of("events", BOT).write("2026-11-22T10:15:30.123456+00:00", uuid4(), uuid4())
    assert len(written) <= 256


def test_the_secret_is_not_shown() -> None:
    assert CURSORS.secret not in repr(CURSORS)
    assert "key" not in repr(CURSORS.of("dialog", BOT))
