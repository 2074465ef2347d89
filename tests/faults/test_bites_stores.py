"""Each row of the group `stores` finds a mistake of the core that it is there for."""

import asyncio
import random
import sys
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.faults.breaks import broken
from tests.faults.groups import Run, run_row
from tests.faults.results import Row
from tests.faults.scale import SMALL
from tests.faults.stores import redis_gone
from tests.faults.stores.rows import ROWS
from tests.faults.world import Servers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

AT_ONCE = 2


@dataclass(frozen=True)
class Break:
    """In `file` the first `old` is `new`; `words` are in what the row `row` finds then."""

    row: str
    file: str
    old: str
    new: str
    words: str


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
        "was sent with 2 ids",
    ),
    "an error of Redis reaches the caller": Break(
        "Redis is stopped", "impl/ratelimit/limiter.py",
        "except (*UNREACHABLE, UnfilledError) as error:",
        "except UnfilledError as error:",
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
        "redis_timeout_seconds: float = Field(default=3.0, gt=0, le=3.0)",
        "the p99 is",
    ),
    "the workers do not see that Redis is away": Break(
        "Redis is 2 s slow", "impl/degraded/keeper.py",
        "redis = await self.gate.look()", "redis = True",
        "degraded was told 0 times",
    ),
    "a Redis that answers is taken for one that can be used": Break(
        "Redis is out of memory", "impl/degraded/gate.py",
        "await self._bounded(lambda: write(PROBE, 1, ex=PROBE_SECONDS))",
        "await self._bounded(self.redis.ping)",
        "degraded was told 0 times",
    ),
    "a Redis that refuses is none that is away": Break(
        "Redis is read-only", "impl/redis.py",
        "UNREACHABLE = (RedisError, OSError, TimeoutError)",
        "UNREACHABLE = (OSError, TimeoutError)",
        "requests were answered 500",
    ),
}  # fmt: skip
FAULTS = {fault.name: fault for fault in ROWS}


@pytest_asyncio.fixture(scope="session")
async def found(
    postgres: str, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Row]:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, made: Break) -> Row:
        root = broken(tmp_path_factory.mktemp("core"), made.file, made.old, made.new)
        servers = Servers(postgres, migrated, root)
        async with free:
            run = Run(servers, SMALL, random.Random(name), lambda _: None)
            return await run_row(FAULTS[made.row], run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redis_gone, "COMPLETE_SECONDS", 10.0)  # it is not going to be
        rows = await asyncio.gather(*(one(*each) for each in BREAKS.items()))
    return dict(zip(BREAKS, rows, strict=True))


def test_every_row_has_its_bite() -> None:
    assert {made.row for made in BREAKS.values()} == FAULTS.keys()


@pytest.mark.parametrize("name", BREAKS)
def test_the_row_does_not_pass_where(name: str, found: dict[str, Row]) -> None:
    row = found[name]
    assert row.verdict == "FAIL", (row.not_run, row.faults)
    assert any(BREAKS[name].words in fault for fault in row.faults), row.faults
