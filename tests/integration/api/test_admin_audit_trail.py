"""Each administrative change stands in the audit log, with who made it; no secret does."""

import json
from typing import Any
from uuid import uuid4

import asyncpg

from impl.tokens.issue import issue
from tests.integration.tokens.rows import make_plugin
from tests.stack import Answer, Api


class Operator:
    def __init__(self, api: Api, key: str) -> None:
        self.api, self.key, self.trace = api, key, str(uuid4())
        self.answers: list[Answer] = []

    async def send(self, method: str, path: str, **options: Any) -> Any:
        headers = {"X-Admin-Key": self.key, "X-Trace-Id": self.trace}
        path = f"/api/v1/admin/{path}"
        answer = await self.api.send(method, path, headers=headers, **options)
        self.answers.append(answer)
        return answer.json


async def trail(pool: asyncpg.Pool) -> list[tuple[str, dict[str, Any]]]:
    rows = await pool.fetch(
        "SELECT * FROM audit_logs WHERE action LIKE 'bot%' OR action LIKE 'token%' ORDER BY id"
    )
    assert {(row["severity"], row["event_id"]) for row in rows} <= {("info", None)}
    return [(row["action"], row["details"]) for row in rows]


async def test_what_was_done_to_a_bot(api: Api, pool: asyncpg.Pool) -> None:
    key = await issue(pool, "admin", scopes=["bots:manage"])
    operator = Operator(api, key.plaintext)
    made = await operator.send("POST", "bots", json={"name": "telegram"})
    bot_id, first = made["bot"]["id"], made["issued"]["id"]
    tokens = f"bots/{bot_id}/tokens"
    second = (await operator.send("POST", tokens, json={"scopes": ["dialogs:read"]}))["issued"]
    narrow = {"scopes": ["dialogs:read"], "expires_in_seconds": 60}
    narrowed = await operator.send("PATCH", f"{tokens}/{first}", json=narrow)
    rotated = (await operator.send("POST", f"{tokens}/{first}/rotate", json={}))["issued"]
    await operator.send("DELETE", f"{tokens}/{second['id']}")
    await operator.send("DELETE", f"bots/{bot_id}")
    by = {"bot_id": bot_id, "admin_key_id": key.id}
    everything = ["dialogs:read", "dialogs:write", "users:write"]
    reading = {**by, "scopes": ["dialogs:read"]}
    found = await trail(pool)
    ends = [details.pop("expires_at", None) for _, details in found]
    assert found == [
        ("bot_created", {**by, "name": "telegram"}),
        ("token_issued", {**by, "token_id": first, "scopes": everything}),
        ("token_issued", {**reading, "token_id": second["id"]}),
        ("token_narrowed", {**reading, "token_id": first}),
        (
            "token_rotated",
            {**reading, "token_id": rotated["id"], "replaces": first, "overlap_seconds": 600},
        ),
        ("token_revoked", {**reading, "token_id": second["id"]}),
        (
            "bot_revoked",
            {**by, "revoked_tokens": 2, "token_ids": sorted_(found[-1], first, rotated["id"])},
        ),
    ]
    assert ends[3][:19] == narrowed["expires_at"][:19]
    sources = await pool.fetch("SELECT DISTINCT source, trace_id::text FROM audit_logs")
    assert [tuple(row) for row in sources] == [("user", operator.trace)]
    everything_kept = json.dumps(found)
    for answer in operator.answers:
        if "token" in answer.json:
            assert answer.json["token"].split("_")[3] not in everything_kept


def sorted_(last: tuple[str, dict[str, Any]], *ids: str) -> list[str]:
    """The ids in the order in which they were written, which is the database's affair."""
    written: list[str] = last[1]["token_ids"]
    assert sorted(written) == sorted(ids)
    return written


async def test_what_was_done_to_a_plugins_tokens(api: Api, pool: asyncpg.Pool) -> None:
    key = await issue(pool, "admin", scopes=["plugins:manage"])
    operator = Operator(api, key.plaintext)
    plugin_id = await make_plugin(pool, "plugins:read")
    tokens = f"plugins/{plugin_id}/tokens"
    token = (await operator.send("POST", tokens, json={"scopes": ["plugins:read"]}))["issued"]
    await operator.send("DELETE", f"{tokens}/{token['id']}")
    by = {"plugin_id": str(plugin_id), "admin_key_id": key.id, "expires_at": None}
    same = {**by, "token_id": token["id"], "scopes": ["plugins:read"]}
    assert await trail(pool) == [("token_issued", same), ("token_revoked", same)]


async def test_what_changed_nothing_leaves_no_trace(api: Api, pool: asyncpg.Pool) -> None:
    key = await issue(pool, "admin", scopes=["bots:manage"])
    operator = Operator(api, key.plaintext)
    made = await operator.send("POST", "bots", json={"name": "telegram"})
    token = f"bots/{made['bot']['id']}/tokens/{made['issued']['id']}"
    await operator.send("PATCH", token, json={"scopes": made["issued"]["scopes"]})
    await operator.send("DELETE", token)
    before = await trail(pool)
    await operator.send("DELETE", token)
    await operator.send("POST", f"{token}/rotate", json={})
    await operator.send("PATCH", token, json={"scopes": ["dialogs:read"]})
    await operator.send("POST", "bots", json={"name": "telegram"})
    await operator.send("DELETE", f"bots/{uuid4()}")
    assert await trail(pool) == before
    assert [action for action, _ in before] == ["bot_created", "token_issued", "token_revoked"]
