import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from impl.bots.queries import mark_revoked
from impl.tokens import hashing, queries
from impl.tokens.administration.queries import Holder, narrow_token
from impl.tokens.format import Kind, mint
from impl.tokens.issue import issue
from impl.tokens.verifier import TokenVerifier, VerifiedToken, VerifierOverloaded
from tests.integration.tokens.rows import make_bot, make_plugin
from tests.stack import counted_hashes


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(pool: asyncpg.Pool, clock: Clock) -> TokenVerifier:
    return TokenVerifier(pool, ttl_seconds=30, clock=clock)


@pytest.fixture
def argon2_runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What argon2 was run against, in order."""
    return counted_hashes(monkeypatch)


async def bot_token(
    pool: asyncpg.Pool, scopes: Iterable[str] = (), expires_in: timedelta | None = None
) -> tuple[str, UUID]:
    bot_id = await make_bot(pool)
    new = await issue(pool, "bot", subject_id=bot_id, scopes=scopes, expires_in=expires_in)
    return new.plaintext, bot_id


async def test_a_good_token_says_whose_it_is(pool: asyncpg.Pool, verifier: TokenVerifier) -> None:
    bot_id, plugin_id = await make_bot(pool), await make_plugin(pool)
    cases: list[tuple[Kind, UUID | None]] = [
        ("bot", bot_id),
        ("plugin", plugin_id),
        ("admin", None),
        ("registry", None),
    ]
    for kind, subject_id in cases:
        new = await issue(pool, kind, subject_id=subject_id, scopes=["b", "a"])
        assert await verifier.verify(new.plaintext, kind) == VerifiedToken(
            new.id, kind, subject_id, frozenset({"a", "b"})
        )


async def test_fifty_at_once_cost_one_argon2_and_one_read_a_ttl(
    pool: asyncpg.Pool,
    verifier: TokenVerifier,
    clock: Clock,
    argon2_runs: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text, bot_id = await bot_token(pool)
    reads: list[str] = []
    real = queries.find

    async def counted(executor: Any, token_id: str, kind: Kind) -> queries.StoredToken | None:
        reads.append(token_id)
        return await real(executor, token_id, kind)

    monkeypatch.setattr(queries, "find", counted)
    for expected in (1, 1, 2):
        found = await asyncio.gather(*(verifier.verify(text, "bot") for _ in range(50)))
        assert {token.subject_id for token in found if token} == {bot_id}
        assert len([token for token in found if token]) == 50
        assert len(reads) == expected
        assert len(argon2_runs) == 1
        clock.now += 29.9 if clock.now == 0 else 0.1


async def test_a_row_with_another_hash_is_hashed_again(
    pool: asyncpg.Pool, verifier: TokenVerifier, clock: Clock, argon2_runs: list[str]
) -> None:
    text, _ = await bot_token(pool)
    assert await verifier.verify(text, "bot")
    await pool.execute("UPDATE tokens SET hash = $1", hashing.DUMMY_HASH)
    clock.now = 30.0
    assert await verifier.verify(text, "bot") is None
    assert len(argon2_runs) == 2


async def test_a_flood_of_unknown_tokens_holds_up_no_good_one(
    pool: asyncpg.Pool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = TokenVerifier(pool, ttl_seconds=30, clock=clock, max_waiting=8)
    seen, fresh = [(await issue(pool, "admin", scopes=[])).plaintext for _ in range(2)]
    assert await verifier.verify(seen, "admin")
    real, go = hashing.matches, asyncio.Event()

    async def slow(stored: str, plaintext: str) -> bool:
        if stored == hashing.DUMMY_HASH:
            await go.wait()
        return await real(stored, plaintext)

    monkeypatch.setattr(hashing, "matches", slow)
    flood = [asyncio.create_task(verifier.verify(mint("bot").plaintext, "bot")) for _ in range(8)]
    while len(verifier._flights) < 8 or verifier._finding._places < 8:  # noqa: ASYNC110  # no event tells of it
        await asyncio.sleep(0.01)
    with pytest.raises(VerifierOverloaded):
        await verifier.verify(mint("bot").plaintext, "bot")
    clock.now = 30.0
    assert await verifier.verify(seen, "admin")
    assert await verifier.verify(fresh, "admin")
    go.set()
    assert await asyncio.gather(*flood) == [None] * 8


async def test_a_revoked_token_is_refused_when_the_cache_expires(
    pool: asyncpg.Pool, verifier: TokenVerifier, clock: Clock
) -> None:
    text, _ = await bot_token(pool)
    verified = await verifier.verify(text, "bot")
    assert verified
    await queries.revoke(pool, verified.token_id)
    clock.now = 29.9
    assert await verifier.verify(text, "bot")
    clock.now = 30.0
    assert await verifier.verify(text, "bot") is None


async def test_the_ttl_is_never_above_thirty_seconds(pool: asyncpg.Pool, clock: Clock) -> None:
    verifier = TokenVerifier(pool, ttl_seconds=3600, clock=clock)
    text, bot_id = await bot_token(pool)
    assert await verifier.verify(text, "bot")
    await mark_revoked(pool, bot_id)
    clock.now = 30.0
    assert await verifier.verify(text, "bot") is None


async def test_a_revoked_bots_token_is_refused(pool: asyncpg.Pool, verifier: TokenVerifier) -> None:
    text, bot_id = await bot_token(pool)
    await pool.execute("UPDATE bots SET revoked_at = now() WHERE id = $1", bot_id)
    assert await verifier.verify(text, "bot") is None


async def test_a_disabled_plugins_token_is_good_and_a_revoked_one_is_not(
    pool: asyncpg.Pool, verifier: TokenVerifier
) -> None:
    plugin_id = await make_plugin(pool)
    new = await issue(pool, "plugin", subject_id=plugin_id, scopes=[])
    await pool.execute("UPDATE plugins SET status = 'disabled'")
    assert await verifier.verify(new.plaintext, "plugin")
    for token_id in await queries.revoke_plugin_tokens(pool, plugin_id):
        verifier.forget(token_id)
    assert await verifier.verify(new.plaintext, "plugin") is None


async def test_a_narrowed_token_permits_less_when_the_ttl_is_over_or_it_is_forgotten(
    pool: asyncpg.Pool, verifier: TokenVerifier, clock: Clock, argon2_runs: list[str]
) -> None:
    """Scopes come with the row, which is read again; the text needs no second hash."""
    plugin_id = await make_plugin(pool)
    scopes = ["plugins:read", "telemetry:read", "telemetry:write"]
    new = await issue(pool, "plugin", subject_id=plugin_id, scopes=scopes)
    holder = Holder("plugin", plugin_id)

    async def permitted() -> frozenset[str]:
        found = await verifier.verify(new.plaintext, "plugin")
        assert found
        return found.scopes

    assert await permitted() == set(scopes)
    await narrow_token(pool, new.id, holder, scopes[:2], None)
    clock.now = 29.9
    assert await permitted() == set(scopes)
    clock.now = 30.0
    assert await permitted() == set(scopes[:2])
    assert len(argon2_runs) == 1
    await narrow_token(pool, new.id, holder, scopes[:1], None)
    verifier.forget(new.id)
    assert await permitted() == set(scopes[:1])


async def test_forgetting_does_not_wait_for_the_ttl(
    pool: asyncpg.Pool, verifier: TokenVerifier
) -> None:
    text, _ = await bot_token(pool)
    verified = await verifier.verify(text, "bot")
    assert verified
    await queries.revoke(pool, verified.token_id)
    assert await verifier.verify(text, "bot")
    verifier.forget(verified.token_id)
    assert await verifier.verify(text, "bot") is None


async def test_a_check_that_began_before_it_was_forgotten_is_not_cached(
    pool: asyncpg.Pool, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, bot_id = await bot_token(pool)
    real = hashing.matches

    async def revoked_meanwhile(stored: str, plaintext: str) -> bool:
        await mark_revoked(pool, bot_id)
        verifier.forget(text.split("_")[2])
        return await real(stored, plaintext)

    monkeypatch.setattr(hashing, "matches", revoked_meanwhile)
    assert await verifier.verify(text, "bot"), "it was good when it was asked for"
    monkeypatch.setattr(hashing, "matches", real)
    assert await verifier.verify(text, "bot") is None


async def test_nobody_joins_a_check_that_began_before_it_was_forgotten(
    pool: asyncpg.Pool, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, bot_id = await bot_token(pool)
    real, read, go = hashing.matches, asyncio.Event(), asyncio.Event()

    async def slow(stored: str, plaintext: str) -> bool:
        read.set()
        await go.wait()
        return await real(stored, plaintext)

    monkeypatch.setattr(hashing, "matches", slow)
    early = asyncio.create_task(verifier.verify(text, "bot"))
    await read.wait()
    await mark_revoked(pool, bot_id)
    verifier.forget(text.split("_")[2])
    late = asyncio.create_task(verifier.verify(text, "bot"))
    go.set()
    assert await early
    assert await late is None
    assert verifier._flights == {}


async def test_an_expired_token_is_refused(pool: asyncpg.Pool, verifier: TokenVerifier) -> None:
    text, _ = await bot_token(pool, expires_in=timedelta(seconds=-1))
    assert await verifier.verify(text, "bot") is None


async def test_the_cache_keeps_no_token_beyond_its_expiry(
    pool: asyncpg.Pool, verifier: TokenVerifier, clock: Clock
) -> None:
    text, _ = await bot_token(pool, expires_in=timedelta(seconds=10))
    assert await verifier.verify(text, "bot")
    await pool.execute("UPDATE tokens SET expires_at = now()")
    clock.now = 9.0
    assert await verifier.verify(text, "bot")
    clock.now = 10.0
    assert await verifier.verify(text, "bot") is None


async def test_a_token_of_another_kind_is_refused(
    pool: asyncpg.Pool, verifier: TokenVerifier
) -> None:
    text, _ = await bot_token(pool)
    assert await verifier.verify(text, "bot")
    assert await verifier.verify(text, "admin") is None
    assert await queries.find(pool, text.split("_")[2], "bot")
    assert await queries.find(pool, text.split("_")[2], "admin") is None


async def test_an_unknown_id_costs_the_same_and_is_not_cached(
    verifier: TokenVerifier, argon2_runs: list[str]
) -> None:
    text = mint("bot").plaintext
    assert await verifier.verify(text, "bot") is None
    assert await verifier.verify(text, "bot") is None
    assert argon2_runs == [hashing.DUMMY_HASH] * 2


async def test_a_known_id_with_another_secret_is_refused(
    pool: asyncpg.Pool, verifier: TokenVerifier, argon2_runs: list[str]
) -> None:
    await bot_token(pool)
    stranger = mint("bot")
    await pool.execute("UPDATE tokens SET id = $1", stranger.id)
    assert await verifier.verify(stranger.plaintext, "bot") is None
    assert len(argon2_runs) == 1
    assert hashing.DUMMY_HASH not in argon2_runs


async def test_one_that_gives_up_does_not_fail_the_others(
    pool: asyncpg.Pool, verifier: TokenVerifier, argon2_runs: list[str]
) -> None:
    text, _ = await bot_token(pool)
    first = asyncio.create_task(verifier.verify(text, "bot"))
    second = asyncio.create_task(verifier.verify(text, "bot"))
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    assert len(argon2_runs) == 1


async def test_the_cache_is_bounded_and_drops_what_was_used_longest_ago(
    pool: asyncpg.Pool, clock: Clock, argon2_runs: list[str]
) -> None:
    verifier = TokenVerifier(pool, ttl_seconds=30, max_cached=2, clock=clock)
    one, two, three = [(await issue(pool, "admin", scopes=[])).plaintext for _ in range(3)]
    for text in (one, two, one, three):
        assert await verifier.verify(text, "admin")
    assert len(argon2_runs) == 3
    await verifier.verify(one, "admin")
    assert len(argon2_runs) == 3
    await verifier.verify(two, "admin")
    assert len(argon2_runs) == 4


async def test_use_is_noted_to_the_minute(
    pool: asyncpg.Pool, verifier: TokenVerifier, clock: Clock
) -> None:
    text, _ = await bot_token(pool)

    async def used_after_a_check() -> Any:
        clock.now += 30
        assert await verifier.verify(text, "bot")
        return await pool.fetchval("SELECT last_used_at FROM tokens")

    first = await used_after_a_check()
    assert first
    assert await used_after_a_check() == first
    await pool.execute("UPDATE tokens SET last_used_at = now() - interval '2 minutes'")
    assert await used_after_a_check() > first


async def test_neither_cache_nor_flights_hold_the_text(
    pool: asyncpg.Pool, verifier: TokenVerifier
) -> None:
    text, _ = await bot_token(pool)
    await verifier.verify(text, "bot")
    held = repr(verifier._cache)
    assert text.split("_")[3] not in held
    assert verifier._flights == {}
