"""Whose row it is stands in the WHERE of every statement that a bot or a plugin can reach.

A new statement that touches what is somebody's either names the owner, or stands below with the
reason why it need not.
"""

import pytest

from tests.unit.ownership.sql import constants, made_in_functions, unguarded

# Whole modules, for who runs them sees everything: no bot and no plugin gets there.
OPERATORS_AND_WORKERS = {
    "impl.bots.queries": "operators manage bots",
    "impl.cli.": "whoever is on the machine",
    "impl.doctor.queries": "counts, for operators",
    "impl.erasure.queries": "the worker removes what was erased, whosever it was",
    "impl.events.": "the relay and its comparison: every event, to streams that only we read",
    "impl.metrics.queries": "counts",
    "impl.notifications.": "operators manage webhooks, the worker sends; a bot has no operation",
    "impl.plugins.administration.queries": "operators manage plugins",
    "impl.plugins.watcher.queries": "the worker watches all plugins",
    "impl.ratelimit.queries": "operators set limits",
    "impl.retention.queries": "the worker removes what is old, whosever it is",
    "impl.routing.queries": "operators ask where a message would go",
    "impl.dialogs.queries.claim": "the worker makes whatever call is due",
    "impl.tokens.development": "a developer's own machine",
    "impl.triggers.": "the worker counts what plugins did",
}
# What each touches of others, and why it may.
ONE_BY_ONE = {
    "impl.dialogs.queries.intake.INTAKE_FOR_LATER": ("plugin_calls", "how many wait, of all"),
    "impl.dialogs.queries.intake.ROOM": ("plugin_calls", "the same"),
    "impl.erasure.erasing.FORGET_NAMES": ("bot_users", "a bot's, where a bot asks; else all bots'"),
    "impl.erasure.erasing.MARK": ("dialogs bot_users", "the same; and whether any bot is left"),
    "impl.feed.queries.READ": (
        "plugin_events",
        "one reader for all who follow; each is told others' events without their payload",
    ),
    "impl.feed.queries.VALID_TOKENS": ("tokens plugins", "which tokens are still good"),
    "impl.plugins.catalogue.READ_CALLABLE": ("plugins", "the router knows all plugins"),
    "impl.plugins.queries.LIST_CALLABLE": ("plugins", "a plugin may list them: plugins:read"),
    "impl.plugins.queries.LOCK_VERSION": (
        "plugins",
        "a registry key speaks for any plugin, but only its own token changes its manifest",
    ),
    "impl.plugins.queries.INSERT": ("plugins", "the same: a new one"),
    "impl.plugins.queries.FIND": ("plugins", "by command"),
    "impl.telemetry.queries.reporting.REPORT": (
        "dialogs",
        "whether it is erased: a plugin reports of others' dialogs, and learns nothing of them",
    ),
    "impl.tokens.queries.FIND": ("tokens plugins", "proves whose it is"),
    "impl.tokens.queries.CHANGED": ("tokens", "for the caches"),
    "impl.tokens.queries.NOTE_USE": ("tokens", "the one that was just proved"),
    "impl.tokens.queries.REVOKE": ("tokens", "a developer's own keys"),
    "impl.tokens.administration.queries.LIST[keys]": ("tokens", "keys are nobody's"),
    "impl.tokens.administration.queries.FIND_KEY": ("tokens", "keys are nobody's"),
}
# They stand in other statements, where they are looked at.
FRAGMENTS = {
    "impl.dialogs.queries.intake.LAST_PLUGIN",
    "impl.dialogs.queries.intake.QUEUED_TRACE",
    "impl.dialogs.queries.parts.LAST_PLUGIN",
    "impl.dialogs.queries.parts.QUEUED_TRACE",
}
FUNCTIONS = {
    "impl.dialogs.queries.intake._intake": "makes constants",
    "impl.dialogs.queries.outcome._outcome": "makes constants",
    "impl.dialogs.queries.waiting._replacement": "makes constants",
    "impl.events.log._kept": "a part of constants",
    "impl.plugins.watcher.queries._outage": "makes constants",
    "impl.telemetry.queries.listing.statement": "all may list them, without the payload of others: "
    "that stands in its SELECT",
}

STATEMENTS = constants()


def exempt(name: str) -> bool:
    return (
        name in ONE_BY_ONE
        or name in FRAGMENTS
        or any(name.startswith(module) for module in OPERATORS_AND_WORKERS)
    )


@pytest.mark.parametrize("name", sorted(name for name in STATEMENTS if not exempt(name)))
def test_it_names_the_owner(name: str) -> None:
    assert unguarded(STATEMENTS[name]) == []


def test_no_function_makes_sql_that_nobody_looked_at() -> None:
    assert made_in_functions() == set(FUNCTIONS)


def test_every_exemption_is_one() -> None:
    for name, (tables, _) in ONE_BY_ONE.items():
        assert set(unguarded(STATEMENTS[name])) == set(tables.split()), name
    for module in OPERATORS_AND_WORKERS:
        assert [name for name in STATEMENTS if name.startswith(module)], module
    assert set(STATEMENTS) >= FRAGMENTS


@pytest.mark.parametrize(
    ("name", "part", "table"),
    [
        ("dialogs.queries.reading.READ_DIALOG", " AND bot_id = $2", "dialogs"),
        ("dialogs.queries.reading.READ_MESSAGE", " AND bot_id = $2", "message_keys"),
        ("dialogs.queries.intake.READ_FOR_MESSAGE", " AND dialog.bot_id = $2", "dialogs"),
        ("dialogs.queries.intake.READ_FOR_MESSAGE", "member.bot_id = $2 AND ", "bot_users"),
        ("dialogs.queries.intake.INTAKE", "dialogs.bot_id = excluded.bot_id AND ", "dialogs"),
        ("dialogs.queries.intake.INTAKE", "bot_id = $3 AND ", "bot_users"),
        ("dialogs.queries.reset.FORGET", " AND bot_id = $2", "messages"),
        ("dialogs.queries.reset.LOCK_QUEUED", " AND bot_id = $2", "plugin_calls"),
        ("tokens.queries.REVOKE_PLUGIN_TOKENS", "plugin_id = $1 AND ", "tokens"),
        ("telemetry.queries.reporting.READ_FINGERPRINT", " AND plugin_id = $2", "plugin_events"),
    ],
)
def test_without_the_owner_it_is_found(name: str, part: str, table: str) -> None:
    whole = STATEMENTS[f"impl.{name}"]
    assert part in whole
    assert table in unguarded(whole.replace(part, ""))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT payload FROM messages WHERE dialog_id = $1",
        "SELECT payload, bot_id = $2 AS own FROM dialogs JOIN messages ON dialog_id = dialogs.id",
        "SELECT payload FROM messages WHERE EXISTS (SELECT FROM dialogs WHERE bot_id = $1)",
        "UPDATE plugin_calls SET plugin_id = $1 WHERE invocation_id = $2",
        "DELETE FROM messages WHERE dialog_id IN (SELECT id FROM dialogs WHERE user_id = $1)",
        "SELECT payload FROM messages WHERE dialog_id = $1 -- AND bot_id = $2",
        "SELECT payload FROM messages WHERE dialog_id = $1 AND payload <> ' AND bot_id = $2'",
        "WITH mine AS (SELECT id FROM dialogs WHERE bot_id = $1) SELECT payload FROM messages",
    ],
)
def test_what_only_looks_like_an_owner_is_found(statement: str) -> None:
    assert unguarded(statement)
