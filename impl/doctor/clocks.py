"""The clocks of the database, of Redis and of this machine, against one another.

The core compares times with the database's alone. Redis' only measures limits and expiries, and
this machine's stands in certificates, in what is signed and in the log.
"""

import time

from redis.asyncio import Redis
from redis.exceptions import RedisError

from impl.db import Executor
from impl.doctor import queries
from impl.doctor.finding import Finding, failed, good, warning

APART = 1.0
FAR = 60.0


async def check(executor: Executor, redis: Redis | None) -> list[Finding]:
    before = time.time()
    database = (await queries.clock(executor)).timestamp()
    ours = (before + time.time()) / 2
    found = [_compared("this machine's", ours - database)]
    if redis is not None:
        before = time.time()
        try:
            seconds, micros = await redis.time()
        except (RedisError, OSError):
            return found
        middle = (before + time.time()) / 2
        theirs = int(seconds) + int(micros) / 1e6
        found.append(_compared("Redis'", theirs - middle + ours - database))
    return found


def _compared(whose: str, ahead: float) -> Finding:
    where = "ahead of" if ahead > 0 else "behind"
    found = f"{whose} clock is {abs(ahead):.3f} s {where} the database's"
    if abs(ahead) > FAR:
        return failed("clock", found, "set both by NTP")
    if abs(ahead) > APART:
        return warning("clock", found, "set both by NTP")
    return good("clock", found)
