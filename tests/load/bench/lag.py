"""Stream lag: from an event's commit to its entry in the stream, while messages come steadily.

The commit is PostgreSQL's own word (`track_commit_timestamp`), the entry's arrival the moment at
which a blocking reader of the stream has it: both by this machine's clock.
"""

import asyncio
import threading
import time
from collections.abc import Mapping
from statistics import quantiles
from typing import Any, cast

from redis import Redis

from generated.events import PLUGIN_INVOCATIONS
from tests.faults.checker import entry_of
from tests.faults.errors import CannotRunError
from tests.load.bench.alone import servers, stage, working
from tests.load.bench.part import Part, Progress, Size
from tests.load.measures import Caller, good_traffic

RATE = 50.0
BLOCK_MS = 200
WARM_SECONDS = 1.0
COMMITTED = """
SELECT event_id::text, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at
FROM audit_logs WHERE event_id = ANY ($1::uuid[])
"""

Entries = list[tuple[str, dict[str, str]]]


async def _run(size: Size, progress: Progress) -> Mapping[str, Any]:
    seconds = 6.0 if size.short else 30.0
    async with (
        servers(track_commit_timestamp="on") as made,
        stage(made) as built,
        working(built.world),
    ):
        send = Caller(built.world.bot.session, built.world.bot.token).message(
            built.core, built.user_id
        )
        await good_traffic(send, RATE, WARM_SECONDS)
        seen: dict[str, float] = {}
        over = threading.Event()
        url = built.world.settings["BOTCORE_REDIS_URL"]
        stream = PLUGIN_INVOCATIONS.key.format(plugin_id=built.plugin_id)
        reading = asyncio.create_task(asyncio.to_thread(_read, url, stream, seen, over))
        progress(f"messages at {RATE:.0f} a second for {seconds:.0f} s")
        try:
            await good_traffic(send, RATE, seconds)
            await built.world.streams()  # the relay has sent everything
        finally:
            over.set()
            await reading
        rows = await built.pool.fetch(COMMITTED, list(seen))
    lags = [(seen[row["event_id"]] - row["at"]) * 1000 for row in rows]
    if len(lags) < RATE * seconds:
        raise CannotRunError(f"only {len(lags)} entries were seen")
    cuts = quantiles(lags, n=100)
    return {
        "messages_a_second": RATE,
        "entries": len(lags),
        "lag_ms": {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "most": max(lags)},
    }


def _read(url: str, stream: str, seen: dict[str, float], over: threading.Event) -> None:
    """Notes when each new entry of the stream arrived, until `over`."""
    with Redis.from_url(url, decode_responses=True) as redis:
        newest = cast("Entries", redis.xrevrange(stream, count=1))
        last = newest[0][0] if newest else "0"
        while not over.is_set():
            found = cast("list[tuple[str, Entries]]", redis.xread({stream: last}, block=BLOCK_MS))
            now = time.time()
            for _, entries in found:
                last = entries[-1][0]
                for _, fields in entries:
                    seen[str(entry_of(fields)["event_id"])] = now


LAG = Part("lag", "From commit to stream entry", _run)
