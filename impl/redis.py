"""Clients of Redis, which holds only what may be lost.

redis-py's own defaults wait five seconds and repeat ten times; a command whose reply was lost then
ran eleven times. Ours never repeat by themselves.
"""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from impl.settings import Settings

RELAY_TIMEOUT_SECONDS = 2.0
UNREACHABLE = (RedisError, OSError, TimeoutError)


def request_client(settings: Settings) -> Redis:
    """For a request's way: it waits a quarter of a second at most."""
    return _client(settings.redis_url.get_secret_value(), settings.redis_timeout_seconds)


def relay_client(settings: Settings) -> Redis:
    """For the worker, whose batches are larger."""
    return _client(settings.redis_url.get_secret_value(), RELAY_TIMEOUT_SECONDS)


def patient_client(url: str, timeout_seconds: float) -> Redis:
    """For a command that a person or cron waits for."""
    return _client(url, timeout_seconds)


def _client(url: str, timeout: float) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        decode_responses=True,
    )
