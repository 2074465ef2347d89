"""Servers that the environment names: each is tried before anything relies on it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from impl.local.child import LocalError
from impl.secrecy.files import SecretFileError, read_secret
from impl.secrecy.urls import (
    POSTGRESQL_FORM,
    REDIS_FORM,
    is_postgresql,
    is_redis,
    masked_url,
)

ANSWER_SECONDS = 5.0


def given(name: str) -> str | None:
    """Of the environment, or of the file that `<name>_FILE` names. Raises LocalError."""
    try:
        return read_secret(name)
    except SecretFileError as error:
        raise LocalError(f"{name}: {error}") from None


async def check_postgres(url: str) -> None:
    """Raise LocalError where the server of BOTCORE_DATABASE_URL answers no query."""
    await _check("BOTCORE_DATABASE_URL", POSTGRESQL_FORM, url, is_postgresql(url), _select)


async def check_redis(url: str) -> None:
    """Raise LocalError where the server of BOTCORE_REDIS_URL answers no command."""
    await _check("BOTCORE_REDIS_URL", REDIS_FORM, url, is_redis(url), _ping)


class _RefusedError(Exception):
    """It answers, but not to us."""


async def _check(
    name: str, form: str, url: str, usable: bool, use: Callable[[str], Awaitable[None]]
) -> None:
    if not usable:
        # Never quoted: with a sign in the wrong place anything may be the password.
        raise LocalError(f"{name} is not a URL that can be used: its form is {form}")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await use(url)
    except ValueError:
        raise LocalError(f"{name} is not a URL that can be used: its form is {form}") from None
    except TimeoutError:
        why = f"does not answer (not within {ANSWER_SECONDS:.0f} s)"
    except OSError as error:
        why = f"does not answer ({_first_line(error)})"
    except _RefusedError as error:
        why = f"refuses us ({_first_line(error)})"
    else:
        return
    raise LocalError(f"{name} {masked_url(url)} {why}")


async def _select(url: str) -> None:
    import asyncpg  # noqa: PLC0415 - slow, and needed only where a server is given

    try:
        connection = await asyncpg.connect(url, timeout=ANSWER_SECONDS)
        try:
            await connection.execute("SELECT 1")
        finally:
            await connection.close()
    except asyncpg.PostgresError as error:
        raise _RefusedError(error) from error


async def _ping(url: str) -> None:
    from redis import exceptions  # noqa: PLC0415 - as above
    from redis.asyncio import Redis  # noqa: PLC0415  # as above
    from redis.asyncio.retry import Retry  # noqa: PLC0415  # as above
    from redis.backoff import NoBackoff  # noqa: PLC0415  # as above

    client = Redis.from_url(url, retry=Retry(NoBackoff(), 0), retry_on_error=[])
    try:
        pong: Any = client.ping()  # typed for both of redis-py's clients
        await pong
    except (exceptions.AuthenticationError, exceptions.ResponseError) as error:
        raise _RefusedError(error) from error
    except exceptions.TimeoutError as error:
        raise TimeoutError from error
    except exceptions.RedisError as error:
        cause = error.__cause__ or error.__context__
        raise (cause if isinstance(cause, OSError) else OSError(str(error))) from error
    finally:
        await client.aclose()


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)  # asyncio has lost the reason
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
