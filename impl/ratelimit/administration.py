"""Setting limits and taking them back, over the API and by command alike."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from generated.errors import SubjectNotFound
from generated.limits import DEFAULTS
from impl.audit.log import Actor, record
from impl.db import Executor
from impl.ratelimit import queries
from impl.ratelimit.queries import OwnLimit, Subject


@dataclass(frozen=True, slots=True)
class Effective:
    """The limit that holds for one bot, user or plugin."""

    subject: Subject
    quota: int
    window_seconds: int
    is_default: bool
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Changed:
    """What holds now, and what is to be announced once it is committed: None for nothing new."""

    effective: Effective
    own: OwnLimit | None


async def show(executor: Executor, subject: Subject) -> Effective:
    """Raises SubjectNotFound."""
    found = await queries.read(executor, subject)
    if found is None:
        raise SubjectNotFound
    if found.quota is None or found.window_seconds is None:
        limit = DEFAULTS[subject.partition]
        return Effective(subject, limit.quota, limit.window, True, found.updated_at)
    return Effective(subject, found.quota, found.window_seconds, False, found.updated_at)


async def change(
    connection: asyncpg.Connection, actor: Actor, subject: Subject, quota: int, window_seconds: int
) -> Changed:
    """In the caller's transaction. Raises SubjectNotFound."""
    await queries.lock_versions(connection)
    await show(connection, subject)
    own = await queries.store(connection, subject, quota, window_seconds)
    if own is not None:
        details = {**subject.described(), "quota": quota, "window_seconds": window_seconds}
        await record(connection, actor, "limit_set", details)
    return Changed(await show(connection, subject), own)


async def reset(connection: asyncpg.Connection, actor: Actor, subject: Subject) -> Changed:
    """The contract's limit holds again; else as `change`."""
    await queries.lock_versions(connection)
    before = await show(connection, subject)
    if before.is_default:
        return Changed(before, None)
    own = await queries.store(connection, subject, None, None)
    await record(connection, actor, "limit_reset", subject.described())
    return Changed(await show(connection, subject), own)
