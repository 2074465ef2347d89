"""The database's roles: what each may, and that the core does its work as one of them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from impl import migrate, roles
from impl.db import prepare_connection
from impl.retention.retention import Retention
from impl.settings import RetentionSettings
from impl.tables import metadata
from impl.tokens.issue import issue
from tests.integration.cli.commands import botcore
from tests.integration.tables.rows import fill
from tests.integration.tokens.rows import make_bot
from tests.stack import running_api, scripted_plugin, settings_for

# Logins of the cluster, one for each role: tests of one process take turns.
LOGINS = {role: f"login_{role}" for role in roles.ROLES}
PASSWORD = "not a secret"

Denied = asyncpg.InsufficientPrivilegeError


def as_login(dsn: str, role: str) -> str:
    parts = urlsplit(dsn)
    password = PASSWORD.replace(" ", "%20")
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{LOGINS[role]}:{password}@{place}"))


async def deploy(dsn: str) -> roles.Made:
    """As docs/operations.md says."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            made = await roles.make(connection)
        for role, login in LOGINS.items():
            if not await connection.fetchval("SELECT to_regrole($1) IS NOT NULL", login):
                await connection.execute(
                    f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}' IN ROLE {role}"
                )
    finally:
        await connection.close()
    return made


@pytest_asyncio.fixture
async def deployed(database: str) -> str:
    await deploy(database)
    return database


