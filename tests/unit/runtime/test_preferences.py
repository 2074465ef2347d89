"""`Prefer` is never refused; one preference means something."""

import pytest

from generated.runtime.preferences import preferences
from tests.unit.runtime.service import Service

SEEN = 3  # after the principal, the path and the header's values


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        (["respond-async"], True),
        (["Respond-Async"], True),
        (["respond-async, wait=10"], True),
        (["wait=10,respond-async"], True),
        (["wait=10", "respond-async"], True),
        (["respond-async", "wait=10"], True),
        (["respond-async; foo=bar"], True),
        (['respond-async=""'], True),
        (["respond-async ="], True),
        ([",, ,respond-async,,"], True),
        (['note="a, b", respond-async'], True),
        ([r'note="a \", b", respond-async'], True),
        ([""], False),
        (["respond-async=no"], False),
        (["respond-asynchronously"], False),
        (["not respond-async"], False),
        (["handling=lenient; respond-async"], False),
        (['note="a, respond-async, b"'], False),
        (['note="respond-async'], False),
        (['note=", respond-async'], False),
        ([";respond-async"], False),
        (["\xe9\xff=,=;;"], False),
        (["respond-async\\"], False),
        (['"' * 20_000], False),
        (["\\" * 20_000], False),
        (["respond-async " * 2_000], False),
    ],
)
async def test_what_is_asked_for(service: Service, lines: list[str], asked: bool) -> None:
    found = preferences(line.encode("latin-1") for line in lines)
    assert ("respond-async" in found) is asked
    answer = await service.add_message(
        None, *(("Prefer", line) for line in lines if line.isascii())
    )
    assert answer.status == 200
    assert service.handlers.seen[SEEN] >= (found if lines[0].isascii() else set())


async def test_nothing_is_asked_for_without_it(service: Service) -> None:
    await service.add_message()
    assert service.handlers.seen[SEEN] == frozenset()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("99", "greater_than_equal"),
        ("60001", "less_than_equal"),
        ("0", "greater_than_equal"),
        ("-100", "greater_than_equal"),
        ("", "int_parsing"),
        ("1_000", "int_parsing"),
        ("1e3", "int_parsing"),
        ("500.0", "int_parsing"),
        ("+500", "int_parsing"),
        ("500 ms", "int_parsing"),
        ("soon", "int_parsing"),
        ("9" * 400, "int_parsing"),
    ],
)
async def test_a_deadline_that_is_none_names_its_header(
    service: Service, value: str, code: str
) -> None:
    answer = await service.add_message(None, ("X-Deadline-Ms", value))
    assert (answer.status, answer.code) == (422, "validation_failed")
    (error,) = answer.json["errors"]
    assert (error["location"], error["pointer"], error["code"]) == (
        "header",
        "/X-Deadline-Ms",
        code,
    )


async def test_a_deadline_is_given_once(service: Service) -> None:
    answer = await service.add_message(None, ("X-Deadline-Ms", "500"), ("X-Deadline-Ms", "500"))
    (error,) = answer.json["errors"]
    assert (error["pointer"], error["code"]) == ("/X-Deadline-Ms", "given_twice")


@pytest.mark.parametrize("value", ["100", "8000", "60000"])
async def test_a_deadline_reaches_the_handler(service: Service, value: str) -> None:
    await service.add_message(None, ("x-deadline-ms", value))
    assert service.handlers.seen[2].X_Deadline_Ms == int(value)
