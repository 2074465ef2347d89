"""`botcore doctor` and `botcore verify-streams`: for people, and for cron by their exit codes."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from impl.events.comparison.report import Report

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def doctor(as_json: AsJson = False) -> None:
    """Look at everything and say what to do: 0 all good, 1 not, 2 it could not look."""
    from impl.cli.environment import database_url, redis_url, told_settings
    from impl.cli.printing import json_text
    from impl.doctor.examination import Patient, examine
    from impl.doctor.finding import all_good

    settings, complaints = told_settings()
    patient = Patient(database_url(), redis_url(), settings, complaints)
    found = asyncio.run(examine(patient))
    well = all_good(found)
    if as_json:
        checks = [
            {"check": each.check, "status": each.status, "found": each.found, "advice": each.advice}
            for each in found
        ]
        typer.echo(json_text({"good": well, "checks": checks}))
    else:
        typer.echo("\n".join(line for each in found for line in each.lines()))
    raise typer.Exit(0 if well else 1)


def verify_streams(as_json: AsJson = False) -> None:
    """Compare the streams with the tables: 0 they agree, 1 they differ, 2 it could not be told."""
    from impl.cli.environment import database_url, redis_url, refuse
    from impl.cli.printing import json_text

    url = redis_url()
    if url is None:
        refuse("BOTCORE_REDIS_URL is not set: set it to redis://host:port/0")
    reports = asyncio.run(_compared(database_url(), url))
    differ = any(report.differs for report in reports)
    if as_json:
        streams = [report.as_json() for report in reports]
        typer.echo(json_text({"agree": not differ, "streams": streams}))
    else:
        typer.echo("\n".join(line for report in reports for line in report.lines()))
    raise typer.Exit(1 if differ else 0)


async def _compared(database_url: str, redis_url: str) -> "list[Report]":
    import asyncpg

    from impl.cli.environment import refuse
    from impl.db import prepare_connection
    from impl.events.comparison.stream import compare
    from impl.redis import UNREACHABLE, patient_client
    from impl.secrecy.text import scrubbed_text

    client = patient_client(redis_url, 10)
    try:
        connection = await asyncpg.connect(
            database_url, timeout=10, command_timeout=60, statement_cache_size=0
        )
        try:
            await prepare_connection(connection)
            return [report async for report in compare(connection, client)]
        finally:
            await connection.close(timeout=10)
    except UNREACHABLE as error:
        reason = scrubbed_text(str(error).splitlines()[0])[:200]
        refuse(f"cannot compare: {type(error).__name__}: {reason}")
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        refuse(f"cannot compare, the database: {type(error).__name__}")
    finally:
        await client.aclose()
