"""SQL of what is told of models."""

import orjson

from generated.events import LLM_UNAVAILABLE
from impl.db import Executor
from impl.events.log import published
from impl.llm.router import Outage

PUBLISH_OUTAGE = f"""
WITH outage AS (
    SELECT $1::text AS provider, $2::text AS fallback, $3::float8 AS availability,
        $4::float8 AS window_seconds, $5::integer AS calls, $6::jsonb AS error
)
{published(LLM_UNAVAILABLE, "outage", event_id="$7", trace_id="$8")}
SELECT true
"""


async def publish_outage(executor: Executor, outage: Outage, trace_id: str) -> None:
    await executor.execute(
        PUBLISH_OUTAGE,
        outage.provider,
        outage.fallback,
        outage.counted.availability,
        outage.window_seconds,
        outage.counted.calls,
        orjson.dumps(outage.error.model_dump(mode="json")),
        LLM_UNAVAILABLE.new_id(),
        trace_id,
    )
