import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import create_async_engine

from impl.tables import metadata
from tests.integration.tables.rows import fill

# Everything that a table is, as PostgreSQL itself puts it.
CATALOGUE = """
    SELECT conname AS name, conrelid::regclass::text AS of, pg_get_constraintdef(oid) AS what
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL
    SELECT indexrelid::regclass::text, indrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT column_name, table_name, concat_ws(' ', data_type, udt_name, is_nullable,
        column_default, identity_generation)
    FROM information_schema.columns WHERE table_schema = 'public'
"""


def sqlalchemy_url(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+asyncpg://", 1)


def differences(connection: Connection) -> list[object]:
    options = {"version_table": "migrations_info", "compare_server_default": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def catalogue(dsn: str) -> set[tuple[str, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(CATALOGUE)
    finally:
        await connection.close()
    return {tuple(row) for row in rows if row["of"] != "migrations_info"}


async def test_alembic_finds_no_difference(database: str) -> None:
    engine = create_async_engine(sqlalchemy_url(database))
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await engine.dispose()


async def test_migrations_build_exactly_the_metadata(database: str, empty_database: str) -> None:
    """Alembic does not compare checks, partial indexes and identities; PostgreSQL's words do."""
    engine = create_async_engine(sqlalchemy_url(empty_database))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
    finally:
        await engine.dispose()
    assert await catalogue(database) == await catalogue(empty_database)


JSONB_COLUMNS = [
    (table.name, column.name)
    for table in metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, JSONB)
]


@pytest.mark.parametrize(("table", "column"), JSONB_COLUMNS)
async def test_jsonb_is_at_most_64_kib_as_text(
    connection: asyncpg.Connection, table: str, column: str
) -> None:
    await fill(connection)
    update = f"UPDATE {table} SET {column} = $1"
    await connection.execute(update, ["x" * (65_536 - 4)])
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await connection.execute(update, ["x" * (65_536 - 3)])
    assert refusal.value.constraint_name == f"ck_{table}_{column}_size"


@pytest.mark.parametrize(
    ("table", "column", "bad"),
    [
        ("users", "role", "root"),
        ("dialogs", "status", "gone"),
        ("dialogs", "reset_version", -1),
        ("messages", "sender_type", "bot"),
        ("plugins", "status", "broken"),
        ("plugins", "heartbeat_interval_sec", 0),
        ("plugin_calls", "status", "done"),
        ("plugin_calls", "latency_ms", -1),
        ("plugin_events", "source", "nobody"),
        ("plugin_events", "severity", "fatal"),
        ("plugin_events", "event_type", "custom"),
        ("plugin_events", "event_type", "dialog_reset"),
        ("audit_logs", "source", "nobody"),
        ("audit_logs", "severity", "fatal"),
        ("tokens", "kind", "user"),
        ("streams", "last_position", -1),
        ("rate_limits", "partition", "dialog"),
    ],
)
async def test_a_value_outside_its_set_is_refused(
    connection: asyncpg.Connection, table: str, column: str, bad: object
) -> None:
    await fill(connection)
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await connection.execute(f"UPDATE {table} SET {column} = $1", bad)
    # A token's kind is checked twice: against the set, and against whose token it is.
    assert refusal.value.constraint_name in {f"ck_{table}_{column}_value", "ck_tokens_subject"}


@pytest.mark.parametrize(
    ("table", "column", "most"),
    [
        ("bots", "name", 64),
        ("users", "locale", 35),
        ("bot_users", "display_name", 256),
        ("messages", "message_id", 128),
        ("message_keys", "message_id", 128),
        ("plugins", "base_url", 2048),
        ("audit_logs", "action", 128),
        ("outbox", "stream", 255),
        ("tokens", "name", 64),
    ],
)
async def test_text_has_a_length(
    connection: asyncpg.Connection, table: str, column: str, most: int
) -> None:
    await fill(connection)
    update = f"UPDATE {table} SET {column} = $1"
    await connection.execute(update, "я" * most)
    for wrong in ("", "я" * (most + 1)):
        with pytest.raises(asyncpg.CheckViolationError) as refusal:
            await connection.execute(update, wrong)
        assert refusal.value.constraint_name == f"ck_{table}_{column}_length"


@pytest.mark.parametrize(
    ("quota", "window", "constraint"),
    [
        (0, 1, "quota_value"),
        (1_000_001, 1, "quota_value"),
        (1, 0, "window_seconds_value"),
        (1, 86_401, "window_seconds_value"),
        (1, None, "both"),
        (None, 1, "both"),
    ],
)
async def test_a_limit_is_whole_and_bounded(
    connection: asyncpg.Connection, quota: int | None, window: int | None, constraint: str
) -> None:
    await fill(connection)
    update = "UPDATE rate_limits SET quota = $1, window_seconds = $2"
    await connection.execute(update, 1_000_000, 86_400)
    with pytest.raises(asyncpg.CheckViolationError) as refusal:
        await connection.execute(update, quota, window)
    assert refusal.value.constraint_name == f"ck_rate_limits_{constraint}"


async def test_a_deleted_plugin_is_a_disabled_one(connection: asyncpg.Connection) -> None:
    await fill(connection)
    await connection.execute("UPDATE plugins SET deleted_at = now(), disabled_at = now()")
    with pytest.raises(asyncpg.CheckViolationError, match="ck_plugins_deleted_at_value"):
        await connection.execute("UPDATE plugins SET disabled_at = NULL")


async def test_a_plugins_own_event_type_is_accepted(connection: asyncpg.Connection) -> None:
    await fill(connection)
    await connection.execute("UPDATE plugin_events SET event_type = 'plugin_custom_order_paid'")


@pytest.mark.parametrize(
    ("kind", "bot", "plugin", "allowed"),
    [
        ("bot", True, False, True),
        ("plugin", False, True, True),
        ("admin", False, False, True),
        ("registry", False, False, True),
        ("bot", False, False, False),
        ("bot", False, True, False),
        ("bot", True, True, False),
        ("plugin", False, False, False),
        ("plugin", True, True, False),
        ("admin", True, False, False),
        ("registry", False, True, False),
    ],
)
async def test_a_token_belongs_to_what_its_kind_says(
    connection: asyncpg.Connection, kind: str, bot: bool, plugin: bool, allowed: bool
) -> None:
    await fill(connection)
    owners = [
        await connection.fetchval("SELECT id FROM bots") if bot else None,
        await connection.fetchval("SELECT id FROM plugins") if plugin else None,
    ]
    insert = "INSERT INTO tokens (id, kind, bot_id, plugin_id, hash) VALUES ($1, $2, $3, $4, 'h')"
    if allowed:
        await connection.execute(insert, "x" * 16, kind, *owners)
        return
    with pytest.raises(asyncpg.CheckViolationError, match="ck_tokens_subject"):
        await connection.execute(insert, "x" * 16, kind, *owners)


async def test_a_message_id_is_unique_in_its_dialog_where_given(
    connection: asyncpg.Connection,
) -> None:
    await fill(connection)
    copy = """INSERT INTO messages (dialog_id, sender_type, payload, trace_id, message_id)
              SELECT dialog_id, sender_type, payload, trace_id, $1 FROM messages LIMIT 1"""
    await connection.execute(copy, None)
    await connection.execute(copy, "m1")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(copy, "m1")


async def test_deleting_a_dialog_takes_its_messages_and_keys(
    connection: asyncpg.Connection,
) -> None:
    await fill(connection)
    await connection.execute("DELETE FROM plugin_calls")
    await connection.execute("DELETE FROM dialogs")
    assert await connection.fetchval("SELECT count(*) FROM messages") == 0
    assert await connection.fetchval("SELECT count(*) FROM message_keys") == 0
