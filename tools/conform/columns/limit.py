"""The quota is announced, hit, and whole again after `Retry-After`."""

import asyncio
from collections.abc import Iterable, Iterator

from tools.conform.answers import Answer
from tools.conform.client import Request
from tools.conform.codes import Try
from tools.conform.results import Results

COLUMN = "limit"
SMALL = {"quota": 1, "window_seconds": 2}


async def run(case: Try, results: Results) -> None:
    for limit in case.operation.spec.get("x-rate-limit", []):
        await _try_partition(case, results, limit["by"])


async def _try_partition(case: Try, results: Results, partition: str) -> None:
    # Each time for somebody new: no other case's requests are counted with these.
    subject = {"bot": case.who.bot.id, "user": case.who.bot.user_id, "plugin": case.who.plugin.id}
    path = {"subject": partition, "subject_id": subject[partition]}
    # Made before the quota is small: making them sends requests too.
    first, second, third = await case.good(), await case.good(), await case.good()
    await case.world.administer("setLimit", path=path, body=SMALL)
    try:
        permitted, refused = await _once_quiet(case, first, second)
        results.add(
            case.operation.id, COLUMN, f"{partition}: hit", _hit(partition, permitted, refused)
        )
        await asyncio.sleep(int(refused.headers.get("retry-after", "1")))
        again = await case.send(third)
        faults = [] if again.status < 300 else [f"answered {again} after Retry-After"]
        results.add(case.operation.id, COLUMN, f"{partition}: recovered", faults)
    finally:
        await case.world.administer("resetLimit", path=path)


async def _once_quiet(case: Try, *requests: Request) -> list[Answer]:
    """The permitted one of the two first. What was charged before has to drain before that.

    Both at once: one that waits for a slow answer to the other could find the quota whole again.
    """
    answers = await _both(case, requests)
    if all(answer.code == "rate_limited" for answer in answers):
        await asyncio.sleep(max(int(answer.headers["retry-after"]) for answer in answers))
        answers = await _both(case, requests)
    return sorted(answers, key=lambda answer: answer.status)


async def _both(case: Try, requests: Iterable[Request]) -> list[Answer]:
    return await asyncio.gather(*(case.send(request) for request in requests))


def _hit(partition: str, permitted: Answer, refused: Answer) -> Iterator[str]:
    if permitted.status >= 300:
        yield f"the first request was answered {permitted}"
    if f'"{partition}";q=1;w=2' not in permitted.headers.get("ratelimit-policy", ""):
        yield f"RateLimit-Policy says {permitted.headers.get('ratelimit-policy')}"
    if f'"{partition}";r=0;' not in permitted.headers.get("ratelimit", ""):
        yield f"RateLimit says {permitted.headers.get('ratelimit')} after the last unit"
    if refused.code != "rate_limited":
        yield f"of two requests at once, none was refused: {permitted}, {refused}"
