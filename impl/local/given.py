"""Servers that the environment names: each is tried before anything relies on it."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from impl.local.child import LocalError
from impl.settings import Settings

ANSWER_SECONDS = 5.0


async def check_postgres(url: str) -> None:
    """Raise LocalError where the server of BOTCORE_DATABASE_URL answers no query."""
    await _check("database_url", url, ("postgres", "postgresql"), _select)


async def check_redis(url: str) -> None:
    """Raise LocalError where the server of BOTCORE_REDIS_URL answers no command."""
    await _check("redis_url", url, ("redis", "rediss", "unix"), _ping)


def masked(url: str) -> str:
    """Return the address without its password, or any option that might be one."""
    parts = urlsplit(url)
    who, at, where = parts.netloc.rpartition("@")
    name = who.split(":")[0]
    netloc = f"{name}:***{at}{where}" if ":" in who else parts.netloc
    return urlunsplit(parts._replace(netloc=netloc, query="***" if parts.query else ""))


class _RefusedError(Exception):
    """It answers, but not to us."""


async def _check(
    field: str, url: str, schemes: tuple[str, ...], use: Callable[[str], Awaitable[None]]
) -> None:
    name, form = f"BOTCORE_{field.upper()}", Settings.model_fields[field].description
    if not _is_url(url, schemes):
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
    raise LocalError(f"{name} {masked(url)} {why}")


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    return parts.scheme in schemes


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
    from redis.asyncio import Redis  # noqa: PLC0415
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

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
