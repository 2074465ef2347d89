"""How a body is read: its type, its size, its end."""

import pytest

from tests.unit.runtime.service import GOOD, MAX_BODY, MESSAGES, Service, message


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json ; charset = "UTF-8"',
    ],
)
async def test_json_in_utf8_is_taken(service: Service, media: str) -> None:
    assert (await service.add_message(None, ("content-type", media))).status == 200


@pytest.mark.parametrize(
    "media",
    [
        "",
        "text/plain",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "application/x-www-form-urlencoded",
        "application/problem+json",
        "application/jsonp",
        "text/plain, application/json",
    ],
)
async def test_any_other_media_type_is_415(service: Service, media: str) -> None:
    answer = await service.add_message(None, ("content-type", media))
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert service.read == 0


async def test_no_media_type_is_415(service: Service) -> None:
    headers = [("x-bot-token", GOOD)]
    answer = await service.call("POST", MESSAGES, headers=headers, body=message())
    assert answer.code == "unsupported_media_type"


async def test_an_encoded_body_is_415(service: Service) -> None:
    assert (await service.add_message(None, ("content-encoding", "gzip"))).status == 415
    assert (await service.add_message(None, ("content-encoding", "identity"))).status == 200


async def test_a_transfer_coding_but_chunked_is_415(service: Service) -> None:
    for coding in ("gzip, chunked", "gzip", "chunked, chunked", "identity"):
        answer = await service.add_message(None, ("transfer-encoding", coding))
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert service.read == 0
    assert (await service.add_message(None, ("Transfer-Encoding", "Chunked"))).status == 200


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("content-type", ("text/xml", "application/json")),
        ("content-type", ("application/json", "application/json")),
        ("content-encoding", ("gzip", "identity")),
        ("transfer-encoding", ("gzip", "chunked")),
    ],
)
async def test_a_body_described_twice_is_415(
    service: Service, name: str, values: tuple[str, str]
) -> None:
    answer = await service.add_message(None, *((name, value) for value in values))
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert service.read == 0


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 30, "9" * 6000])
async def test_a_declared_size_is_refused_unread(service: Service, length: str) -> None:
    answer = await service.add_message(None, ("content-length", length))
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert service.read == 0


async def test_an_undeclared_size_is_counted_as_it_streams(service: Service) -> None:
    pieces = [b" " * 1000] * 1000
    answer = await service.add_message(pieces)
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert service.read == 3


async def test_the_cap_itself_is_taken(service: Service) -> None:
    whole = message().ljust(MAX_BODY)
    assert (await service.add_message(whole)).status == 200
    assert (await service.add_message(whole + b" ")).status == 413


async def test_a_body_in_pieces_is_one_body(service: Service) -> None:
    whole = message()
    answer = await service.add_message([whole[:7], b"", whole[7:]])
    assert answer.status == 200


async def test_an_empty_body_is_invalid_json(service: Service) -> None:
    answer = await service.add_message([b""])
    assert answer.code == "invalid_json"
    assert "empty" in answer.json["detail"]


async def test_a_caller_who_leaves_gets_no_answer(service: Service) -> None:
    answer = await service.add_message([])
    assert answer.status == 0
    assert service.observer.answers == [("addDialogMessage", 499, "client_disconnected")]
    assert not service.observer.failures
