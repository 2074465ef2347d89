"""A moment on the wire: RFC 3339, with an offset, and one that UTC's calendar has."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from generated.runtime.scalars import Timestamp

MOMENT: TypeAdapter[Any] = TypeAdapter(Timestamp)


def read_each_way(value: object) -> list[datetime | str]:
    """As a body, as a parameter, and of our own; an error by its code."""
    found: list[datetime | str] = []
    ways: list[Any] = [lambda: MOMENT.validate_json(json.dumps(value), strict=True)]
    if isinstance(value, str):
        ways += [lambda: MOMENT.validate_strings(value), lambda: MOMENT.validate_python(value)]
    for way in ways:
        try:
            found.append(way())
        except ValidationError as error:
            found.append(error.errors()[0]["type"])
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T10:15:30Z", datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)),
        ("2026-11-22t10:15:30z", datetime(2026, 11, 22, 10, 15, 30, tzinfo=UTC)),
        ("2026-11-22T10:15:30.5+05:45", datetime(2026, 11, 22, 4, 30, 30, 500000, tzinfo=UTC)),
        ("2026-11-22T10:15:30.123456+00:00", datetime(2026, 11, 22, 10, 15, 30, 123456, UTC)),
        ("2026-11-22T10:15:30.123456789Z", datetime(2026, 11, 22, 10, 15, 30, 123456, UTC)),
        ("0001-01-02T00:00:00Z", datetime(1, 1, 2, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_alike_everywhere_and_is_utc(text: str, expected: datetime) -> None:
    found = read_each_way(text)
    assert found == [expected] * 3
    assert {moment.tzinfo for moment in found if isinstance(moment, datetime)} == {UTC}


@pytest.mark.parametrize(
    "value",
    [
        "1700000000",
        "2026-11-22",
        "2026-11-22 10:15:30Z",
        "2026-11-22T10:15Z",
        "2026-11-22T10:15:30",
        "2026-11-22T10:15:30+0100",
        "2026-11-22T10:15:30,5Z",
        "2026-11-22T10:15:30.Z",
        "2026-11-22T10:15:30.1234567890123Z",
        "２０２６-11-22T10:15:30Z",  # noqa: RUF001  # that is what it is about
        " 2026-11-22T10:15:30Z",
        "2026-11-22T10:15:30Z\n",
        "",
        "now",
        1700000000,
        1700000000.5,
        True,
        None,
        [],
    ],
)
def test_another_form_is_refused(value: object) -> None:
    assert set(read_each_way(value)) == {"timestamp_form"}


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T10:15:60Z",
        "2026-11-22T10:15:30+24:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",  # the database would keep these two as infinite
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_utcs_calendar_does_not_have_is_refused(text: str) -> None:
    assert read_each_way(text) == ["timestamp_range"] * 3


def test_a_moment_of_our_own_is_sent_as_utc() -> None:
    there = datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=2)))
    assert MOMENT.dump_json(MOMENT.validate_python(there)) == b'"2026-11-22T10:00:00Z"'
