import asyncio
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from impl.local import given
from impl.local.child import LocalError
from impl.local.given import check_postgres, check_redis
from impl.local.ports import LOOPBACK
from tests.listening import listening
from tests.ports import spare_port


def with_password(url: str, password: str) -> str:
    return url.replace(str(urlsplit(url).password), password)


async def test_servers_that_answer_are_taken(postgres: str, valkey: str) -> None:
    await check_postgres(postgres)
    await check_redis(valkey)


async def test_a_wrong_password_is_told_and_not_shown(postgres: str, valkey: str) -> None:
    with pytest.raises(LocalError, match=r"BOTCORE_DATABASE_URL .*:\*\*\*@.* refuses us \(pass"):
        await check_postgres(with_password(postgres, "wrong"))
    with pytest.raises(LocalError, match=r"BOTCORE_REDIS_URL .*:\*\*\*@.* refuses us \(invalid"):
        await check_redis(with_password(valkey, "wrong"))


async def test_a_missing_database_is_told(postgres: str) -> None:
    with pytest.raises(LocalError, match=r'refuses us \(database "absent" does not exist\)'):
        await check_postgres(f"{postgres.rpartition('/')[0]}/absent")


async def test_where_nobody_listens_nothing_answers() -> None:
    port = spare_port()
    with pytest.raises(
        LocalError, match=r"BOTCORE_DATABASE_URL .* does not answer \(Connection refused\)"
    ):
        await check_postgres(f"postgresql://{LOOPBACK}:{port}/x")
    with pytest.raises(
        LocalError, match=r"BOTCORE_REDIS_URL .* does not answer \(Connection refused\)"
    ):
        await check_redis(f"redis://{LOOPBACK}:{port}/0")


async def test_a_server_that_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr(given, "ANSWER_SECONDS", 0.3)
    async with listening(silent) as port, asyncio.timeout(30):
        with pytest.raises(LocalError, match=r"does not answer \(not within"):
            await check_postgres(f"postgresql://me:x@{LOOPBACK}:{port}/x")
        with pytest.raises(LocalError, match=r"does not answer \(not within"):
            await check_redis(f"redis://{LOOPBACK}:{port}/0")


@pytest.mark.parametrize("url", ["127.0.0.1", "http://h/0", "x://a:b", "h:secret:1", "//[", " "])
async def test_a_malformed_url_is_told_with_the_form_expected(url: str) -> None:
    checks: list[tuple[Callable[..., object], str]] = [
        (check_postgres, "BOTCORE_DATABASE_URL is not a URL .*postgresql://user:password@host:po"),
        (check_redis, "BOTCORE_REDIS_URL is not a URL .*redis://:password@host:port/0"),
    ]
    for check, line in checks:
        with pytest.raises(LocalError) as told:
            await check(url)  # type: ignore[misc]  # two checks of one form
        assert re.match(line, str(told.value))
        assert "secret" not in str(told.value)
