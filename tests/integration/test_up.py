"""`botcore up` as a newcomer meets it: start, paste the printed command, read, stop."""

import asyncio
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.patience import PATIENT_SECONDS
from tests.ports import spare_port
from tests.smoke import smoke


@dataclass
class Running:
    process: asyncio.subprocess.Process
    folder: Path
    printed: str

    @property
    def first_message(self) -> str:
        (command,) = re.findall(r"^\s*(\. .*curl .*)$", self.printed, re.MULTILINE)
        return str(command)


@asynccontextmanager
async def up(folder: Path) -> AsyncIterator[Running]:
    command = [sys.executable, "-m", "impl.cli", "up", "--port", str(spare_port())]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    printed = b""
    try:
        async with asyncio.timeout(2 * PATIENT_SECONDS):
            while b"Ctrl-C" not in printed:
                line = await process.stdout.readline()
                assert line, printed.decode()
                printed += line
        yield Running(process, folder, printed.decode())
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENT_SECONDS):
                await process.communicate()


async def shell(command: str, folder: Path) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", command, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    return output


def environment_of(pid: int) -> dict[str, str]:
    raw = Path(f"/proc/{pid}/environ").read_text()
    return dict(item.split("=", 1) for item in raw.split("\0") if "=" in item)


def children(folder: Path) -> dict[str, int]:
    """Our processes that work in `folder`, by what they are."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_text().split("\0")
            inside = (entry / "cwd").readlink().is_relative_to(folder)
        except OSError:
            continue
        if inside:
            found[" ".join(words[1:4])] = int(entry.name)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path


async def test_the_printed_command_answers_and_every_step_is_proved(folder: Path) -> None:
    async with up(folder) as running:
        answer = json.loads(await shell(running.first_message, folder))
        assert answer["status"] == "accepted"
        assert "BOTCORE_LLM_BASE_URL" in answer["plugin_responses"][0]["content"]
        secrets = folder / ".botcore" / "dev.env"
        assert secrets.stat().st_mode & 0o777 == 0o600
        names = [line.split("=", 1)[0] for line in secrets.read_text().splitlines() if "=" in line]
        assert {
            "BOTCORE_URL",
            "BOTCORE_BOT_TOKEN",
            "BOTCORE_REGISTRY_KEY",
            "BOTCORE_ADMIN_KEY",
        } <= set(names)
        (worker,) = [pid for name, pid in children(folder).items() if "worker" in name]
        await prove(environment_of(worker), answer)
        await logs_are_json_with_a_trace(folder)
        nothing_secret_is_written(folder, running.printed)

        running.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENT_SECONDS):
            await running.process.communicate()
        assert running.process.returncode == 0
        assert children(folder) == {}


async def chat(folder: Path, *said: str) -> list[str]:
    command = f"{shlex.quote(sys.executable)} -m impl.cli chat"
    lines = "".join(f"{line}\n" for line in said)
    return (
        (await shell(f"printf %s {shlex.quote(lines)} | {command}", folder)).decode().splitlines()
    )


async def test_the_calculator_answers_what_is_its_own(folder: Path) -> None:
    async with up(folder) as running:
        assert "2 km in m" in running.printed
        answered = await chat(folder, "2 km in m", "/calc (3 + 4) * 2", "Hello!")
        assert answered[:2] == ["2000 m", "14"]
        assert "BOTCORE_LLM_BASE_URL" in answered[2]
        # A bot of its own, as an operator's first look at a deployment.
        dev = shlex.split((folder / ".botcore" / "dev.env").read_text())
        given = dict(word.split("=", 1) for word in dev)
        smoked = await smoke(given["BOTCORE_URL"], ADMIN_KEY=given["BOTCORE_ADMIN_KEY"])
        assert smoked.code == 0, smoked.told


async def prove(environment: dict[str, str], answer: dict[str, Any]) -> None:
    plugin_id = answer["plugin_responses"][0]["plugin_id"]
    connection = await asyncpg.connect(environment["BOTCORE_DATABASE_URL"])
    redis = Redis.from_url(environment["BOTCORE_REDIS_URL"], decode_responses=True)
    try:
        call = await connection.fetchrow("SELECT status, trace_id FROM plugin_calls")
        assert (call["status"], str(call["trace_id"])) == ("succeeded", answer["trace_id"])
        audited = await connection.fetch(
            "SELECT action FROM audit_logs WHERE trace_id = $1 ORDER BY id", call["trace_id"]
        )
        expected = ["plugin_invocation_started", "plugin_invocation_completed"]
        assert [row["action"] for row in audited] == expected
        async with asyncio.timeout(PATIENT_SECONDS):
            while await redis.xlen(f"plugin:invocations:{plugin_id}") < len(expected):
                await connection.execute("SELECT pg_sleep(0.05)")
        entries: Any = await redis.xrange(f"plugin:invocations:{plugin_id}")
        assert [fields["event_type"] for _, fields in entries] == expected
        assert {fields["trace_id"] for _, fields in entries} == {answer["trace_id"]}
    finally:
        await connection.close()
        await redis.aclose()


async def logs_are_json_with_a_trace(folder: Path) -> None:
    for name in ("serve", "worker", "text_reply"):
        text = (folder / ".botcore" / "logs" / f"{name}.log").read_text()
        for line in text.splitlines():
            written = json.loads(line)
            assert written.get("event") != "answered" or written["trace_id"], line
            assert "trace_id" in written, line


def nothing_secret_is_written(folder: Path, printed: str) -> None:
    """Neither for the developer nor into any log, those of PostgreSQL and Valkey among them."""
    here = folder / ".botcore"
    dev = dict(word.split("=", 1) for word in shlex.split((here / "dev.env").read_text()))
    secrets = {name: value for name, value in dev.items() if name != "BOTCORE_URL"}
    secrets["secret_key"] = (here / "secret_key").read_text().strip()
    for name in ("database_url", "redis_url"):
        secrets[name] = urlsplit((here / name).read_text().strip()).password or ""
    assert all(len(value) > 20 for value in secrets.values())
    written = {path.name: path.read_text() for path in (here / "logs").iterdir()}
    assert {"serve.log", "worker.log", "postgres.log", "valkey.log"} <= set(written)
    written["what it printed"] = printed
    shown = {
        (place, name)
        for place, text in written.items()
        for name, value in secrets.items()
        if value in text
    }
    assert shown == set()


async def test_data_and_tokens_survive_a_restart(folder: Path) -> None:
    async with up(folder) as first:
        dialog = json.loads(await shell(first.first_message, folder))["dialog_id"]
        before = (folder / ".botcore" / "dev.env").read_text()
    async with up(folder):
        after = (folder / ".botcore" / "dev.env").read_text()
        assert set(before.splitlines()) - set(after.splitlines()) <= {
            line for line in before.splitlines() if "BOTCORE_URL" in line
        }
        read = (
            '. .botcore/dev.env && curl -sS -H "X-Bot-Token: $BOTCORE_BOT_TOKEN"'
            f' "$BOTCORE_URL/api/v1/dialogs/{dialog}"'
        )
        history = json.loads(await shell(read, folder))["messages"]
        assert [message["sender_type"] for message in history] == ["user", "plugin"]


async def test_the_death_of_the_supervisor_leaves_no_process(folder: Path) -> None:
    async with up(folder) as running:
        assert len(children(folder)) >= 5
        running.process.kill()
        await running.process.communicate()
        async with asyncio.timeout(PATIENT_SECONDS):
            while children(folder):
                await asyncio.to_thread(os.sched_yield)
