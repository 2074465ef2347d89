"""A plugin's life as the core sees it, and the queue of calls."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

EVENT_TYPES = """'plugin_registered', 'plugin_heartbeat', 'plugin_heartbeat_missed',
    {queued}'plugin_invocation_started', 'plugin_invocation_completed', 'plugin_failed',
    'plugin_timeout', 'plugin_recovered', 'plugin_disabled', 'llm_unavailable'"""
TYPE_CHECK = """ALTER TABLE plugin_events DROP CONSTRAINT ck_plugin_events_event_type_value;
ALTER TABLE plugin_events ADD CONSTRAINT ck_plugin_events_event_type_value CHECK
    (event_type IN ({types}) OR starts_with(event_type, 'plugin_custom_'))"""

# `seq` writes plugin_calls anew: calls wait meanwhile. Those that are there are numbered as they
# came. A queue fills in a moment: its statistics must not wait for a tenth of all calls.
STATEMENTS = f"""
ALTER TABLE plugins ADD COLUMN schema_version TEXT DEFAULT 'v1alpha' NOT NULL,
    ADD COLUMN is_fallback BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN supports_retry BOOLEAN DEFAULT true NOT NULL,
    ADD COLUMN reported_status TEXT,
    ADD COLUMN output_schema JSONB,
    ADD COLUMN output_schema_digest TEXT,
    ADD COLUMN registered_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    ADD COLUMN outage_since TIMESTAMPTZ,
    ADD COLUMN outage_reason TEXT,
    ADD COLUMN probe_failures INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN next_probe_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    ADD COLUMN probe_claim UUID,
    ADD COLUMN manifest_read_at TIMESTAMPTZ,
    ADD COLUMN served_manifest_hash TEXT,
    ADD CONSTRAINT ck_plugins_schema_version_length
        CHECK (char_length(schema_version) BETWEEN 1 AND 32),
    ADD CONSTRAINT ck_plugins_outage_reason_length
        CHECK (char_length(outage_reason) BETWEEN 1 AND 128),
    ADD CONSTRAINT ck_plugins_output_schema_digest_length
        CHECK (char_length(output_schema_digest) BETWEEN 1 AND 128),
    ADD CONSTRAINT ck_plugins_served_manifest_hash_length
        CHECK (char_length(served_manifest_hash) BETWEEN 1 AND 128),
    ADD CONSTRAINT ck_plugins_reported_status_value
        CHECK (reported_status IN ('active', 'degraded', 'disabled')),
    ADD CONSTRAINT ck_plugins_probe_failures_value CHECK (probe_failures >= 0),
    ADD CONSTRAINT ck_plugins_output_schema_size
        CHECK (octet_length(output_schema::text) <= 65536);
UPDATE plugins SET supports_retry = false
    WHERE manifest #> '{{capabilities,supports_retry}}' = 'false'::jsonb;
CREATE INDEX ix_plugins_next_probe_at ON plugins (next_probe_at) WHERE disabled_at IS NULL;
ALTER TABLE plugin_calls ADD COLUMN seq BIGINT,
    ADD COLUMN excused INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN replaces UUID,
    ADD COLUMN queued_at TIMESTAMPTZ,
    ADD COLUMN available_at TIMESTAMPTZ DEFAULT now() NOT NULL,
    ADD CONSTRAINT ck_plugin_calls_excused_value CHECK (excused BETWEEN 0 AND attempt);
UPDATE plugin_calls SET seq = numbered.place,
    queued_at = CASE WHEN status = 'queued' THEN created_at END
FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS place FROM plugin_calls)
    AS numbered
WHERE numbered.id = plugin_calls.id;
ALTER TABLE plugin_calls ALTER COLUMN seq SET NOT NULL,
    ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY;
SELECT setval(pg_get_serial_sequence('plugin_calls', 'seq'),
    (SELECT coalesce(max(seq), 0) + 1 FROM plugin_calls), false);
ALTER TABLE plugin_calls SET (autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 1000);
CREATE INDEX ix_plugin_calls_queued ON plugin_calls (plugin_id, available_at)
    WHERE status = 'queued';
CREATE INDEX ix_plugin_calls_deadline_at ON plugin_calls (deadline_at)
    WHERE status IN ('queued', 'in_progress');
CREATE INDEX ix_plugin_calls_open ON plugin_calls (dialog_id, seq)
    WHERE status IN ('queued', 'in_progress');
{TYPE_CHECK.format(types=EVENT_TYPES.format(queued="'plugin_invocation_queued', "))}
"""  # noqa: S608  # constants of our own

WAY_BACK = f"""
DELETE FROM plugin_events WHERE event_type = 'plugin_invocation_queued';
{TYPE_CHECK.format(types=EVENT_TYPES.format(queued=""))};
DROP INDEX ix_plugin_calls_open;
DROP INDEX ix_plugin_calls_deadline_at;
DROP INDEX ix_plugin_calls_queued;
ALTER TABLE plugin_calls RESET (autovacuum_analyze_scale_factor, autovacuum_analyze_threshold);
ALTER TABLE plugin_calls DROP COLUMN available_at, DROP COLUMN queued_at,
    DROP COLUMN replaces, DROP COLUMN excused, DROP COLUMN seq;
DROP INDEX ix_plugins_next_probe_at;
ALTER TABLE plugins DROP COLUMN served_manifest_hash, DROP COLUMN manifest_read_at,
    DROP COLUMN probe_claim, DROP COLUMN next_probe_at,
    DROP COLUMN probe_failures, DROP COLUMN outage_reason, DROP COLUMN outage_since,
    DROP COLUMN registered_at, DROP COLUMN output_schema_digest, DROP COLUMN output_schema,
    DROP COLUMN reported_status, DROP COLUMN supports_retry, DROP COLUMN is_fallback,
    DROP COLUMN schema_version
"""  # noqa: S608  # constants of our own


def upgrade() -> None:
    _execute(STATEMENTS)


def downgrade() -> None:
    _execute(WAY_BACK)


def _execute(statements: str) -> None:
    # One at a time: a prepared statement holds one, and asyncpg prepares them all.
    for statement in statements.strip().split(";\n"):
        op.execute(statement)
