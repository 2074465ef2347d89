"""PostgreSQL itself: its version, its migrations, its connections."""

from collections.abc import Sequence

from impl.db import Executor
from impl.doctor import queries
from impl.doctor.finding import Finding, failed, good, warning

OLDEST = 16
FULL = 0.8  # of the connections


async def check(executor: Executor, revisions: Sequence[str]) -> list[Finding]:
    """`revisions` are those that this botcore knows, the oldest first."""
    server = await queries.server(executor)
    return [
        _version(server),
        _migrations(await queries.revision(executor), revisions),
        _connections(server),
    ]


def _version(server: queries.Server) -> Finding:
    if server.major < OLDEST:
        advice = f"move it to PostgreSQL {OLDEST} or later"
        return failed("database", f"PostgreSQL {server.version}", advice)
    return good("database", f"PostgreSQL {server.version}")


def _migrations(now: str | None, known: Sequence[str]) -> Finding:
    if now is None:
        return failed("migrations", "there are no tables yet", "run `botcore migrate`")
    if now not in known:
        found = f"at {now}, and this botcore knows {known[-1]}: a newer one has migrated it"
        return failed("migrations", found, "use that one here too")
    if now != known[-1]:
        return failed("migrations", f"at {now} of {known[-1]}", "run `botcore migrate`")
    return good("migrations", f"at {now}, the latest")


def _connections(server: queries.Server) -> Finding:
    found = f"{server.used} of {server.most} connections are used"
    if server.used > FULL * server.most:
        advice = "raise max_connections, or lower BOTCORE_DATABASE_POOL_SIZE of each process"
        return warning("connections", found, advice)
    return good("connections", found)
