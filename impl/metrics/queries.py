"""What waits in the database, by one statement on indexes that hold little but what waits."""

from dataclasses import dataclass, field

from impl.db import Executor
from impl.events.queries import WAITING_STREAMS

# A queue that is longer is counted no further: a scrape must not cost more when things go badly.
MOST = 10_000

# By stream the age of what waits longest, in seconds.
LAGS = f"""
waiting AS ({WAITING_STREAMS}), lag AS (
    SELECT stream, greatest(extract(epoch FROM clock_timestamp() - least(
        (SELECT created_at FROM outbox
            WHERE outbox.stream = waiting.stream AND position IS NULL ORDER BY id LIMIT 1),
        (SELECT created_at FROM outbox
            WHERE outbox.stream = waiting.stream AND position IS NOT NULL AND published_at IS NULL
            ORDER BY position LIMIT 1)
    )), 0)::float8 AS seconds
    FROM waiting
)
"""  # noqa: S608  # constants of our own

SAMPLE = f"""
WITH {LAGS}
SELECT
    (SELECT count(*) FROM (
        SELECT FROM plugin_calls WHERE status = 'queued' LIMIT $1) AS rows) AS calls,
    (SELECT count(*) FROM (
        SELECT FROM plugin_calls WHERE status = 'in_progress' AND lease_until < now() LIMIT $1
    ) AS rows) AS lost_calls,
    (SELECT count(*) FROM (
        SELECT FROM outbox WHERE position IS NULL LIMIT $1) AS rows) AS fresh,
    (SELECT count(*) FROM (
        SELECT FROM outbox WHERE position IS NOT NULL AND published_at IS NULL LIMIT $1
    ) AS rows) AS unsent,
    (SELECT count(*) FROM (
        SELECT FROM notification_deliveries WHERE status = 'pending' LIMIT $1) AS rows
    ) AS notifications,
    EXISTS (SELECT FROM trigger_states WHERE trigger_id = 'TR-010') AS scaling_alert,
    (SELECT jsonb_object_agg(status, count) FROM (
        SELECT status, count(*) FROM plugins WHERE deleted_at IS NULL GROUP BY status) AS counted
    ) AS plugins,
    (SELECT count(*) FROM plugins
        WHERE deleted_at IS NULL AND served_manifest_hash <> manifest_hash) AS differing,
    (SELECT jsonb_object_agg(stream, seconds) FROM lag WHERE seconds IS NOT NULL) AS lags
"""  # noqa: S608  # constants of our own


@dataclass(frozen=True, slots=True)
class Sample:
    """Each queue's length, up to MOST; by stream the age in seconds of what waits longest; by
    status the plugins, and how many serve another manifest than they registered."""

    calls: int
    lost_calls: int
    outbox: int
    lags: dict[str, float]
    plugins: dict[str, int] = field(default_factory=dict)
    differing: int = 0
    notifications: int = 0
    scaling_alert: bool = False


async def read_sample(executor: Executor, timeout_seconds: float) -> Sample:
    row = await executor.fetchrow(SAMPLE, MOST, timeout=timeout_seconds)
    outbox = min(row["fresh"] + row["unsent"], MOST)
    return Sample(
        row["calls"],
        row["lost_calls"],
        outbox,
        row["lags"] or {},
        row["plugins"] or {},
        row["differing"],
        row["notifications"],
        row["scaling_alert"],
    )
