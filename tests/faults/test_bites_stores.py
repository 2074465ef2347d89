"""Each row of the group `stores` finds a mistake of the core that it is there for."""

import sys

import pytest
import pytest_asyncio

from tests.faults.breaks import Break, assert_found, broken_rows
from tests.faults.results import Row
from tests.faults.stores import redis_gone
from tests.faults.stores.rows import ROWS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

BREAKS = {
    "an acknowledgement before the commit is on the disk": Break(
        "kill -9 of PostgreSQL", "impl/db.py",
        '"application_name": "botcore",',
        '"application_name": "botcore", "synchronous_commit": "off",',
        "lost: ",
    ),
    "a full disk is taken for a mistake": Break(
        "disk full for PostgreSQL", "impl/errors.py",
        "not isinstance(error, ValueError)",
        "not isinstance(error, (ValueError, asyncpg.DiskFullError))",
        "requests were answered 500",
    ),
    "a call that is taken over is another one to its plugin": Break(
        "workers are killed and stopped", "impl/dialogs/queue.py",
        'kept = one.kept | {"deadline_ms": int(seconds * 1000)}',
        'kept = one.kept | {"deadline_ms": int(seconds * 1000)}'
        ' | ({} if one.waited else {"invocation_id": str(one.call.trace_id)})',
        "which is not stored",
    ),
    "an error of Redis reaches the caller": Break(
        "Redis is stopped", "impl/ratelimit/limiter.py",
        "return await self._memory.charge(charges)",
        'raise RedisError("it is away")',  # whoever of requests and looks finds it first
        "requests were answered 500",
    ),
    "a stream that Redis lost is not filled again": Break(
        "Redis is flushed", "impl/events/relay.py",
        "elif last < known.published:", "elif False:",
        "the streams are not complete",
    ),
    "a request waits for Redis for seconds": Break(
        "Redis is a black hole", "impl/settings.py",
        "redis_timeout_seconds: float = Field(default=0.25, gt=0, le=0.25)",
        "redis_timeout_seconds: float = Field(default=10.0, gt=0, le=10.0)",
        "the p50 is|degraded was told 0 times",
    ),
    "the workers do not see that Redis is away": Break(
        "Redis is 2 s slow", "impl/degraded/keeper.py",
        "redis = await self.gate.look()", "redis = True",
        "degraded was told 0 times",
    ),
    "a Redis that refuses is taken for one that can be used": Break(
        "Redis is out of memory", "impl/degraded/gate.py",
        "await self._bounded(lambda: write(PROBE, 1, ex=PROBE_SECONDS))",
        "pass",  # a busy machine may find one that is asked less too late
        "degraded was told 0 times",
    ),
    "a Redis that refuses is none that is away": Break(
        "Redis is read-only", "impl/redis.py",
        "UNREACHABLE = (RedisError, OSError, TimeoutError)",
        "UNREACHABLE = (OSError, TimeoutError)",
        "requests were answered 500|has no answer after",  # it may end first
    ),
    "readiness asks more than the database": Break(
        "every operation without Redis", "impl/service.py",
        "with contextlib.suppress(*UNREACHABLE):", "with contextlib.suppress(OSError):",
        "getReadiness answers 500, not as before",
    ),
}  # fmt: skip


@pytest_asyncio.fixture(scope="session")
async def found(
    postgres: str, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Row]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_gone, "COMPLETE_SECONDS", 10.0)  # where it is not going to be
        return await broken_rows(BREAKS, ROWS, postgres, migrated, tmp_path_factory)


def test_every_row_has_its_bite() -> None:
    assert {made.row for made in BREAKS.values()} == {fault.name for fault in ROWS}


@pytest.mark.parametrize("name", BREAKS)
def test_the_row_does_not_pass_where(name: str, found: dict[str, Row]) -> None:
    assert_found(found[name], BREAKS[name])