async def connected(dsn: str, role: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(as_login(dsn, role))
    await prepare_connection(connection)
    return connection


@pytest_asyncio.fixture
async def writer(deployed: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connected(deployed, roles.WRITER)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def reader(deployed: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connected(deployed, roles.READ_ONLY)
    yield connection
    await connection.close()


async def refused(connection: asyncpg.Connection, *statements: str) -> None:
    for statement in statements:
        with pytest.raises(Denied):
            await connection.execute(statement)


async def test_the_core_works_as_a_writer(deployed: str, pool: asyncpg.Pool, valkey: str) -> None:
    """Users, a plugin, messages, a repetition, a reset, an operator's hand, wake-ups."""
    settings = settings_for(as_login(deployed, roles.WRITER), valkey)
    key = await issue(pool, "admin", scopes=["bots:manage", "plugins:manage", "limits:manage"])
    headers = {"X-Admin-Key": key.plaintext}
    async with scripted_plugin() as plugin, running_api(pool, settings) as api:
        found = await api.add_plugin(plugin.url)
        user_id, dialog = await api.user(), uuid4()
        said = await api.say(user_id, "hello", dialog, message_id="one")
        assert said.json["plugin_responses"][0]["content"] == "echo: hello", said.raw
        again = await api.say(user_id, "hello", dialog, message_id="one")
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.raw == said.raw
        reset = {"dialog_id": str(dialog), "user_id": user_id, "reason": "user_requested"}
        answer = await api.bot("POST", f"/api/v1/dialogs/{dialog}/reset", json=reset)
        assert answer.status == 200, answer.raw
        beat = {"plugin_id": found["plugin_id"], "status": "active"}
        path = f"/api/v1/plugins/{found['plugin_id']}/heartbeat"
        bearer = {"Authorization": f"Bearer {found['token']}"}
        assert (await api.send("POST", path, headers=bearer, json=beat)).status == 200
        for method, path, body in (
            ("PUT", f"/api/v1/admin/limits/bot/{api.bot_id}", {"quota": 5, "window_seconds": 60}),
            ("DELETE", f"/api/v1/admin/plugins/{found['plugin_id']}", None),
            ("DELETE", f"/api/v1/admin/bots/{api.bot_id}", None),
        ):
            answer = await api.send(method, path, headers=headers, json=body)
            assert answer.status == 200, answer.raw
        assert (await api.bot("GET", f"/api/v1/dialogs/{dialog}")).status == 401
    assert len(plugin.calls) == 1


async def test_a_writer_makes_changes_and_drops_nothing(writer: asyncpg.Connection) -> None:
    await fill(writer)
    await refused(
        writer,
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE mine",
        "ALTER TABLE messages ADD COLUMN mine int",
        "ALTER TABLE audit_logs DISABLE TRIGGER ALL",
        "DROP TABLE messages",
        "CREATE INDEX mine ON messages (id)",
        "COPY messages TO PROGRAM 'cat'",
        "SET ROLE migration",
        *(f"TRUNCATE {table.name} CASCADE" for table in metadata.sorted_tables),
        "UPDATE migrations_info SET version_num = '0001'",
        "DELETE FROM migrations_info",
        "UPDATE messages SET payload = '{}'",
        *(f"DELETE FROM {name}" for name in ("bots", "tokens", "plugins", "streams")),
        "SELECT grant_to_roles()",
    )


async def test_what_was_done_stays_in_the_audit_log(
    writer: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    """All that a writer can do to it is to take away what need not be kept, whatever it asks."""
    await fill(writer)
    await refused(writer, "UPDATE audit_logs SET action = 'nothing'", "DELETE FROM audit_logs")
    for age in (179, 181):
        await pool.execute(
            "INSERT INTO audit_logs (source, action, trace_id, created_at) "
            "VALUES ('core', $2, gen_random_uuid(), now() - make_interval(days => $1))",
            age,
            f"{age} days",
        )
    assert await writer.fetchval("SELECT remove_old_audit(0, 100)") == 1
    kept = await pool.fetch("SELECT action FROM audit_logs ORDER BY created_at")
    assert [row["action"] for row in kept] == ["179 days", "plugin_registered"]


async def test_retention_works_as_a_writer(deployed: str, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await fill(connection)
    for table in ("audit_logs", "feed", "message_keys"):
        await pool.execute(f"UPDATE {table} SET created_at = now() - interval '1000 days'")
    await pool.execute("DELETE FROM messages")
    async with asyncpg.create_pool(
        as_login(deployed, roles.WRITER), min_size=0, max_size=1, init=prepare_connection
    ) as own:
        retention = Retention(own, RetentionSettings())
        removed = {table: rows async for table, rows in retention.remove() if rows}
    assert removed == {"plugin_events": 1, "audit_logs": 1, "message_keys": 1}


async def test_a_reader_reads_and_no_more(reader: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await fill(connection)
    secret = {"tokens": ["hash"], "notification_subscriptions": ["salt", "old_salt"]}
    for table in metadata.sorted_tables:
        shown = [column.name for column in table.columns if column.name not in
                 secret.get(table.name, [])]  # fmt: skip
        assert await reader.fetch(f"SELECT {', '.join(shown)} FROM {table.name}")
    assert await reader.fetchval("SELECT version_num FROM migrations_info")
    for table_name, columns in secret.items():
        await refused(reader, f"SELECT * FROM {table_name}")
        await refused(reader, *(f"SELECT {column} FROM {table_name}" for column in columns))
    await refused(
        reader,
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "SELECT remove_old_audit(0, 1)",
        "SELECT id FROM messages FOR UPDATE",
        "SET ROLE app_writer",
        "SET ROLE migration",
        *(f"DELETE FROM {table.name}" for table in metadata.sorted_tables),
        *(f"UPDATE {table.name} SET {next(iter(table.columns)).name} = DEFAULT"
          for table in metadata.sorted_tables),
        "INSERT INTO bots (name) VALUES ('mine')",
    )  # fmt: skip


async def test_migrations_run_as_their_role_and_what_they_make_is_granted(
    empty_database: str,
) -> None:
    """Roles first, then migrations: the other order is every other test's."""
    assert (await deploy(empty_database)).kept == []
    await migrate.upgrade(as_login(empty_database, roles.MIGRATION))
    connection = await connected(empty_database, roles.MIGRATION)
    try:
        owners = await connection.fetch(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        )
        assert [row["tableowner"] for row in owners] == [roles.MIGRATION]
        await connection.execute("SET ROLE migration")
        await connection.execute("CREATE TABLE later (id int)")
    finally:
        await connection.close()
    writer = await connected(empty_database, roles.WRITER)
    try:
        await writer.execute("INSERT INTO later VALUES (1)")
        assert await writer.fetchval("SELECT count(*) FROM tokens") == 0
    finally:
        await writer.close()
    with pytest.raises(migrate.MigrationError, match="must be owner"):
        await migrate.downgrade(as_login(empty_database, roles.WRITER), "0010")
    await migrate.downgrade(as_login(empty_database, roles.MIGRATION), "base")


async def test_to_make_them_again_changes_nothing(deployed: str, pool: asyncpg.Pool) -> None:
    acl = "SELECT relname, relacl::text, relowner FROM pg_class ORDER BY oid"
    before = await pool.fetch(acl)
    made = await asyncio.gather(deploy(deployed), deploy(deployed))
    assert [(each.created, each.kept) for each in made] == [([], [])] * 2
    assert await pool.fetch(acl) == before


async def test_who_owned_the_tables_keeps_its_rights(database: str, pool: asyncpg.Pool) -> None:
    """The API that runs meanwhile must not stop: it is moved to a login of its own later."""
    await deploy(database)
    owner = f"owner_{uuid4().hex[:8]}"
    await pool.execute(f"CREATE ROLE {owner} LOGIN PASSWORD '{PASSWORD}'")
    await pool.execute(f"GRANT CREATE ON SCHEMA public TO {owner}")
    for table in metadata.sorted_tables:
        await pool.execute(f"ALTER TABLE {table.name} OWNER TO {owner}")
    assert (await deploy(database)).kept == [owner]
    LOGINS["owner"] = owner
    connection = await connected(database, "owner")
    del LOGINS["owner"]
    try:
        await make_bot(connection)
        await connection.execute("ALTER TABLE bots ADD COLUMN mine int")
    finally:
        await connection.close()


async def test_a_role_that_may_anything_is_none_of_ours(database: str, pool: asyncpg.Pool) -> None:
    await deploy(database)
    await pool.execute("ALTER ROLE app_writer CREATEDB")
    try:
        with pytest.raises(roles.RolesError, match="app_writer exist and may do anything"):
            await deploy(database)
    finally:
        await pool.execute("ALTER ROLE app_writer NOCREATEDB")


async def test_the_command_says_what_it_did(database: str, tmp_path: Path) -> None:
    await deploy(database)
    env = {"BOTCORE_DATABASE_URL": database}
    ended = await botcore("db", "roles", env=env, directory=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [f"{role}: there already" for role in roles.ROLES]
    env = {"BOTCORE_DATABASE_URL": as_login(database, roles.WRITER)}
    ended = await botcore("db", "roles", env=env, directory=tmp_path)
    assert ended.code == 2
    assert "permission denied" in ended.err
    assert PASSWORD not in ended.err
