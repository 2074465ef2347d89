"""SQL of the degraded mode. Any number of workers look at the one row of `core_state` at once.

Each locks it, so that of two the second sees what the first has changed: a transition is found by
one of them, and its event joins it. All moments are of the database's clock.
"""

from dataclasses import dataclass
from datetime import datetime

from generated import models
from generated.events import CORE_DEGRADED, CORE_RECOVERED
from impl.db import Executor
from impl.events.log import published
from impl.metrics.queries import LAGS
from impl.settings import Settings

# Without a look for so long nobody looks: what was seen last says nothing of now.
_LONG = "make_interval(secs => 3 * {look} + 1)"
LAG = "coalesce((SELECT max(seconds) FROM lag), 0)"

CREATE = "INSERT INTO core_state DEFAULT VALUES ON CONFLICT (id) DO NOTHING"


def _unbroken(condition: str, column: str) -> str:
    """SQL: since when `condition` holds at every look; a time without looks begins it anew."""
    return (
        f"CASE WHEN {condition} THEN CASE WHEN paused THEN at ELSE coalesce({column}, at) END END"
    )


# $1: whether this worker has just written to Redis. One that reaches it is enough. What lasted but
# one turn is not late: a long transaction, or a flushed Redis that is being filled again.
LOOK = f"""
WITH {LAGS}, known AS (
    SELECT core_state.*, greatest(clock_timestamp(), looked_at) AS at, {LAG} AS lag
    FROM core_state FOR NO KEY UPDATE OF core_state
), seen AS (
    SELECT *, at - looked_at > {_LONG.format(look="$6")} AS paused,
        CASE WHEN $1 THEN at ELSE redis_seen_at END AS redis_at, lag > $3 AS late
    FROM known
), judged AS (
    SELECT *, CASE WHEN paused THEN at ELSE watched_since END AS watched_at,
        redis_at >= at - least({_LONG.format(look="$6")}, make_interval(secs => $2)) AS there,
        {_unbroken("late", "late_since")} AS late_at
    FROM seen
), found AS (
    SELECT *, at - greatest(redis_at, watched_at) > make_interval(secs => $2) AS gone,
        late AND late_at <= at - make_interval(secs => $6) AS behind,
        {_unbroken("there AND NOT late", "well_since")} AS well_at
    FROM judged
), decided AS (
    SELECT *, degraded_since IS NULL AND (gone OR behind) AS enters,
        degraded_since IS NOT NULL AND well_at <= at - make_interval(secs => $4)
            AND there AND NOT late AS leaves,
        CASE WHEN gone OR NOT there THEN 'redis' ELSE 'lag' END AS why
    FROM found
), state AS (
    UPDATE core_state SET looked_at = at, watched_since = watched_at, redis_seen_at = redis_at,
        lag_seconds = lag, late_since = late_at, well_since = well_at,
        degraded_since = CASE WHEN enters THEN at WHEN NOT leaves THEN was_since END,
        degraded_reason = CASE WHEN enters THEN why WHEN NOT leaves THEN was_reason END
    FROM (SELECT *, degraded_since AS was_since, degraded_reason AS was_reason FROM decided) AS new
    WHERE core_state.id = new.id
    RETURNING enters, leaves, core_state.lag_seconds, core_state.degraded_since,
        CASE WHEN enters THEN why ELSE was_reason END AS reason,
        CASE WHEN NOT enters THEN was_since
            WHEN why = 'redis' THEN greatest(redis_at, watched_at)
            ELSE at - make_interval(secs => lag) END AS since, at
), told AS (
    SELECT *, greatest(extract(epoch FROM at - since), 0)::float8 AS seconds FROM state
), entered AS (SELECT * FROM told WHERE enters), ended AS (SELECT * FROM told WHERE leaves)
{published(CORE_DEGRADED, "entered", event_id="$7", trace_id="$5", named="begin_event")}
{published(CORE_RECOVERED, "ended", event_id="$8", trace_id="$5", named="end_event")}
SELECT degraded_since IS NOT NULL AS degraded, enters, leaves, reason, since, seconds, lag_seconds
FROM told
"""  # noqa: S608  # constants of our own

# The lag is looked for only where no worker does, and then nothing else can be told.
READ = f"""
WITH {LAGS}, known AS (
    SELECT *, looked_at >= clock_timestamp() - {_LONG.format(look="$1")} AS watched
    FROM core_state
)
SELECT watched, watched AND degraded_since IS NOT NULL AS degraded,
    CASE WHEN watched THEN lag_seconds ELSE {LAG} END AS lag_seconds
FROM known
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Rules:
    """In seconds: what is degraded, how long it must be well again, and how often workers look."""

    redis: float
    lag: float
    recovery: float
    look: float

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        return cls(
            settings.degraded_redis_seconds,
            settings.degraded_lag_seconds,
            settings.degraded_recovery_seconds,
            settings.degraded_look_seconds,
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found, and whether it was the one that changed the mode."""

    degraded: bool
    enters: bool
    leaves: bool
    reason: models.DegradedReason | None
    since: datetime | None
    seconds: float | None
    lag_seconds: float

    def told(self) -> dict[str, object]:
        """What the log has of a transition."""
        since = None if self.since is None else self.since.isoformat()
        return {"reason": self.reason, "since": since, "seconds": self.seconds,
                "lag_seconds": self.lag_seconds}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """`watched`: whether a worker looks. Else the lag is of now, and the mode unknown."""

    watched: bool
    degraded: bool
    lag_seconds: float


async def look(executor: Executor, rules: Rules, *, redis: bool, trace_id: str) -> Found:
    """`redis`: whether the caller has just written to it."""
    ids = CORE_DEGRADED.new_id(), CORE_RECOVERED.new_id()
    values = (redis, rules.redis, rules.lag, rules.recovery, trace_id, rules.look, *ids)
    row = await executor.fetchrow(LOOK, *values)
    if row is None:  # it was deleted
        await executor.execute(CREATE)
        row = await executor.fetchrow(LOOK, *values)
    return Found(**row)


async def read(executor: Executor, rules: Rules) -> Known:
    row = await executor.fetchrow(READ, rules.look)
    return Known(watched=False, degraded=False, lag_seconds=0) if row is None else Known(**row)
