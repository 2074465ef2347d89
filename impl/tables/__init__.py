"""Every table, as SQLAlchemy Core metadata. `migrations/` builds the database to match it.

Constraint names are an interface: the API turns `ck_<table>_<column>_size` (a jsonb value beyond
64 KiB) into a 422. The checks are the last line behind the contract's own, which may be tighter.

`info["about"]` says what a table is for; docs/CONTRACTS/DATABASE.md is made of all this.

Not here: `migrations_info`, which is Alembic's (`migrations/env.py`), and what metadata cannot
express: the triggers that keep `dialogs.last_message_at` (migration 0002) and `tokens.version`,
the roles' rights and the functions for them (0011).
"""

from impl.tables.base import metadata
from impl.tables.bots import bots
from impl.tables.classifier import classifier_models
from impl.tables.core import core_state
from impl.tables.dialogs import dialogs, message_keys, messages
from impl.tables.events import audit_logs, feed, outbox, streams
from impl.tables.limits import rate_limits
from impl.tables.notifications import (
    notification_cursor,
    notification_deliveries,
    notification_subscriptions,
    plugin_failures,
    trigger_states,
)
from impl.tables.plugins import plugin_calls, plugin_events, plugins
from impl.tables.tokens import tokens
from impl.tables.users import bot_users, erasures, users

__all__ = [
    "audit_logs",
    "bot_users",
    "bots",
    "classifier_models",
    "core_state",
    "dialogs",
    "erasures",
    "feed",
    "message_keys",
    "messages",
    "metadata",
    "notification_cursor",
    "notification_deliveries",
    "notification_subscriptions",
    "outbox",
    "plugin_calls",
    "plugin_events",
    "plugin_failures",
    "plugins",
    "rate_limits",
    "streams",
    "tokens",
    "trigger_states",
    "users",
]
