import asyncpg

from tests.servers import create_database


async def test_a_database_is_a_copy_of_its_template(postgres: str) -> None:
    template = await create_database(postgres, "template_of_test_servers")
    connection = await asyncpg.connect(template)
    await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    await connection.close()
    copy = await asyncpg.connect(
        await create_database(postgres, "copy_of_test_servers", template="template_of_test_servers")
    )
    assert await copy.fetchval("SELECT answer FROM kept") == 42
    await copy.close()
