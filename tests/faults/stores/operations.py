"""Row: every operation of the contract while Redis is of no use: docs/DEGRADED.md by line."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from redis.asyncio import Redis

from impl.events.comparison.stream import compare
from tests.every_operation import OPERATIONS, Heard, asking, every
from tests.faults.groups import Run
from tests.faults.log import percentile
from tests.faults.results import Row
from tests.faults.scale import LONG
from tests.faults.world import World, world
from tests.redis_faults import AWAY, FAULTS, Server
from tests.servers import valkey_server
from tests.wire import line_before
from tools.conform.client import Request
from tools.conform.world import World as Asking

LATE_MS, LENIENT_MS = 1000.0, 3000.0  # what an operation may take longer; on a busy machine
BACK_SECONDS, COMPLETE_SECONDS = 30.0, 60.0
SHORT_WAYS = 2


async def run(run: Run, row: Row) -> None:
    ways = list(FAULTS) if run.scale is LONG else run.random.sample(AWAY, SHORT_WAYS)
    took: list[float] = []
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        url = await enter(valkey_server())
        line = await enter(line_before(url))
        redis = await enter(Redis.from_url(url, decode_responses=True))
        made = await enter(world(run.servers, redis_url=line.url))
        core = await made.serve()
        await made.worker()
        asker = await enter(asking(core.url, made.settings["BOTCORE_DATABASE_URL"]))
        asked = Asked(asker, await every(asker), run.scale.strict)
        for number, way in enumerate(ways, 1):
            async with FAULTS[way](Server(line, redis)):
                during = await every(asker)
            row.faults += [f"Redis {way}: {text}" for text in asked.differences(during)]
            took += [seconds * 1000 for seconds in during.took.values()]
            row.rounds = number
            run.progress(f"every operation, Redis {way}: {number}/{len(ways)}")
            await made.until(asked.is_normal, BACK_SECONDS, f"/readyz says normal after {way}")
        row.faults += await _incomplete(made, redis)
    row.requests = row.acknowledged = len(took)
    row.p99_ms = percentile(took, 0.99)
    row.notes.append(f"{len(asked.before.said)} operations; Redis was {', '.join(ways)}")


@dataclass
class Asked:
    """`before`: what each operation said when Redis was well."""

    asker: Asking
    before: Heard
    strict: bool

    def differences(self, during: Heard) -> list[str]:
        before = self.before
        most = LATE_MS if self.strict else LENIENT_MS
        others = [f"{name} answers {said.status}, not as before: {before.said[name].status}"
                  for name, said in during.said.items() if said != before.said[name]]  # fmt: skip
        late = [f"{name} took {seconds * 1000:.0f} ms, {before.took[name] * 1000:.0f} before"
                for name, seconds in during.took.items()
                if (seconds - before.took[name]) * 1000 > most]  # fmt: skip
        return others + late

    async def is_normal(self) -> bool:
        answer = await self.asker.client.send(Request(OPERATIONS["getReadiness"]))
        return bool(answer.json["mode"] == "normal")


async def _incomplete(made: World, redis: Redis) -> list[str]:
    """What of the streams is not as in the tables, 60 s after Redis is back for good."""
    found = ["nothing was compared"]

    async def is_whole() -> bool:
        nonlocal found
        reports = [report async for report in compare(made.pool, redis)]
        found = [text for report in reports if report.differs for text in report.lines()]
        waits = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
        return not found and await made.pool.fetchval(waits) == 0

    whole = await made.until(is_whole, COMPLETE_SECONDS)
    return (
        [] if whole else [f"the streams are not complete: {text}" for text in found or ["waiting"]]
    )
