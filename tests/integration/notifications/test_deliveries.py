"""Notifications over real HTTP, verified by the public package of Standard Webhooks."""

import asyncio
import contextlib
import json
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from aiohttp import web

from generated import models
from impl.settings import Settings
from tests.integration.notifications.conftest import (
    Operator,
    Worker,
    a_worker,
    publish,
    until,
)
from tests.integration.notifications.receiver import Receiver, receiver, status
from tests.patience import PATIENT_SECONDS
from tests.stack import Api, ScriptedPlugin

DUE = "UPDATE notification_deliveries SET next_attempt_at = now() WHERE status = 'pending'"
OTHERS_WAIT = """
SELECT EXISTS (SELECT FROM notification_deliveries
    WHERE status = 'pending' AND subscription_id <> $1)
"""


async def test_an_event_arrives_signed_and_as_its_stream_has_it(  # noqa: PLR0917  # fixtures
    api: Api, operator: Operator, hook: Receiver, plugin: ScriptedPlugin, worker: Worker,
    pool: asyncpg.Pool,
) -> None:  # fmt: skip
    subscription = await operator.subscribe(hook, event_types=["plugin_disabled"])
    registered = await api.add_plugin(plugin.url)
    path = f"/admin/plugins/{registered['plugin_id']}/disable"
    assert (await operator.send("POST", path, json={"reason": "Enough."})).status == 200
    assert await worker.once() == 1
    (body,) = hook.got
    stored = await pool.fetchval(
        "SELECT body FROM outbox WHERE body->>'event_type' = 'plugin_disabled'"
    )
    assert body == {"type": "plugin_disabled", "timestamp": stored["occurred_at"], "data": stored}
    (delivery,) = await operator.deliveries(subscription)
    assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
    assert (delivery["last_status"], delivery["next_attempt_at"]) == (204, None)
    assert delivery["id"] == hook.ids[0]
    sent = models.NotificationV1.model_validate_json(json.dumps(body))
    assert delivery["notification"] == sent.model_dump(mode="json")
    assert await worker.once() == 0


async def test_type_and_severity_and_owner_choose(
    api: Api, operator: Operator, plugin: ScriptedPlugin, worker: Worker, pool: asyncpg.Pool
) -> None:
    async with receiver() as every, receiver() as severe, receiver() as typed, receiver() as mine:
        await operator.subscribe(every, min_severity="info")
        await operator.subscribe(severe)
        await operator.subscribe(typed, event_types=["plugin_registered"], min_severity="info")
        await operator.subscribe(mine, min_severity="info", owner="weather team")
        await api.add_plugin(plugin.url)
        await api.add_plugin(plugin.url, "weather")
        await pool.execute(
            """UPDATE plugins SET metadata = '{"owner": "weather team"}' WHERE name = 'weather'"""
        )
        await publish(pool)
        while await worker.once():
            pass
        assert every.types == {"plugin_registered": 2, "scaling_alert": 1}
        assert severe.types == {"scaling_alert": 1}
        assert typed.types == {"plugin_registered": 2}
        assert [body["data"]["payload"]["name"] for body in mine.got] == ["weather"]


