"""The one pool of PostgreSQL connections, and how values cross it.

asyncpg runs the SQL of each `queries.py` as prepared statements; SQLAlchemy owns the tables
(`impl/tables/`) and Alembic the migrations. Why: docs/decisions/0001-sql.md.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import asyncpg
import orjson

from impl.settings import Settings

# What a query runs on: the pool (one statement, one commit) or the caller's transaction.
Executor: TypeAlias = Any

T = TypeVar("T")

# The connection is gone and the commit's fate unknown, or the statement was rolled back for others.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # Between the server's last word on a connection and its end; no host of several is the primary.
    asyncpg.InternalClientError,
    asyncpg.TransactionRollbackError,
    ConnectionError,
    OSError,
)
# The database is away, starting, stopping, full, busy or refuses us: nothing that a caller did.
UNAVAILABLE = (
    *LOST,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncio.TimeoutError,
)

JSONB_VERSION = b"\x01"
# What takes longer is given up: the caller gets a 503, never a hanging request. Waiting for a
# connection has a limit of its own, or else the wait would grow with the queue.
COMMAND_TIMEOUT_SECONDS = 3.0
ACQUIRE_TIMEOUT_SECONDS = 2.0
# A process that is stopped may have a transaction open, if only by a statement that it prepares,
# which locks its tables; streams and webhooks wait for that one. The server's limit on idle
# transactions does not see it, and its limit on all of them, which came with PostgreSQL 17, does
# not see one whose answer is not read.
TRANSACTION_SECONDS = 10.0
_HAS_LIMIT = "current_setting('transaction_timeout', true) IS NOT NULL"
LIMIT_TRANSACTIONS = f"""
SELECT set_config('tcp_user_timeout', '{{limit}}', false),
    CASE WHEN {_HAS_LIMIT} THEN set_config('transaction_timeout', '{{limit}}', false) END
"""
# A limit that counts already is only changed by ending it first.
LIMIT_TRANSACTION = f"""
SELECT set_config('transaction_timeout', '0', true),
    set_config('transaction_timeout', '{{limit}}', true) WHERE {_HAS_LIMIT}
"""


@lru_cache(maxsize=1024)
def _publishes(statement: str) -> bool:
    """Whether it puts events into the outbox."""
    return "INTO outbox" in statement


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    """Notes whether it published events since it was last released."""

    published = False

    async def reset(self, **_options: Any) -> None:
        """On release: ends a transaction that was left open, whose BEGIN was cancelled or late.

        Else it spares the round trip that resets a session: ours are never changed.
        """
        if self._top_xact is not None or self._protocol.is_in_transaction():
            await self._reset()

    def execute(self, query: str, *args: Any, **options: Any) -> Any:
        self.published = self.published or _publishes(query)
        return super().execute(query, *args, **options)

    def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        self.published = self.published or _publishes(query)
        return super().fetch(query, *args, **options)

    def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        self.published = self.published or _publishes(query)
        return super().fetchval(query, *args, **options)

    def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        self.published = self.published or _publishes(query)
        return super().fetchrow(query, *args, **options)


class Pool(asyncpg.Pool):  # type: ignore[misc]  # asyncpg ships no types
    """A pool that nobody waits for longer than ACQUIRE_TIMEOUT_SECONDS.

    `when_published` is called after the commit of what published events. It is told here, and not
    by those who publish, so that none can forget it.
    """

    when_published: Callable[[], None] | None = None

    def __init__(self, *places: Any, **options: Any) -> None:
        super().__init__(*places, **options)
        self._waiting: dict[object, float] = {}  # since when, the oldest first

    @property
    def longest_wait(self) -> float:
        """How long who waits longest for a connection has waited, in seconds."""
        since = next(iter(self._waiting.values()), None)
        return 0.0 if since is None else time.monotonic() - since

    async def _acquire(self, timeout: float | None) -> Any:  # noqa: ASYNC109  # asyncpg's
        free = self._queue._queue  # noqa: SLF001  # the last one is the last that was given back
        if free and free[-1].is_connected():  # no wait, and no timer for it
            return await super()._acquire(None)
        waiter = object()
        self._waiting[waiter] = time.monotonic()
        try:
            return await super()._acquire(timeout)
        finally:
            del self._waiting[waiter]

    def acquire(self, *, timeout: float | None = None) -> Any:
        return super().acquire(timeout=ACQUIRE_TIMEOUT_SECONDS if timeout is None else timeout)

    async def release(self, connection: Any, **_options: Any) -> None:
        """Without the task that asyncpg shields from a cancellation, one for each statement.

        It only waits where a statement was cancelled; a second cancellation ends the connection.
        """
        held = connection._con  # noqa: SLF001  # behind the pool's proxy
        if held is None:  # released already
            return
        published, held.published = held.published, False
        held._on_release()  # noqa: SLF001  # as asyncpg's own release
        holder = connection._holder  # noqa: SLF001  # the same
        await holder.release(ACQUIRE_TIMEOUT_SECONDS)
        if published and self.when_published is not None:
            self.when_published()


def encode_jsonb(value: object) -> bytes:
    """`value` as jsonb; bytes are JSON already and pass unchanged."""
    return JSONB_VERSION + (value if isinstance(value, bytes) else orjson.dumps(value))


def decode_jsonb(stored: bytes) -> object:
    return orjson.loads(stored[1:])


async def prepare_connection(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=encode_jsonb, decoder=decode_jsonb
    )


async def _prepare_limited(connection: asyncpg.Connection) -> None:
    await prepare_connection(connection)
    await connection.execute(LIMIT_TRANSACTIONS.format(limit=round(TRANSACTION_SECONDS * 1000)))


@asynccontextmanager
async def long_transaction(pool: Pool, seconds: float) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that may last for `seconds`, instead of TRANSACTION_SECONDS."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(LIMIT_TRANSACTION.format(limit=round(seconds * 1000)))
        yield connection


async def open_pool(settings: Settings) -> Pool:
    """Connects on first use, so that a process starts, and says it is not ready, without one."""
    # Without cached statements a pooler is between, which gives a session to others as it is left.
    own_sessions = settings.database_statement_cache
    pool = Pool(
        settings.database_url.get_secret_value(),
        connection_class=Connection,
        record_class=asyncpg.Record,
        loop=None,
        min_size=0,
        max_queries=50_000,
        max_size=settings.database_pool_size,
        max_inactive_connection_lifetime=300,
        statement_cache_size=1024 if own_sessions else 0,
        command_timeout=COMMAND_TIMEOUT_SECONDS,
        timeout=COMMAND_TIMEOUT_SECONDS,
        init=_prepare_limited if own_sessions else prepare_connection,
        server_settings={"application_name": "botcore", "timezone": "UTC"},
    )
    await pool
    return pool


async def repeated_if_lost(statement: Callable[[], Awaitable[T]]) -> T:
    """Runs `statement`, which must be idempotent, once more where its connection was lost.

    Never after a timeout, which is an OSError: who waited once has no time to wait again.
    """
    try:
        return await statement()
    except TimeoutError:
        raise
    except LOST:
        return await statement()
