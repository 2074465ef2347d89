"""The roles of a deployment's database: what each may do is granted by the migrations.

They are groups without a login. Whoever deploys gives each process a login of its own that is a
member of one of them, so no password passes through here.
"""

from dataclasses import dataclass

import asyncpg

READ_ONLY, WRITER, MIGRATION = "app_readonly", "app_writer", "migration"
ROLES = (READ_ONLY, WRITER, MIGRATION)
LOCK = 0x626F74726F6C  # "botrol"

TOO_MIGHTY = """
    SELECT rolname FROM pg_roles
    WHERE rolname = ANY ($1) AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls)
"""
EXISTING = "SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)"

# Ours are all tables and functions of the schema but those of extensions.
_OWN_TABLES = """
    SELECT pg_class.oid, relowner AS owner FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""
_OWN_FUNCTIONS = """
    SELECT pg_proc.oid, proowner AS owner FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""
FORMER_OWNERS = f"""
    SELECT DISTINCT rolname FROM ({_OWN_TABLES} UNION {_OWN_FUNCTIONS}) AS own
    JOIN pg_roles ON pg_roles.oid = own.owner
    WHERE NOT rolsuper AND rolname <> 'migration'
"""  # noqa: S608  # constants of our own
TABLES = f"SELECT oid::regclass::text FROM ({_OWN_TABLES}) AS own"  # noqa: S608  # constants of our own
FUNCTIONS = f"SELECT oid::regprocedure::text FROM ({_OWN_FUNCTIONS}) AS own"  # noqa: S608  # the same

# Whose tables they are, or, of an empty database, who was allowed to make them.
TAKES_MIGRATION = """
    SELECT coalesce(pg_has_role(role.oid, 'SET') AND coalesce(
        (SELECT relowner = role.oid FROM pg_class WHERE oid = to_regclass('migrations_info')),
        has_schema_privilege(role.oid, current_schema(), 'CREATE')
    ), false)
    FROM (SELECT to_regrole('migration')::oid AS oid) AS role
"""


class RolesError(Exception):
    """They cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Made:
    """`created`: the others were there. `kept`: former owners, now members of `migration`."""

    created: list[str]
    kept: list[str]


async def make(connection: asyncpg.Connection) -> Made:
    """Make the roles that are not there, and give them what is theirs of this database.

    In the caller's transaction; to do it again changes nothing. Raises RolesError, and what
    PostgreSQL raises where the caller's login may not.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    mighty = [row["rolname"] for row in await connection.fetch(TOO_MIGHTY, ROLES)]
    if mighty:
        raise RolesError(f"{', '.join(mighty)} exist and may do anything: rename or demote them")
    there = {row["rolname"] for row in await connection.fetch(EXISTING, ROLES)}
    created = [role for role in ROLES if role not in there]
    for role in created:
        await connection.execute(f"CREATE ROLE {role} NOLOGIN")
    if not await connection.fetchval("SELECT pg_has_role('migration', 'SET')"):
        await connection.execute("GRANT migration TO CURRENT_USER")
    kept = await _hand_over(connection)
    await _grant(connection)
    return Made(created, kept)


async def _hand_over(connection: asyncpg.Connection) -> list[str]:
    """The tables become `migration`'s; who owned them before may what it could, as a member."""
    database, schema = await connection.fetchrow(
        "SELECT quote_ident(current_database()), quote_ident(current_schema())"
    )
    for role in ROLES:
        await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {role}")
    await connection.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    await connection.execute(f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {MIGRATION}")
    kept = [row["rolname"] for row in await connection.fetch(FORMER_OWNERS)]
    for owner in kept:
        quoted = await connection.fetchval("SELECT quote_ident($1)", owner)
        await connection.execute(f"GRANT {MIGRATION} TO {quoted}")
    for row in await connection.fetch(TABLES):
        await connection.execute(f"ALTER TABLE {row[0]} OWNER TO {MIGRATION}")
    for row in await connection.fetch(FUNCTIONS):
        await connection.execute(f"ALTER FUNCTION {row[0]} OWNER TO {MIGRATION}")
    return kept


async def _grant(connection: asyncpg.Connection) -> None:
    """What the migrations say; where there are none yet, they say it themselves."""
    if await connection.fetchval("SELECT to_regproc('grant_to_roles') IS NULL"):
        return
    # Default privileges are of what this role makes, and the migrations run as this role.
    await connection.execute(f"SET LOCAL ROLE {MIGRATION}")
    await connection.execute("SELECT grant_to_roles()")
    await connection.execute("RESET ROLE")