async def test_what_happened_before_is_nobodys(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    await publish(pool)
    await operator.subscribe(hook)
    (event_id,) = await publish(pool)
    await worker.once()
    assert [body["data"]["event_id"] for body in hook.got] == [event_id]


@pytest.mark.parametrize("number", [301, 404, 500])
async def test_what_is_no_success_is_tried_again_and_given_up(
    number: int, operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    hook.reply = status(number, Location=hook.url)
    subscription = await operator.subscribe(hook)
    await publish(pool)
    for attempt in range(1, 9):
        await pool.execute(DUE)
        assert await worker.once() == 1
        (delivery,) = await operator.deliveries(subscription)
        assert (delivery["attempts"], delivery["last_status"]) == (attempt, number)
    (delivery,) = await operator.deliveries(subscription)
    assert (delivery["status"], delivery["last_error"]) == ("failed", f"status {number}")
    await pool.execute(DUE)
    assert await worker.once() == 0
    assert len(hook.got) == 8, "a redirect was followed"
    assert len(set(hook.ids)) == 1, "a receiver could not tell repeats"
    shown = (await operator.of(subscription)).json
    assert (shown["status"], shown["failing_since"] is None) == ("active", False)


async def test_the_pauses_are_the_promised_ones(
    operator: Operator, hook: Receiver, settings: Settings, pool: asyncpg.Pool
) -> None:
    hook.reply = status(500)
    await operator.subscribe(hook)
    await publish(pool)
    async with a_worker(settings.model_copy(update={"notification_retry_scale": 1.0})) as worker:
        for pause in (5, 300, 1800, 7200, 18_000, 36_000, 36_000):
            await worker.once()
            left: timedelta = await pool.fetchval(
                "SELECT next_attempt_at - now() FROM notification_deliveries"
            )
            assert 0.9 * pause - 5 < left.total_seconds() <= 1.2 * pause
            await pool.execute(DUE)


async def test_a_receiver_that_hangs_or_drips_costs_the_others_nothing(
    operator: Operator, hook: Receiver, worker: Worker, settings: Settings, pool: asyncpg.Pool
) -> None:
    at_once, most = Counter[str](), Counter[str]()

    async def hang(_request: web.Request) -> web.StreamResponse:
        at_once["now"] += 1
        most["now"] = max(most["now"], at_once["now"])
        try:
            await asyncio.sleep(PATIENT_SECONDS)
        finally:
            at_once["now"] -= 1
        return web.Response()

    async def drip(request: web.Request) -> web.StreamResponse:
        """A success whose body never ends: the status is all that counts."""
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b".")
                await asyncio.sleep(0.01)
        return response

    async with receiver() as hanging, receiver() as dripping:
        hanging.reply, dripping.reply = hang, drip
        ill = await operator.subscribe(hanging)
        await operator.subscribe(dripping)
        await operator.subscribe(hook)

        async def noted() -> bool:
            """Whoever is stopped between an answer and its note sends again."""
            return not await pool.fetchval(OTHERS_WAIT, UUID(ill["id"]))

        async with worker.running():
            sent = await publish(pool, 30)
            await until(lambda: len(hook.got) == 30 and len(dripping.got) == 30)
            await until(noted)
            assert 0 < at_once["now"] == most["now"] <= settings.notification_concurrency
        assert {body["data"]["event_id"] for body in hook.got} == set(sent)
        # Stopped, it gave back what it had begun.
        waiting = await operator.deliveries(ill)
        assert {(item["status"], item["attempts"]) for item in waiting} == {("pending", 0)}
        hanging.reply = status(204)
        assert await worker.sender.send_due() == settings.notification_concurrency


async def test_no_answer_in_time_is_a_failure(
    operator: Operator, hook: Receiver, settings: Settings, pool: asyncpg.Pool
) -> None:
    async def hang(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(PATIENT_SECONDS)
        return web.Response()

    hook.reply = hang
    subscription = await operator.subscribe(hook)
    await publish(pool)
    hasty = settings.model_copy(update={"notification_timeout_seconds": 0.5})
    async with a_worker(hasty) as worker:
        assert await worker.once() == 1
    (delivery,) = await operator.deliveries(subscription)
    assert (delivery["last_status"], delivery["last_error"]) == (None, "no answer in time")


async def test_gone_disables_at_once_and_the_others_are_told(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    async with receiver() as gone:
        gone.reply = status(410)
        subscription = await operator.subscribe(gone)
        await operator.subscribe(hook)
        await publish(pool, 3)
        while await worker.once():
            pass
        shown = (await operator.of(subscription)).json
        assert (shown["status"], shown["disabled_reason"]) == ("disabled", "gone")
        assert hook.types == {"scaling_alert": 3, "subscription_disabled": 1}
        told = next(body for body in hook.got if body["type"] == "subscription_disabled")
        assert told["data"]["payload"]["subscription_id"] == subscription["id"]
        assert told["data"]["payload"]["reason"] == "gone"
        audited = await pool.fetch("SELECT * FROM audit_logs WHERE action='subscription_disabled'")
        assert [row["severity"] for row in audited] == ["warning"]
        value = worker.metrics.registry.get_sample_value
        fired = value("botcore_triggers_fired_total", {"trigger": "subscription-dead"})
        assert fired == 1
        # What waited is sent when it is enabled again; what happens meanwhile is not kept.
        await publish(pool)
        await worker.once()
        seen, gone.reply = set(gone.ids), status(200)
        changed = await operator.of(subscription, method="PATCH", json={"status": "active"})
        assert (changed.json["status"], changed.json["failing_since"]) == ("active", None)
        await pool.execute(DUE)
        while await worker.once():
            pass
        assert set(gone.ids) == seen
        arrived = await operator.deliveries(subscription)
        assert [item["status"] for item in arrived] == ["delivered"] * 3


async def test_five_days_without_a_success_disable(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    hook.reply = status(503)
    subscription = await operator.subscribe(hook)
    await publish(pool)
    await worker.once()
    ago = "UPDATE notification_subscriptions SET failing_since = now() - $1::interval"
    for days, expected in ((4.99, "active"), (5.01, "disabled")):
        await pool.execute(ago, timedelta(days=days))
        await pool.execute(DUE)
        assert await worker.once() == 1
        assert (await operator.of(subscription)).json["status"] == expected
    assert (await operator.of(subscription)).json["disabled_reason"] == "failing"
    assert await worker.once() == 0


async def test_a_success_begins_the_days_anew(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    hook.reply = status(503)
    subscription = await operator.subscribe(hook)
    await publish(pool)
    await worker.once()
    hook.reply = status(200)
    await pool.execute(DUE)
    await worker.once()
    assert (await operator.of(subscription)).json["failing_since"] is None


async def test_rotation_signs_by_both_until_the_overlap_ends(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    subscription = await operator.subscribe(hook)
    old = hook.secret
    rotated = await operator.of(
        subscription, "/rotate-secret", "POST", json={"overlap_seconds": 3600}
    )
    assert rotated.status == 201
    new = rotated.json["secret"]
    assert new != old
    for secret in (old, new):
        hook.secret = secret
        await publish(pool)
        await worker.once()
    assert (len(hook.got), hook.bad) == (2, 0)
    assert [len(signature.split(" ")) for signature in hook.signatures] == [2, 2]
    await pool.execute("UPDATE notification_subscriptions SET old_secret_until = now()")
    for secret in (new, old):
        hook.secret = secret
        await publish(pool)
        await worker.once()
    assert (len(hook.got), hook.bad) == (3, 1)
    assert len(hook.signatures[-1].split(" ")) == 1


async def test_without_an_overlap_the_old_secret_ends_at_once(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    subscription = await operator.subscribe(hook)
    await operator.of(subscription, "/rotate-secret", "POST", json={"overlap_seconds": 0})
    await publish(pool)
    await worker.once()
    assert (hook.got, hook.bad) == ([], 1)


async def test_a_delivery_is_sent_again_with_the_same_id(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    subscription = await operator.subscribe(hook)
    await publish(pool)
    await worker.once()
    (delivery,) = await operator.deliveries(subscription)
    again = await operator.of(subscription, f"/deliveries/{delivery['id']}/resend", "POST")
    assert (again.status, again.json["status"], again.json["attempts"]) == (200, "pending", 0)
    assert await worker.once() == 1
    assert hook.ids == [delivery["id"]] * 2
    assert hook.got[0] == hook.got[1]


async def test_a_test_goes_to_the_one_that_is_tested(
    operator: Operator, hook: Receiver, worker: Worker
) -> None:
    async with receiver() as other:
        await operator.subscribe(other, min_severity="info")
        subscription = await operator.subscribe(hook, event_types=["plugin_disabled"])
        answer = await operator.of(subscription, "/test", "POST")
        assert (answer.status, answer.json["event_type"]) == (201, "notification_test")
        await worker.once()
        (body,) = hook.got
        assert (body["type"], body["data"]) == (
            "notification_test", {"subscription_id": subscription["id"]}
        )  # fmt: skip
        assert other.got == []


async def test_the_address_is_looked_at_again_when_it_is_sent(
    operator: Operator, hook: Receiver, settings: Settings, pool: asyncpg.Pool
) -> None:
    subscription = await operator.subscribe(hook)
    await publish(pool)
    guarded = settings.model_copy(update={"development": False})
    async with a_worker(guarded) as worker:
        assert await worker.once() == 1
    assert (hook.got, hook.bad) == ([], 0)
    (delivery,) = await operator.deliveries(subscription)
    assert delivery["last_error"] == "not permitted: its address is forbidden"


async def test_a_deleted_subscription_is_sent_nothing_more(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    subscription = await operator.subscribe(hook)
    await publish(pool)
    await worker.collector.collect()
    deleted = await operator.of(subscription, method="DELETE")
    assert (deleted.status, deleted.json["status"]) == (200, "disabled")
    assert (await operator.of(subscription, method="DELETE")).json == deleted.json
    await publish(pool)
    assert await worker.once() == 0
    assert (await operator.of(subscription)).status == 404
    listed = await operator.send("GET", "/notifications/subscriptions")
    assert listed.json["items"] == []


async def test_no_other_subscriptions_delivery_is_sent_again(
    operator: Operator, hook: Receiver, worker: Worker, pool: asyncpg.Pool
) -> None:
    one, other = await operator.subscribe(hook), await operator.subscribe(hook)
    await publish(pool)
    await worker.once()
    (delivery,) = await operator.deliveries(one)
    for subscription, delivery_id in ((other, delivery["id"]), (one, uuid4())):
        way = f"/deliveries/{delivery_id}/resend"
        answer = await operator.of(subscription, way, "POST")
        assert (answer.status, answer.json["code"]) == (404, "delivery_not_found")
