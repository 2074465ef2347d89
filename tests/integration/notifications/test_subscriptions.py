"""How operators make, change and find subscriptions, and what is refused."""

import re
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from impl.settings import Settings
from impl.tokens.issue import issue
from tests.integration.notifications.conftest import SUBSCRIPTIONS, Operator
from tests.integration.notifications.receiver import Receiver
from tests.stack import Api, running_api, settings_for

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def guarded(settings: Settings) -> Settings:
    """As deployed: nothing of this machine or of private networks is open."""
    return settings.model_copy(update={"development": False})


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/hook",
        "http://10.1.2.3/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433/hook",
        "http://localhost/hook",
    ],
)
async def test_a_url_to_a_private_address_is_refused(
    url: str, guarded: Settings, pool: asyncpg.Pool
) -> None:
    async with running_api(pool, guarded, bot_name="guarded") as api:
        key = await issue(pool, "admin", scopes=["bots:manage", "notifications:manage"])
        operator = Operator(api, key.plaintext)
        bot = f"/admin/bots/{api.bot_id}/callback"
        for method, path, pointer, body in (
            ("POST", SUBSCRIPTIONS, "/url", {"url": url}),
            ("PUT", bot, "/callback_url", {"callback_url": url}),
        ):
            answer = await operator.send(method, path, json=body)
            assert answer.status == 422, answer.raw
            (fault,) = answer.json["errors"]
            assert (fault["pointer"], fault["code"]) == (pointer, "url_forbidden")
            assert fault["message"].startswith("Not permitted: its "), fault
    assert not await pool.fetchval("SELECT count(*) FROM notification_subscriptions")


async def test_a_private_range_that_is_opened_is_taken(
    guarded: Settings, pool: asyncpg.Pool
) -> None:
    opened = settings_for(
        guarded.database_url.get_secret_value(),
        guarded.redis_url.get_secret_value(),
        development=False,
        notification_networks="10.1.0.0/16",
        notification_hosts_denied="10.1.2.4",
    )
    async with running_api(pool, opened, bot_name="opened") as api:
        key = await issue(pool, "admin", scopes=["notifications:manage"])
        operator = Operator(api, key.plaintext)
        statuses = [
            (await operator.send("POST", SUBSCRIPTIONS, json={"url": f"http://{host}/"})).status
            for host in ("10.1.2.3", "10.1.2.4", "10.2.2.3")
        ]
    assert statuses == [201, 422, 422]


async def test_a_change_is_looked_at_as_a_new_one(operator: Operator, hook: Receiver) -> None:
    subscription = await operator.subscribe(hook)
    refused = await operator.of(
        subscription, method="PATCH", json={"url": "http://169.254.169.254/"}
    )
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/url")
    assert (await operator.of(subscription)).json == subscription


async def test_what_is_not_named_stays(operator: Operator, hook: Receiver) -> None:
    made = await operator.subscribe(
        hook, event_types=["plugin_disabled"], owner="weather team", description="On call"
    )
    changed = await operator.of(made, method="PATCH", json={"min_severity": "critical"})
    assert changed.status == 200
    expected = {**made, "min_severity": "critical", "updated_at": changed.json["updated_at"]}
    assert changed.json == expected
    off = await operator.of(made, method="PATCH", json={"status": "disabled"})
    assert (off.json["disabled_reason"], off.json["status"]) == ("operator", "disabled")
    for way in ("/test", f"/deliveries/{uuid4()}/resend"):
        answer = await operator.of(made, way, "POST")
        assert (answer.status, answer.json["code"]) == (409, "subscription_disabled")


async def test_pages_are_followed_to_the_end(operator: Operator, hook: Receiver) -> None:
    made = [(await operator.subscribe(hook))["id"] for _ in range(5)]
    found: list[Any] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await operator.send("GET", SUBSCRIPTIONS, params=query)).json
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [item["id"] for item in found] == made[::-1]


async def test_pages_of_deliveries_by_status(operator: Operator, hook: Receiver) -> None:
    subscription = await operator.subscribe(hook)
    for _ in range(3):
        await operator.of(subscription, "/test", "POST")
    way = "/deliveries"
    first = await operator.of(subscription, way, params={"limit": "2", "status": "pending"})
    rest = await operator.of(
        subscription,
        way,
        params={"limit": "2", "status": "pending", "cursor": first.json["next_cursor"]},
    )
    assert len({item["id"] for item in first.json["items"] + rest.json["items"]}) == 3
    assert rest.json["next_cursor"] is None
    none = await operator.of(subscription, way, params={"status": "failed"})
    assert none.json["items"] == []


async def test_a_secret_is_shown_once_and_stored_nowhere(
    operator: Operator, hook: Receiver, pool: asyncpg.Pool, capfd: pytest.CaptureFixture[str]
) -> None:
    subscription = await operator.subscribe(hook)
    assert SECRET.fullmatch(hook.secret)
    for answer in (
        await operator.of(subscription),
        await operator.send("GET", SUBSCRIPTIONS),
        await operator.of(subscription, method="PATCH", json={"description": "x"}),
    ):
        assert b"whsec_" not in answer.raw
    rows = await pool.fetch("SELECT * FROM notification_subscriptions")
    audit = await pool.fetch("SELECT * FROM audit_logs WHERE source = 'user'")
    kept = str([dict(row) for row in [*rows, *audit]]) + "".join(capfd.readouterr())
    secret = hook.secret.removeprefix("whsec_")
    assert secret not in kept
    assert [row["action"] for row in audit] == ["subscription_created", "subscription_changed"]
    assert {row["details"]["host"] for row in audit} == {"127.0.0.1"}
    assert "/hook" not in str([dict(row) for row in audit])


async def test_another_scope_does_not_suffice(api: Api, pool: asyncpg.Pool) -> None:
    key = await issue(pool, "admin", scopes=["bots:manage", "plugins:manage", "audit:read"])
    answer = await Operator(api, key.plaintext).send("GET", SUBSCRIPTIONS)
    assert (answer.status, answer.json["code"]) == (403, "insufficient_scope")
