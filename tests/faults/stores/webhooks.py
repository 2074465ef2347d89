"""A webhook that is subscribed to what a plugin reports, and what it must have been sent."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from impl.tokens.issue import issue
from impl.tokens.scopes import ADMIN_SCOPES
from tests.faults.errors import CannotRunError
from tests.faults.processes import Process
from tests.faults.results import Row
from tests.faults.stores.reporter import EVENT
from tests.faults.world import World
from tests.integration.notifications.receiver import Receiver

ANSWERS_SECONDS = 0.3  # so that a worker has some under way whenever it is killed
# Events that no delivery was made of yet, and deliveries that did not arrive yet.
WAITING = """
SELECT (SELECT count(*) FROM outbox WHERE id > (SELECT outbox_id FROM notification_cursor))
    + (SELECT count(*) FROM notification_deliveries WHERE status <> 'delivered')
"""


async def answer_late(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(ANSWERS_SECONDS)
    return web.Response(status=204)


async def subscribe(made: World, core: Process, hook: Receiver) -> None:
    key = await issue(made.pool, "admin", scopes=sorted(ADMIN_SCOPES), expires_in=None)
    body = {"url": hook.url, "event_types": [EVENT]}
    headers = {"X-Admin-Key": key.plaintext}
    place = f"{core.url}/api/v1/notifications/subscriptions"
    async with made.bot.session.post(place, json=body, headers=headers) as response:
        said = await response.json(content_type=None)
        if response.status != 201:
            raise CannotRunError(f"the webhook was not subscribed: {said}")
    hook.secret, hook.reply = said["secret"], answer_late


def judge_notices(
    acknowledged: set[str], notices: Sequence[Mapping[str, Any]], ids: Sequence[str], row: Row
) -> None:
    """`notices` as they came, each under the webhook-id at its place in `ids`: who receives acts on
    the first sight of an id only, so an event has one, however often it is sent."""
    by_event = defaultdict(set)
    for notice, webhook_id in zip(notices, ids, strict=True):
        by_event[str(notice["data"]["event_id"])].add(webhook_id)
    missing = acknowledged - by_event.keys()
    twice = [event_id for event_id, found in by_event.items() if len(found) > 1]
    row.lost += len(missing)
    row.doubled += len(twice)
    row.faults += [f"no notification came of the event {event_id}" for event_id in sorted(missing)]
    row.faults += [f"the event {event_id} came under {len(by_event[event_id])} webhook-ids"
                   for event_id in twice]  # fmt: skip
