"""Redis itself: its version, whether it takes writes, how fast it is, and what it may not do."""

import time
from statistics import median
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError

from impl.degraded.gate import PROBE, PROBE_SECONDS
from impl.doctor.finding import Finding, failed, good, warning

OLDEST = 7
PINGS = 20
SLOW = 0.1  # of what a request may wait


async def check(redis: Redis, timeout_seconds: float) -> list[Finding]:
    """Raises what redis-py raises where it cannot be reached."""
    info: Any = await redis.info()
    return [
        _version(info),
        await _writes(redis),
        _eviction(info),
        await _latency(redis, timeout_seconds),
    ]


def _version(info: dict[str, Any]) -> Finding:
    version = str(info["redis_version"])
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {version}"
    if int(version.split(".", maxsplit=1)[0]) < OLDEST:
        return failed("redis", name, f"move it to Redis {OLDEST} or later, or to Valkey")
    if info.get("cluster_enabled"):
        advice = "use one server, with a replica where you like: the core serves no cluster"
        return failed("redis", f"{name}, a cluster", advice)
    return good("redis", name)


async def _writes(redis: Redis) -> Finding:
    try:
        await redis.set(PROBE, 1, ex=PROBE_SECONDS)
    except RedisError as error:
        if isinstance(error, ReadOnlyError):
            advice = "point BOTCORE_REDIS_URL at the primary: this is a replica"
        elif isinstance(error, OutOfMemoryError):
            advice = "raise maxmemory: it is full, and so the streams wait"
        else:
            advice = "the streams wait until it takes writes again"
        return failed("redis", f"it refuses to write: {str(error)[:200]}", advice)
    return good("redis", "it takes writes")


def _eviction(info: dict[str, Any]) -> Finding:
    policy = str(info.get("maxmemory_policy", "unknown"))
    if policy.startswith("allkeys"):
        advice = "set maxmemory-policy to noeviction or volatile-lru: else streams may vanish"
        return failed("redis", f"it may evict any key ({policy})", advice)
    return good("redis", f"it keeps what has no expiry ({policy})")


async def _latency(redis: Redis, timeout_seconds: float) -> Finding:
    took = []
    for _ in range(PINGS):
        began = time.perf_counter()
        await redis.ping()
        took.append(time.perf_counter() - began)
    found = (
        f"{PINGS} PINGs took {median(took) * 1000:.1f} ms each, {max(took) * 1000:.1f} ms at most;"
        f" a request waits for {timeout_seconds * 1000:.0f} ms"
    )
    if median(took) > timeout_seconds / 2:
        return failed("latency", found, "requests go on without it: bring Redis nearer")
    if median(took) > timeout_seconds * SLOW or max(took) > timeout_seconds:
        return warning("latency", found, "look at its load, at slow commands and at the way to it")
    return good("latency", found)
