"""Each change of a plugin's status stands in the audit trail, by the statement that makes it."""

CHANGED = "plugin_status_changed"

# SQL: of a plugin that is in no outage, or no longer watched. What its probe finds is of yesterday.
WELL = "outage_since = NULL, outage_reason = NULL, probe_failures = 0, probe_claim = NULL"


def status_changed(
    facts: str, *, reason: str, trace_id: str, source: str = "core", detail: str = "NULL"
) -> str:
    """SQL: the CTE, after the one named `facts`, that records those of its rows that changed.

    `facts` has `plugin_id`, `was` and `status`. The other arguments but `source` are expressions;
    `detail` is for people: what the plugin did.
    """
    return f"""
, status_row AS (
    INSERT INTO audit_logs (source, action, details, trace_id, severity)
    SELECT '{source}', '{CHANGED}', jsonb_strip_nulls(jsonb_build_object(
            'plugin_id', plugin_id, 'from', was, 'to', status, 'reason', {reason}::text,
            'detail', {detail}::text)),
        {trace_id}::uuid, CASE status WHEN 'degraded' THEN 'warning' ELSE 'info' END
    FROM {facts} WHERE was <> status
)
"""  # noqa: S608  # constants of our own
