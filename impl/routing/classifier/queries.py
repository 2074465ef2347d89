"""SQL of the trained models. Who trains is decided by one statement, by the database's clock."""

from dataclasses import dataclass

from impl.db import Executor, Pool, long_transaction

KEPT = 3  # models: for a catalogue that comes back
# A model has megabytes, and nobody waits for it: the pool's own limit is for messages.
MODEL_SECONDS = 60.0

# A failed training is due again after 10 s, twice as long each time, 10 minutes at most.
CLAIM = """
INSERT INTO classifier_models AS known (catalogue_version, claimed_until)
VALUES ($1, clock_timestamp() + make_interval(secs => $2))
ON CONFLICT (catalogue_version) DO UPDATE
SET claimed_until = excluded.claimed_until, attempts = least(known.attempts, 1000) + 1
WHERE known.model IS NULL AND known.claimed_until < clock_timestamp()
RETURNING attempts
"""
GIVE_BACK = """
UPDATE classifier_models SET claimed_until = clock_timestamp() + make_interval(secs => $3)
WHERE catalogue_version = $1 AND attempts = $2 AND model IS NULL
"""
PUBLISH = """
WITH published AS (
    UPDATE classifier_models SET version = $2, model = $3, tags = $4, seconds = $5,
        trained_at = clock_timestamp()
    WHERE catalogue_version = $1 AND model IS NULL
    RETURNING catalogue_version
), newest AS (
    SELECT catalogue_version FROM classifier_models
    WHERE model IS NOT NULL ORDER BY trained_at DESC LIMIT $6 - 1
), removed AS (
    DELETE FROM classifier_models
    WHERE catalogue_version NOT IN (SELECT * FROM published UNION ALL SELECT * FROM newest)
        AND (model IS NOT NULL OR claimed_until < clock_timestamp() - interval '1 hour')
)
SELECT EXISTS (SELECT FROM published)
"""
# The one of this catalogue, else the latest.
BEST = """
SELECT catalogue_version, version FROM classifier_models WHERE model IS NOT NULL
ORDER BY catalogue_version = $1 DESC, trained_at DESC LIMIT 1
"""
READ = "SELECT model FROM classifier_models WHERE catalogue_version = $1 AND version = $2"
IN_HAND = """
SELECT EXISTS (SELECT FROM classifier_models
    WHERE catalogue_version = $1 AND (model IS NOT NULL OR claimed_until > clock_timestamp()))
"""


@dataclass(frozen=True, slots=True)
class Stored:
    catalogue_version: str
    version: str


async def in_hand(executor: Executor, catalogue_version: str) -> bool:
    """Whether there is a model, or somebody trains it."""
    return bool(await executor.fetchval(IN_HAND, catalogue_version))


async def claim(executor: Executor, catalogue_version: str, seconds: float) -> int | None:
    """The number of this attempt; None where a model is there, or another trains it."""
    attempt: int | None = await executor.fetchval(CLAIM, catalogue_version, seconds)
    return attempt


async def give_back(
    executor: Executor, catalogue_version: str, attempt: int, pause_seconds: float
) -> None:
    await executor.execute(GIVE_BACK, catalogue_version, attempt, pause_seconds)


async def publish(
    pool: Pool,
    catalogue_version: str,
    version: str,
    model: bytes,
    *,
    tags: int,
    seconds: float,
) -> bool:
    """Whether it was this one that did; older models than the latest are removed."""
    values = (catalogue_version, version, model, tags, seconds, KEPT)
    async with long_transaction(pool, MODEL_SECONDS) as connection:
        return bool(await connection.fetchval(PUBLISH, *values, timeout=MODEL_SECONDS))


async def best(executor: Executor, catalogue_version: str) -> Stored | None:
    row = await executor.fetchrow(BEST, catalogue_version)
    return None if row is None else Stored(**row)


async def read_model(pool: Pool, stored: Stored) -> bytes | None:
    """None where it was removed meanwhile."""
    values = (stored.catalogue_version, stored.version)
    async with long_transaction(pool, MODEL_SECONDS) as connection:
        content: bytes | None = await connection.fetchval(READ, *values, timeout=MODEL_SECONDS)
    return content
