"""The trigger that keeps `dialogs.last_message_at`."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from tests.integration.tables.rows import fill


async def make_dialog(connection: asyncpg.Connection) -> UUID:
    made: UUID = await connection.fetchval(
        "INSERT INTO dialogs (bot_id, user_id) SELECT bots.id, users.id FROM bots, users "
        "RETURNING id"
    )
    return made


async def add_messages(connection: asyncpg.Connection, rows: list[tuple[UUID, datetime]]) -> None:
    await connection.execute(
        "INSERT INTO messages (dialog_id, sender_type, payload, trace_id, created_at) "
        "SELECT dialog_id, 'user', '{}', gen_random_uuid(), at "
        "FROM unnest($1::uuid[], $2::timestamptz[]) AS given (dialog_id, at)",
        [dialog for dialog, _ in rows],
        [at for _, at in rows],
    )


async def last_message_at(connection: asyncpg.Connection, dialog: UUID) -> datetime | None:
    at: datetime | None = await connection.fetchval(
        "SELECT last_message_at FROM dialogs WHERE id = $1", dialog
    )
    return at


async def test_last_message_at_is_of_the_newest_message(connection: asyncpg.Connection) -> None:
    await fill(connection)
    one, other, untouched = [await make_dialog(connection) for _ in range(3)]
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    await add_messages(connection, [(one, noon), (other, noon + 5 * hour), (one, noon + hour)])
    assert await last_message_at(connection, one) == noon + hour
    assert await last_message_at(connection, other) == noon + 5 * hour
    assert await last_message_at(connection, untouched) is None
    await add_messages(connection, [(one, noon)])
    assert await last_message_at(connection, one) == noon + hour, "an older one changed it"


async def test_many_rows_of_one_statement_cost_one_update(connection: asyncpg.Connection) -> None:
    await fill(connection)
    dialog = await make_dialog(connection)
    await connection.execute(
        "CREATE TABLE updates (n int); "
        "CREATE FUNCTION count_update() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN INSERT INTO updates VALUES (1); RETURN NEW; END$$; "
        "CREATE TRIGGER counted AFTER UPDATE ON dialogs "
        "FOR EACH ROW EXECUTE FUNCTION count_update()"
    )
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    await add_messages(connection, [(dialog, noon + timedelta(hours=n)) for n in range(5)])
    assert await connection.fetchval("SELECT count(*) FROM updates") == 1


async def test_a_dialog_made_by_the_same_statement_is_touched_too(
    connection: asyncpg.Connection,
) -> None:
    await fill(connection)
    dialog = uuid4()
    await connection.execute(
        "WITH made AS ("
        " INSERT INTO dialogs (id, bot_id, user_id) SELECT $1, bots.id, users.id FROM bots, users"
        ") INSERT INTO messages (dialog_id, sender_type, payload, trace_id)"
        " VALUES ($1, 'user', '{}', gen_random_uuid())",
        dialog,
    )
    assert await last_message_at(connection, dialog) is not None
