"""From the contract's events to SQL, and to a stream's entry and back."""

from contextvars import copy_context
from uuid import uuid4

import pytest

from generated import events, models
from generated.runtime import emits
from generated.runtime.events import (
    BODY,
    ENVELOPE,
    Event,
    Stream,
    entry_body,
    entry_fields,
    longest,
)

PLUGINS = Stream("plugin:{plugin_id}:things", 1000)


def test_a_key_is_an_expression_over_the_facts() -> None:
    assert PLUGINS.sql == "'plugin:' || plugin_id || ':things'"
    assert Stream("plugin:events", 1000).sql == "'plugin:events'"


def test_a_stream_holds_its_keys_and_no_other() -> None:
    assert PLUGINS.holds(f"plugin:{uuid4()}:things")
    assert not PLUGINS.holds("plugin:a:b:things")
    assert not PLUGINS.holds("plugin::things")
    assert not Stream("plugin.events", 1000).holds("plugin:events")


def test_each_stream_has_its_own_length_and_one_that_is_gone_the_largest() -> None:
    streams = (Stream("plugin:events", 2000), PLUGINS)
    assert longest(streams, "plugin:7:things") == 1000
    assert longest(streams, "plugin:events") == 2000
    assert longest(streams, "plugin:yesterdays") == 2000


def test_what_the_contract_fixes_is_written_and_the_rest_are_columns() -> None:
    event = Event(
        "thing_done",
        PLUGINS,
        models.PluginHeartbeatV1,
        fixed={"event_type": "thing_done", "source": "core"},
        empty=frozenset({"queue_depth"}),
    )
    assert event.rows("fact", event_id="$1", trace_id="$2") == (
        "SELECT $1::uuid AS event_id, 'thing_done' AS event_type, 'core' AS source,"
        " severity AS severity, plugin_id AS plugin_id, NULL::uuid AS dialog_id,"
        " $2::uuid AS trace_id, now() AS occurred_at,"
        " 'plugin:' || plugin_id || ':things' AS stream,"
        " jsonb_build_object('plugin_id', plugin_id, 'reported', reported, 'status', status,"
        " 'latency_ms', latency_ms, 'queue_depth', NULL) AS payload FROM fact"
    )


def test_the_body_is_the_envelope_and_the_payload() -> None:
    assert BODY.startswith("jsonb_build_object('event_id', event_id, ")
    assert BODY.endswith(", 'payload', payload)")
    assert BODY.count("'") == 2 * (len(ENVELOPE) + 1)


def test_an_entry_tells_what_the_event_was() -> None:
    body = {
        "event_id": str(uuid4()),
        "event_type": "user_created",
        "plugin_id": None,
        "payload": {"user_id": str(uuid4()), "nothing": None, "text": "naïve"},
    }
    fields = entry_fields(body)
    assert all(isinstance(value, str) for value in fields.values())
    assert "plugin_id" not in fields
    assert entry_body(fields) | {"plugin_id": None} == body


def test_an_event_is_told_by_what_is_fixed() -> None:
    entry = {"event_type": "plugin_failed", "source": "core", "severity": "critical"}
    assert [name for name, event in events.EVENTS.items() if event.is_kind_of(entry)] == [
        "plugin_failed"
    ]
    assert not events.PLUGIN_FAILED.is_kind_of(entry | {"source": "plugin"})


def test_an_operation_gets_an_id_for_what_it_declares_only() -> None:
    operation = copy_context()
    operation.run(emits.enter, frozenset({"user_created"}))
    assert operation.run(events.USER_CREATED.new_id) != operation.run(events.USER_CREATED.new_id)
    with pytest.raises(emits.UndeclaredEventError):
        operation.run(events.PLUGIN_FAILED.new_id)
