"""No URL is shown with its password, wherever it is shown."""

from urllib.parse import urlsplit

import pytest

from impl.secrecy.text import scrubbed_text
from impl.secrecy.urls import hosts, is_postgresql, is_redis, masked_url, place

CANARY = "s3cret"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:s3cret@db:5432/x", "postgresql://me:***@db:5432/x"),
        ("postgresql://me:s3@s3cret@db/x", "postgresql://me:***@db/x"),
        ("postgresql://db/x?password=s3cret", "postgresql://db/x?***"),
        ("postgresql://me:s3cret@a:1,b:2/x", "postgresql://me:***@a:1,b:2/x"),
        ("postgresql://me:p/s3cret@db/x", "postgresql://***"),
        ("postgresql://me:p?s3cret@db/x", "postgresql://***"),
        ("postgresql://me:p#s3cret@db/x", "postgresql://***"),
        ("postgresql://me:s3cret@[::1/x", "***"),
        ("redis://:s3cret@127.0.0.1:6379/0", "redis://:***@127.0.0.1:6379/0"),
        ("redis://localhost:6379", "redis://localhost:6379"),
        (
            "https://me:s3cret@llm.example.com/v1?api_key=s3cret",
            "https://me:***@llm.example.com/v1?***",
        ),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert masked_url(url) == shown
    assert CANARY not in scrubbed_text(f'it failed: "{url}" (twice: {url!r})')


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:pw@host:5/db?sslmode=require", " host:5/db"),
        ("postgresql://me:p/w@host/db", " host/db"),
        ("postgresql://me:p@w@host/db", " host/db"),
        ("postgresql://me:p?w@host/db", ""),
        ("postgresql://host/db?password=pw", " host/db"),
        ("postgresql://host/db?password=p@w", ""),
    ],
)
def test_the_place_of_a_database_shows_no_password(url: str, shown: str) -> None:
    assert place(url) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "bc_bot_0123456789abcdef_0123456789012345678901234567890123456789abc_0aB1cD refused",
            "bc_bot_0123456789abcdef_*** refused",
        ),
        ('{"key":"bc_registry_canary0123"}', '{"key":"bc_registry_***"}'),
        ('{"a":"Authorization: Bearer abcdef012345"}', '{"a":"Authorization: Bearer ***"}'),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***"),
        ("Incorrect API key: sk-canary-0123456789.", "Incorrect API key: sk-***."),
        (r'{"a":"at postgresql://u:p\\w@h/x\nline"}', r'{"a":"at postgresql://u:***@h/x\nline"}'),
    ],
)
def test_a_line_keeps_what_finds_the_secret_and_no_more(line: str, shown: str) -> None:
    assert scrubbed_text(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        '{"url":"http://127.0.0.1:8080/api/v1/users?limit=5","mail":"ada@example.com"}',
        '{"token_id":"0123456789abcdef","event":"token_revoked"}',
        "see https://example.com/a:b and write to x@y.z",
        '{"risk":"database_plaintext"}',
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert scrubbed_text(line) == line


def test_which_addresses_are_usable() -> None:
    for url in ("postgresql://h/x", "postgres://u:p@h:5432/x", "postgresql:///x?host=/run"):
        assert is_postgresql(url)
    for url in (
        "",
        "h",
        "mysql://h/x",
        "postgresql://h:x/y",
        "postgresql://h:99999/y",
        "postgresql://[::1/x",
    ):
        assert not is_postgresql(url)
    for url in ("redis://h", "rediss://:p@h:6380/1", "unix:///run/valkey.sock"):
        assert is_redis(url)
    for url in ("amqp://h", "redis://h:port", "redis://h/0?socket_timeout=x"):
        assert not is_redis(url)
    assert hosts(urlsplit("postgresql://u:p@a:1,[::1]:2,c/x")) == ["a", "::1", "c"]
