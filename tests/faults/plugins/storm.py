"""Row: fifty posts of one message at once, on two instances: one row, one call, one answer."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.faults.bot import Reply, new_key
from tests.faults.groups import Run
from tests.faults.log import Key
from tests.faults.raw import Worker, raw_plugin
from tests.faults.results import Row
from tests.faults.world import World, world

AT_ONCE = 50
SETTLE_SECONDS = 60.0
LONGEST_WORK = 0.03
USERS = 8


def judge(key: Key, replies: Sequence[Reply], retried: Sequence[Reply], sent: int) -> list[str]:
    """`replies`: to the storm. `retried`: what each of them ended with. `sent`: to the plugin."""
    found = []
    wrong = Counter(
        f"{reply.status} {reply.code}" for reply in replies if not _may_be(reply)
    )  # fmt: skip
    found += [f"{key.message_id}: {n} answers are {what}" for what, n in wrong.items()]
    if len({reply.body for reply in retried}) != 1 or not all(reply.is_final for reply in retried):
        kinds = Counter((reply.status, reply.code) for reply in retried)
        found.append(f"{key.message_id}: after the retries the answers differ: {dict(kinds)}")
    if sent != 1:
        found.append(f"{key.message_id}: the plugin was called {sent} times")
    return found


def _may_be(reply: Reply) -> bool:
    """The final answer, or that another request is at it. Nothing waits here, so no 202."""
    return reply.is_final or (reply.status, reply.code) == (409, "message_in_flight")


async def run(run: Run, row: Row) -> None:
    worker = Worker(seconds=lambda: run.random.random() * LONGEST_WORK)
    async with world(run.servers) as made, raw_plugin(worker.behave) as plugin:
        cores = [await made.serve(), await made.serve()]
        await made.worker()
        users = await made.users(cores[0], USERS)
        await made.register(cores[0], plugin.url, "text_reply")
        urls = [core.url for core in cores]
        for number in range(1, run.scale.storms + 1):
            key = new_key(f"storm-{number}")
            row.faults += await _storm(made, urls, key, users[number % USERS], worker)
            row.rounds = number
            if number % 25 == 0:
                run.progress(f"storm: {number}/{run.scale.storms} rounds")
        found = await made.check(worker.ledgers)
    row.take(found, made.bot.log)
    told = Counter(entry.status for entry in made.bot.log.entries if entry.kind != "invoke")
    row.notes.append(f"{AT_ONCE} posts a round on {len(cores)} instances; answers {dict(told)}")


async def _storm(
    made: World, urls: Sequence[str], key: Key, user: str, worker: Worker
) -> list[str]:
    text = f"say {key.message_id}"
    places = [urls[at % len(urls)] for at in range(AT_ONCE)]
    replies = await asyncio.gather(*(made.bot.say(url, key, user, text) for url in places))

    async def end(url: str, reply: Reply) -> Any:
        if reply.is_final:
            return reply
        return await made.bot.settled(url, key, user, text, SETTLE_SECONDS)

    retried = await asyncio.gather(*map(end, places, replies))
    ids = worker.ledgers.ids[key.dialog_id]
    return judge(key, replies, retried, sum(worker.deliveries[each] for each in ids))
