import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from impl import migrate
from impl.migrate import Migrated, MigrationError
from impl.tables import metadata
from tests.integration.tables.rows import fill

REVISIONS = [f"{number:04}" for number in range(1, 13)]


async def tables(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        return {row["tablename"] for row in found} - {"migrations_info"}
    finally:
        await connection.close()


async def columns(dsn: str) -> set[tuple[str, str]]:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name <> 'migrations_info'"
        )
        return {(row["table_name"], row["column_name"]) for row in found}
    finally:
        await connection.close()


async def execute(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def fill_every_table(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await fill(connection)
        for table in metadata.sorted_tables:
            assert await connection.fetchval(f"SELECT count(*) FROM {table.name}"), table.name
    finally:
        await connection.close()


async def test_it_may_take_as_long_as_it_takes_whatever_the_role_has(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_url(empty_database).database
    await execute(empty_database, f"ALTER DATABASE {name} SET transaction_timeout = '2s'")
    run = migrate._run

    def slowly(connection: Connection, *given: Any) -> None:
        connection.execute(text("SELECT pg_sleep(3)"))
        run(connection, *given)

    monkeypatch.setattr(migrate, "_run", slowly)
    assert (await migrate.upgrade(empty_database)).after == REVISIONS[-1]


async def test_up_with_data_down_and_up_again(empty_database: str) -> None:
    assert await migrate.upgrade(empty_database) == Migrated(None, REVISIONS[-1])
    await fill_every_table(empty_database)
    assert await migrate.downgrade(empty_database, "base") == Migrated(REVISIONS[-1], None)
    assert await tables(empty_database) == set()
    assert await migrate.upgrade(empty_database) == Migrated(None, REVISIONS[-1])
    await fill_every_table(empty_database)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_each_migration_has_its_way_back(empty_database: str, revision: str) -> None:
    await migrate.upgrade(empty_database)
    await fill_every_table(empty_database)
    await migrate.downgrade(empty_database, revision)
    before = await columns(empty_database)
    await migrate.downgrade(empty_database, "-1")
    assert await columns(empty_database) < before
    await migrate.upgrade(empty_database, revision)
    assert await columns(empty_database) == before


async def test_the_way_back_brings_nothing_back_that_was_erased(empty_database: str) -> None:
    """A worker of before knows of no erasure: what was still to be removed goes with 0012."""
    await migrate.upgrade(empty_database)
    await fill_every_table(empty_database)
    connection = await asyncpg.connect(empty_database)
    try:
        await connection.execute("UPDATE plugin_events SET dialog_id = (SELECT id FROM dialogs)")
        await connection.execute("UPDATE dialogs SET erased_at = now()")
        await connection.execute("UPDATE users SET telegram_id = NULL")
        await connection.execute("DELETE FROM bot_users")
        await migrate.downgrade(empty_database, "0010")
        for table in ("users", "dialogs", "messages", "message_keys", "plugin_calls",
                      "plugin_events"):  # fmt: skip
            assert not await connection.fetchval(f"SELECT count(*) FROM {table}"), table
    finally:
        await connection.close()


async def test_what_a_manifest_says_of_retries_is_kept(empty_database: str) -> None:
    """0005 reads it of those that are registered; later the registration stores it."""
    await migrate.upgrade(empty_database, "0004")
    connection = await asyncpg.connect(empty_database)
    try:
        for name, capabilities in (
            ("no", '{"supports_retry": false}'), ("yes", '{"supports_retry": true}'),
            ("unsaid", "{}"), ("none", "null"),
        ):  # fmt: skip
            await connection.execute(
                "INSERT INTO plugins (name, version, base_url, manifest, manifest_hash) VALUES"
                " ($1, '1.0.0', 'http://localhost:1', $2, 'abc')",
                name,
                f'{{"capabilities": {capabilities}}}',
            )
        await migrate.upgrade(empty_database)
        kept = await connection.fetch("SELECT name FROM plugins WHERE NOT supports_retry")
    finally:
        await connection.close()
    assert [row["name"] for row in kept] == ["no"]


async def test_nothing_is_left_behind_but_alembics_own_table(empty_database: str) -> None:
    await migrate.upgrade(empty_database)
    await migrate.downgrade(empty_database, "base")
    connection = await asyncpg.connect(empty_database)
    try:
        left = await connection.fetch(
            "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "UNION SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
    finally:
        await connection.close()
    assert {row["name"] for row in left} == {
        "migrations_info",
        "pk_migrations_info",
        "note_applied_at",
    }


async def test_two_migrators_at_once_take_turns(empty_database: str) -> None:
    steps = await asyncio.gather(*(migrate.upgrade(empty_database) for _ in range(2)))
    assert sorted(step.before or "" for step in steps) == ["", REVISIONS[-1]]
    assert {step.after for step in steps} == {REVISIONS[-1]}


async def test_a_failed_migration_leaves_nothing(empty_database: str) -> None:
    await execute(empty_database, "CREATE TABLE streams (mine int)")
    with pytest.raises(MigrationError, match=r"changed nothing: .*already exists"):
        await migrate.upgrade(empty_database)
    assert await tables(empty_database) == {"streams"}
    assert await migrate.current(empty_database) is None


async def test_moving_finds_the_direction(empty_database: str) -> None:
    for target, after in [
        ("0002", "0002"),
        ("0001", "0001"),
        ("0001", "0001"),
        ("head", REVISIONS[-1]),
        ("base", None),
        ("base", None),
    ]:
        assert (await migrate.move(empty_database, target)).after == after


async def test_applied_at_is_of_the_latest_migration(empty_database: str) -> None:
    await migrate.upgrade(empty_database, "0001")
    await execute(empty_database, "ALTER TABLE migrations_info DISABLE TRIGGER ALL")
    await execute(empty_database, "UPDATE migrations_info SET applied_at = 'epoch'")
    await execute(empty_database, "ALTER TABLE migrations_info ENABLE TRIGGER ALL")
    await migrate.upgrade(empty_database)
    connection = await asyncpg.connect(empty_database)
    try:
        age = await connection.fetchval("SELECT now() - applied_at FROM migrations_info")
    finally:
        await connection.close()
    assert 0 <= age.total_seconds() < 60


async def test_a_database_of_a_newer_botcore_is_left_alone(database: str) -> None:
    await execute(database, "UPDATE migrations_info SET version_num = '9999'")
    with pytest.raises(MigrationError, match=r"revision 9999.*a newer one has migrated it"):
        await migrate.upgrade(database)


async def test_an_unknown_target_is_named(database: str) -> None:
    with pytest.raises(MigrationError, match="nonsense"):
        await migrate.move(database, "nonsense")


def test_an_old_server_is_refused() -> None:
    migrate.check_version(16)
    with pytest.raises(MigrationError, match="PostgreSQL 16 or later; this server is 15"):
        migrate.check_version(15)


async def test_works_from_any_directory_and_with_sqlalchemys_url(
    empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = make_url(empty_database).set(drivername="postgresql+asyncpg")
    await migrate.upgrade(url.render_as_string(hide_password=False))
    assert await migrate.current(empty_database) == REVISIONS[-1]
