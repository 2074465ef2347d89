"""`botcore serve --workers 2`: one instance, whichever of its processes answers."""

import asyncio
import os
from pathlib import Path
from signal import SIGKILL

import aiohttp
import asyncpg

from impl.tokens.issue import issue
from tests.integration.cli.commands import end, running, start
from tests.integration.serving.instance import Instance, Log, command, gone, processes_of
from tests.patience import PATIENT_SECONDS
from tests.smoke import smoke
from tests.stack import BOT_SCOPES, Api, scripted_plugin

REQUESTS = "botcore_requests_total"
HEALTH = {"operation": "getHealth", "status": "200"}
MANY = 40  # the kernel gives each process some: all to one is a chance of 2 to the power of -39
FEW = 4


async def test_one_that_dies_is_started_again_and_its_counts_stay(
    environment: dict[str, str], tmp_path: Path
) -> None:
    instance = Instance(environment)
    async with running("serve", env=environment, directory=tmp_path) as supervisor:
        assert supervisor.stdout is not None
        log = Log(supervisor.stdout)
        serving = await log.until("serving", 3)  # the instance, and each of its processes
        assert {line.get("process") for line in serving} == {None, 0, 1}
        before = processes_of(supervisor.pid)
        assert len(before) == 2
        assert set(await instance.get("/healthz", MANY)) == {200}
        answered = await log.until("answered", MANY, operation="getHealth")
        assert {line.get("process") for line in answered} <= {0, 1}
        for _ in range(8):  # whoever is asked
            assert (await instance.scrape()).value(REQUESTS, **HEALTH) == MANY
        found = await instance.scrape()
        assert found.value("botcore_database_connections_limit") == 20
        cpu = found.value("process_cpu_seconds_total") or 0

        os.kill(before[0], SIGKILL)
        (died,) = await log.until("process_died")
        assert (died["pid"], died["exit_code"]) == (before[0], -SIGKILL)
        assert set(await instance.get("/healthz", FEW)) == {200}  # by the other one
        found = await instance.scrape()
        assert found.value(REQUESTS, **HEALTH) == MANY + FEW
        assert found.value("botcore_database_connections_limit") == 10
        assert (found.value("process_cpu_seconds_total") or 0) >= cpu

        await log.until("serving")
        after = processes_of(supervisor.pid)
        assert len(after) == 2
        assert before[1] in after
        assert set(await instance.get("/healthz", MANY)) == {200}
        for _ in range(8):
            found = await instance.scrape()
            assert found.value(REQUESTS, **HEALTH) == MANY + FEW + MANY
            assert found.value("botcore_database_connections_limit") == 20

        supervisor.terminate()
        assert (await end(supervisor)).code == 0
        assert not any(command(pid) for pid in after)


async def test_none_outlives_a_supervisor_that_is_killed(
    environment: dict[str, str], tmp_path: Path
) -> None:
    env = environment | {"BOTCORE_SERVE_WORKERS": "1"}  # the option counts
    async with running("serve", "--workers", "2", env=env, directory=tmp_path) as process:
        pids = processes_of(process.pid)
        assert len(pids) == 2
        process.kill()
        await gone(pids)
        await process.wait()


async def test_messages_are_answered_by_this_instance_alone(
    environment: dict[str, str], pool: asyncpg.Pool, tmp_path: Path
) -> None:
    """The kernel would deal out connections to another one on its port, too."""
    bot_id = await pool.fetchval("INSERT INTO bots (name) VALUES ('tests') RETURNING id")
    bot = await issue(pool, "bot", subject_id=bot_id, scopes=BOT_SCOPES, expires_in=None)
    key = await issue(pool, "registry", scopes=["plugins:register"], expires_in=None)
    instance = Instance(environment)
    async with (
        running("serve", env=environment, directory=tmp_path) as supervisor,
        scripted_plugin() as plugin,
        aiohttp.ClientSession() as session,
    ):
        api = Api(instance.url, session, bot_id, bot.plaintext, key.plaintext)
        await api.add_plugin(plugin.url)
        assert supervisor.stdout is not None
        await Log(supervisor.stdout).until("catalogue_compiled", 2, plugins=1)  # in each process
        metrics_url = f"http://127.0.0.1:{environment['BOTCORE_METRICS_PORT']}/metrics"
        smoked = await smoke(api.url, BOT_TOKEN=api.bot_token, METRICS_URL=metrics_url)
        assert smoked.code == 0, smoked.told

        other = await start("serve", env=environment, directory=tmp_path)
        out, _ = await asyncio.wait_for(other.communicate(), PATIENT_SECONDS)
        assert other.returncode == 1
        assert b"not_served" in out
