"""What a refusal costs, whatever its reason: nobody learns from it what there is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from impl.bots.queries import mark_revoked
from impl.tokens import hashing, queries
from impl.tokens.format import mint
from impl.tokens.issue import issue
from impl.tokens.throttle import Throttle
from impl.tokens.verifier import TokenVerifier
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.stack import counted_hashes

HERE, THERE = "198.51.100.7", "203.0.113.9"


class CountingPool:
    """What the verifier asks of the database, in order."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.statements: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def counted(statement: str, *values: Any) -> Any:
            self.statements.append(statement)
            return getattr(self._pool, name)(statement, *values)

        return counted


@pytest.fixture
def counting(pool: asyncpg.Pool) -> CountingPool:
    return CountingPool(pool)


@pytest.fixture
def verifier(counting: CountingPool) -> TokenVerifier:
    return TokenVerifier(counting, ttl_seconds=30)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What argon2 was run against."""
    return counted_hashes(monkeypatch)


async def unknown(pool: asyncpg.Pool) -> str:
    return mint("bot").plaintext


async def wrong_secret(pool: asyncpg.Pool) -> str:
    right = await issue(pool, "bot", subject_id=await make_bot(pool), scopes=[])
    wrong = mint("bot")
    await pool.execute("UPDATE tokens SET id = $1 WHERE id = $2", wrong.id, right.id)
    return wrong.plaintext


async def expired(pool: asyncpg.Pool) -> str:
    bot_id = await make_bot(pool)
    ended = timedelta(seconds=-1)
    return (await issue(pool, "bot", subject_id=bot_id, scopes=[], expires_in=ended)).plaintext


async def revoked(pool: asyncpg.Pool) -> str:
    new = await issue(pool, "bot", subject_id=await make_bot(pool), scopes=[])
    await queries.revoke(pool, new.id)
    return new.plaintext


async def of_a_revoked_bot(pool: asyncpg.Pool) -> str:
    bot_id = await make_bot(pool)
    new = await issue(pool, "bot", subject_id=bot_id, scopes=[])
    await mark_revoked(pool, bot_id)
    return new.plaintext


async def of_a_deleted_plugin(pool: asyncpg.Pool) -> str:
    new = await issue(pool, "plugin", subject_id=await make_plugin(pool), scopes=[])
    await pool.execute("UPDATE plugins SET disabled_at = now(), deleted_at = now()")
    return new.plaintext


WAYS = (unknown, wrong_secret, expired, revoked, of_a_revoked_bot, of_a_deleted_plugin)


@pytest.mark.parametrize("way", WAYS)
async def test_each_costs_the_same_statement_and_one_argon2(
    pool: asyncpg.Pool,
    counting: CountingPool,
    verifier: TokenVerifier,
    hashed: list[str],
    way: Callable[[asyncpg.Pool], Awaitable[str]],
) -> None:
    text = await way(pool)
    kind = "plugin" if way is of_a_deleted_plugin else "bot"
    assert await verifier.verify(text, kind) is None  # type: ignore[arg-type]  # a kind as text
    assert counting.statements == [queries.FIND]
    assert len(hashed) == 1


@pytest.mark.parametrize("end", ["revoked_at = now()", "expires_at = now()"])
async def test_one_that_was_good_costs_no_less(
    pool: asyncpg.Pool,
    counting: CountingPool,
    verifier: TokenVerifier,
    hashed: list[str],
    end: str,
) -> None:
    new = await issue(pool, "bot", subject_id=await make_bot(pool), scopes=[])
    assert await verifier.verify(new.plaintext, "bot")
    await pool.execute(f"UPDATE tokens SET {end}")
    verifier.forget(new.id)
    for _ in range(2):  # known to the cache, and not
        counting.statements.clear()
        hashed.clear()
        assert await verifier.verify(new.plaintext, "bot") is None
        assert counting.statements == [queries.FIND]
        assert len(hashed) == 1


@pytest.mark.parametrize("way", [unknown, wrong_secret])
async def test_who_fails_again_and_again_is_refused_before_anything_is_asked(
    pool: asyncpg.Pool,
    counting: CountingPool,
    hashed: list[str],
    way: Callable[[asyncpg.Pool], Awaitable[str]],
) -> None:
    throttle = Throttle(per_id=3, per_address=100)
    verifier = TokenVerifier(counting, ttl_seconds=30, throttle=throttle)
    text = await way(pool)
    for _ in range(5):
        assert await verifier.verify(text, "bot", lambda: HERE) is None
    assert len(counting.statements) == len(hashed) == 3
    assert await verifier.verify(text, "bot", lambda: THERE) is None
    assert len(counting.statements) == len(hashed) == 4, "another address was not looked at"


async def test_an_attacker_who_knows_the_id_locks_nobody_out(
    pool: asyncpg.Pool, hashed: list[str]
) -> None:
    throttle = Throttle(per_id=3, per_address=100)
    verifier = TokenVerifier(pool, ttl_seconds=30, throttle=throttle)
    new = await issue(pool, "bot", subject_id=await make_bot(pool), scopes=[])
    fresh = TokenVerifier(pool, ttl_seconds=30, throttle=throttle)
    assert await verifier.verify(new.plaintext, "bot", lambda: HERE)
    for _ in range(3):
        throttle.failed(new.id, HERE)
    assert throttle.refuses(new.id, HERE)
    assert await verifier.verify(new.plaintext, "bot", lambda: HERE), "known: at the same address"
    verifier.forget(new.id)
    assert await verifier.verify(new.plaintext, "bot", lambda: HERE), "and read again"
    assert len(hashed) == 1
    assert await fresh.verify(new.plaintext, "bot", lambda: THERE), "not known: at another"
    assert await fresh.verify(mint("bot").plaintext, "bot", lambda: HERE) is None


async def test_who_waits_is_refused_once_the_others_have_failed(
    pool: asyncpg.Pool, hashed: list[str]
) -> None:
    """Many at once cost no more than one after another: a place in the queue is no argon2."""
    throttle = Throttle(per_id=10, per_address=3)
    verifier = TokenVerifier(pool, ttl_seconds=30, throttle=throttle)
    texts = [mint("bot").plaintext for _ in range(30)]
    found = await asyncio.gather(*(verifier.verify(text, "bot", lambda: HERE) for text in texts))
    assert found == [None] * 30
    assert len(hashed) == 3


async def test_what_is_malformed_or_of_another_kind_is_no_failure(verifier: TokenVerifier) -> None:
    """It costs nothing, and so counts for nothing."""
    asked: list[int] = []

    def address() -> str:
        asked.append(1)
        return HERE

    assert await verifier.verify("bc_bot_nonsense", "bot", address) is None
    assert await verifier.verify(mint("bot").plaintext, "admin", address) is None
    assert asked == []


async def test_a_token_that_was_read_as_another_version_is_read_again(
    pool: asyncpg.Pool, counting: CountingPool, verifier: TokenVerifier, hashed: list[str]
) -> None:
    new = await issue(pool, "bot", subject_id=await make_bot(pool), scopes=["users:write"])
    assert await verifier.verify(new.plaintext, "bot")
    counting.statements.clear()
    verifier.outdate({new.id: 1, "another": 7})
    assert await verifier.verify(new.plaintext, "bot")
    assert counting.statements == []
    await pool.execute("UPDATE tokens SET scopes = '{}'")
    verifier.outdate(await queries.changed(pool))
    found = await verifier.verify(new.plaintext, "bot")
    assert found
    assert found.scopes == frozenset()
    assert len(hashed) == 1, "the same text, and the same hash"


async def test_a_change_of_another_token_disturbs_no_check_under_way(
    pool: asyncpg.Pool, verifier: TokenVerifier, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When many register at once, tokens change all the time, and new ones must be cached yet."""
    new = await issue(pool, "bot", subject_id=await make_bot(pool), scopes=[])
    real = hashing.matches

    async def changed_meanwhile(stored: str, plaintext: str) -> bool:
        verifier.outdate({"another": 2})
        return await real(stored, plaintext)

    monkeypatch.setattr(hashing, "matches", changed_meanwhile)
    assert await verifier.verify(new.plaintext, "bot")
    verifier.outdate({"another": 3})
    assert await verifier.verify(new.plaintext, "bot")
    assert len(hashed) == 1


async def test_the_row_counts_its_changes_and_not_its_uses(pool: asyncpg.Pool) -> None:
    new = await issue(pool, "bot", subject_id=await make_bot(pool), scopes=["users:write"])
    await queries.note_use(pool, new.id)
    assert await queries.changed(pool) == {}
    for number, change in enumerate(
        ("scopes = '{}'", "expires_at = now()", "revoked_at = now()", "hash = 'h'"), start=2
    ):
        await pool.execute(f"UPDATE tokens SET {change}")
        assert await queries.changed(pool) == {new.id: number}
    await pool.execute("ALTER TABLE tokens DISABLE TRIGGER tokens_note_change")
    await pool.execute("UPDATE tokens SET changed_at = now() - interval '61 seconds'")
    assert await queries.changed(pool) == {}
