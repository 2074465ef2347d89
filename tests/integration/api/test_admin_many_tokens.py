"""What has had very many tokens can be taken out of service like anything else."""

import asyncpg

from impl.tokens.issue import issue
from tests.integration.api.conftest import Admin
from tests.stack import Api, ScriptedPlugin

MANY = 5000  # their ids alone are more than 64 KB

ADD = """
INSERT INTO tokens (id, kind, bot_id, plugin_id, hash, scopes)
SELECT lpad(number::text, 16, 'x'), $1, $2, $3, '$argon2id$v=19$none', '{}'
FROM generate_series(1, $4::int) AS number
"""
LEFT = "SELECT count(*) FROM tokens WHERE kind = $1 AND revoked_at IS NULL"
DETAILS = "SELECT details FROM audit_logs WHERE action = $1"


async def test_a_plugin_of_very_many_tokens_can_be_deleted(
    api: Api, admin: Admin, pool: asyncpg.Pool, plugin: ScriptedPlugin
) -> None:
    plugin_id = (await api.add_plugin(plugin.url))["plugin_id"]
    await pool.execute(ADD, "plugin", None, plugin_id, MANY)
    deleted = await admin("DELETE", f"/plugins/{plugin_id}")
    assert deleted.status == 200, deleted.raw
    assert await pool.fetchval(LEFT, "plugin") == 0
    details = await pool.fetchval(DETAILS, "plugin_deleted")
    assert details["revoked_tokens"] == MANY + 1
    assert 0 < len(details["token_ids"]) <= 100


async def test_a_bot_of_very_many_tokens_can_be_revoked(api: Api, pool: asyncpg.Pool) -> None:
    key = await issue(pool, "admin", scopes=["bots:manage"])
    await pool.execute(ADD, "bot", api.bot_id, None, MANY)
    headers = {"X-Admin-Key": key.plaintext}
    revoked = await api.send("DELETE", f"/api/v1/admin/bots/{api.bot_id}", headers=headers)
    assert revoked.status == 200, revoked.raw
    assert await pool.fetchval(LEFT, "bot") == 0
    details = await pool.fetchval(DETAILS, "bot_revoked")
    assert details["revoked_tokens"] == MANY + 1
    assert 0 < len(details["token_ids"]) <= 100
