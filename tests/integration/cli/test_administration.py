"""`botcore bots|plugins|keys`: tokens on the machine itself, with the database's address only."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from impl.cli.app import app
from impl.tokens.format import Kind
from impl.tokens.issue import issue
from impl.tokens.scopes import ADMIN_SCOPES
from impl.tokens.verifier import TokenVerifier, VerifiedToken
from tests.integration.cli.commands import Ended, botcore
from tests.integration.tokens.rows import make_bot, make_plugin


@dataclass
class Machine:
    pool: asyncpg.Pool
    env: dict[str, str]
    directory: Path

    async def __call__(self, *arguments: str) -> Ended:
        return await botcore(*arguments, env=self.env, directory=self.directory)

    async def secret(self, *arguments: str) -> str:
        """What a command reveals: alone on standard output, and nowhere else."""
        ended = await self(*arguments)
        assert ended.code == 0, ended.err
        [secret] = ended.out.splitlines()
        assert secret not in ended.err
        return secret

    async def rows(self, *arguments: str) -> Any:
        ended = await self(*arguments, "--json")
        assert (ended.code, ended.err) == (0, "")
        return json.loads(ended.out)

    async def token(self, secret: str, kind: Kind) -> VerifiedToken | None:
        return await TokenVerifier(self.pool, ttl_seconds=0).verify(secret, kind)

    async def refused(self, *arguments: str) -> tuple[int, str]:
        ended = await self(*arguments)
        assert ended.out == ""
        assert ended.err.count("\n") == 1
        return ended.code, ended.err.removeprefix("botcore: ").strip()


@pytest.fixture
def machine(database: str, pool: asyncpg.Pool, tmp_path: Path) -> Machine:
    return Machine(pool, {"BOTCORE_DATABASE_URL": database}, tmp_path)


def lifetime(row: dict[str, str]) -> timedelta:
    return datetime.fromisoformat(row["expires_at"]) - datetime.fromisoformat(row["created_at"])


async def test_a_bots_tokens_from_issue_to_revocation(machine: Machine) -> None:
    await make_bot(machine.pool, "one")
    chosen = ("--scope", "dialogs:read", "--scope", "users:write")
    secret = await machine.secret(
        "bots", "issue", "one", *chosen, "--expires-in", "90d", "--name", "spare"
    )
    token = await machine.token(secret, "bot")
    assert token
    assert token.scopes == {"dialogs:read", "users:write"}
    [row] = await machine.rows("bots", "tokens", "one")
    assert (row["name"], lifetime(row)) == ("spare", timedelta(days=90))

    new = await machine.secret("bots", "rotate", "one", row["id"], "--overlap", "1h")
    assert await machine.token(secret, "bot")
    newest, old = await machine.rows("bots", "tokens", "one")
    assert lifetime(newest) == timedelta(days=90)
    left = datetime.fromisoformat(old["expires_at"]) - datetime.fromisoformat(newest["created_at"])
    assert left == timedelta(hours=1)

    narrowed = await machine("bots", "narrow", "one", newest["id"], "--scope", "dialogs:read")
    assert narrowed.out.startswith(f"token {newest['id']} permits dialogs:read and expires at ")
    token = await machine.token(new, "bot")
    assert token
    assert token.scopes == {"dialogs:read"}

    for _ in range(2):
        assert (await machine("bots", "revoke-token", "one", newest["id"])).code == 0
    assert await machine.token(new, "bot") is None
    table = (await machine("bots", "tokens", "one")).out.splitlines()
    assert table[0].split() == [
        *("ID", "NAME", "CREATED", "EXPIRES", "REVOKED", "LAST", "USED", "SCOPES"),
    ]
    assert [line.split()[0] for line in table[1:]] == [newest["id"], old["id"]]


async def test_a_plugins_tokens_by_its_id_and_by_its_version(machine: Machine) -> None:
    plugin_id = await make_plugin(machine.pool, "plugins:read", "telemetry:write")
    name = await machine.pool.fetchval("SELECT name || '@' || version FROM plugins")
    secret = await machine.secret("plugins", "issue", name)
    token = await machine.token(secret, "plugin")
    assert token
    assert token.scopes == {"plugins:read", "telemetry:write"}, "what it registered for"
    [row] = await machine.rows("plugins", "tokens", str(plugin_id).upper())
    wider = await machine.refused("plugins", "issue", name, "--scope", "telemetry:read")
    assert wider == (1, "scopes: Beyond what the holder may have")
    new = await machine.secret("plugins", "rotate", name, row["id"], "--overlap", "0")
    assert await machine.token(secret, "plugin") is None
    newest, _ = await machine.rows("plugins", "tokens", name)
    narrow = ("plugins", "narrow", name, newest["id"], "--expires-in", "45")
    assert (await machine(*narrow)).code == 0
    assert (await machine("plugins", "revoke-token", name, newest["id"])).code == 0
    assert await machine.token(new, "plugin") is None
    assert (await machine.refused("plugins", "tokens", "nobody@1.0.0"))[0] == 1


async def test_the_first_admin_key_is_made_on_the_machine(machine: Machine) -> None:
    secret = await machine.secret("keys", "create", "--admin")
    token = await machine.token(secret, "admin")
    assert token
    assert token.scopes == ADMIN_SCOPES
    made = await machine("keys", "create", "--registry", "--name", "ci", "--expires-in", "12h")
    assert "X-Registry-Key" in made.err
    revoked = await machine.secret("keys", "create", "--admin")
    assert (await machine("keys", "revoke", revoked.split("_")[2])).code == 0
    assert len(await machine.rows("keys", "list", "--all")) == 3
    registry, admin = await machine.rows("keys", "list")
    assert (registry["kind"], registry["name"], registry["scopes"]) == (
        *("registry", "ci"),
        ["plugins:register"],
    )
    assert lifetime(registry) == timedelta(hours=12)
    assert (admin["kind"], admin["id"], admin["expires_at"]) == ("admin", token.token_id, None)
    assert not {"hash", "token"} & admin.keys()


async def test_a_key_is_narrowed_rotated_and_revoked(machine: Machine) -> None:
    chosen = ("--scope", "audit:read", "--scope", "bots:manage")
    secret = await machine.secret("keys", "create", "--admin", *chosen)
    key_id = secret.split("_")[2]
    assert (await machine("keys", "narrow", key_id, "--scope", "audit:read")).code == 0
    new = await machine.secret("keys", "rotate", key_id, "--overlap", "0", "--expires-in", "1d")
    assert await machine.token(secret, "admin") is None
    token = await machine.token(new, "admin")
    assert token
    assert token.scopes == {"audit:read"}
    assert (await machine("keys", "revoke", token.token_id)).code == 0
    assert await machine.token(new, "admin") is None
    assert await machine.refused("keys", "rotate", token.token_id) == (
        1,
        "The token is revoked or expired; issue another.",
    )


async def test_what_the_machine_did_stands_in_the_audit_log(machine: Machine) -> None:
    secret = await machine.secret("bots", "create", "one")
    token_id = secret.split("_")[2]
    await machine("bots", "narrow", "one", token_id, "--scope", "dialogs:read")
    await machine("bots", "revoke", "one")
    await machine("keys", "create", "--admin")
    rows = await machine.pool.fetch("SELECT * FROM audit_logs ORDER BY id")
    assert [(row["source"], row["action"]) for row in rows] == [
        ("system", "bot_created"),
        ("system", "token_issued"),
        ("system", "token_narrowed"),
        ("system", "bot_revoked"),
        ("system", "token_issued"),
    ]
    assert rows[-1]["details"]["kind"] == "admin"
    assert secret.split("_")[3] not in repr(rows)
    assert len({row["trace_id"] for row in rows}) == 4, "a trace for each command"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("bots issue nobody", 1, "there is no bot nobody"),
        ("bots issue one --scope audit:read", 2, "--scope: Input should be 'dialogs:read', "),
        ("bots issue one --scope users:write --scope users:write", 2, "--scope: Items should be"),
        ("bots issue one --expires-in soon", 2, "--expires-in: give a number of seconds"),
        ("bots issue one --expires-in 0", 2, "--expires-in: Input should be greater than"),
        ("bots issue one --expires-in 4000d", 2, "--expires-in: Input should be less than"),
        ("bots issue one --name a\x1b[2J", 2, "--name: Characters that cannot be printed"),
        ("bots rotate one EXAMPLE0EXAMPLE0", 1, "The token does not exist, or is not of this"),
        ("bots rotate one {token} --overlap 31d", 2, "--overlap: Input should be less than"),
        ("bots narrow one {token}", 2, "say what it shall still have"),
        ("bots narrow one {token} --scope users:write", 1, "scopes: The token has no such"),
        ("bots narrow one {token} --expires-in 2h", 1, "expires_in_seconds: The token ends"),
        ("bots narrow other {token} --expires-in 1m", 1, "The token does not exist"),
        ("bots revoke-token other {token}", 1, "The token does not exist"),
        ("bots tokens gone", 1, "The bot does not exist, or is revoked."),
        ("keys create", 2, "say which: --admin or --registry"),
        ("keys create --admin --registry", 2, "say which: --admin or --registry"),
        ("keys create --admin --scope all", 2, "--scope: no all; there is audit:read, bots:"),
        ("keys create --registry --scope audit:read", 2, "--scope: no audit:read; there is"),
        ("keys create --admin --name development", 2, "--name: development is what"),
        ("keys revoke {token}", 1, "there is no key "),
    ],
)
async def test_what_is_wrong_is_one_line(
    machine: Machine, command: str, code: int, said: str
) -> None:
    for name in ("one", "other", "gone"):
        await make_bot(machine.pool, name)
    await machine.pool.execute("UPDATE bots SET revoked_at = now() WHERE name = 'gone'")
    bot_id = await machine.pool.fetchval("SELECT id FROM bots WHERE name = 'one'")
    hour = timedelta(hours=1)
    made = await issue(
        machine.pool, "bot", subject_id=bot_id, scopes=["dialogs:read"], expires_in=hour
    )
    before = await machine.pool.fetch("SELECT * FROM tokens")
    words = [word.format(token=made.id) for word in command.split(" ")]
    # Not a process: they are many, and all that they would do is start.
    ended = await asyncio.to_thread(CliRunner(env=machine.env).invoke, app, words)
    assert (ended.exit_code, ended.stdout) == (code, "")
    assert ended.stderr.startswith(f"botcore: {said}")
    assert ended.stderr.count("\n") == 1
    assert await machine.pool.fetch("SELECT * FROM tokens") == before
