"""`python -m impl.text_reply` as its supervisor sees it."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from tests.fake_llm import KEY, MODEL, FakeLLM, fake_llm
from tests.integration.text_reply.fake_core import REGISTRY_KEY, FakeCore, fake_core
from tests.integration.text_reply.running import invocation
from tests.patience import PATIENT_SECONDS
from tests.ports import spare_port

# It gives answers in flight longer than anybody waits here.
PATIENT = (
    "import runpy; from impl.text_reply import service; service.DRAIN_SECONDS = 600;"
    "runpy.run_module('impl.text_reply', run_name='__main__')"
)
PATIENT_WITH_MODELS = {"BOTCORE_LLM_TIMEOUT_SECONDS": "600"}


class Process:
    def __init__(self, process: asyncio.subprocess.Process, url: str, ready: int) -> None:
        self.url = url
        self._process = process
        self._ready = ready

    async def ready(self) -> bytes:
        return await asyncio.to_thread(os.read, self._ready, 100)

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    async def ended(self) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        async with asyncio.timeout(PATIENT_SECONDS):
            output, errors = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, output.decode(), errors.decode()


@asynccontextmanager
async def process(
    env: Mapping[str, str], port: int | None = None, run: Sequence[str] = ("-m", "impl.text_reply")
) -> AsyncIterator[Process]:
    port = port or spare_port()
    reader, writer = os.pipe()
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, *run),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        pass_fds=(writer,),
        env={
            "PATH": os.environ["PATH"],
            "BOTCORE_READY_FD": str(writer),
            "BOTCORE_TEXT_REPLY_PORT": str(port),
            "BOTCORE_TEXT_REPLY_HEARTBEAT_SECONDS": "0.05",
            **env,
        },
    )
    os.close(writer)
    try:
        yield Process(started, f"http://127.0.0.1:{port}", reader)
    finally:
        os.close(reader)
        if started.returncode is None:
            started.kill()
            await started.communicate()


def known_to(core: FakeCore, llm: FakeLLM | None = None) -> dict[str, str]:
    env = {"BOTCORE_URL": core.url, "BOTCORE_REGISTRY_KEY": REGISTRY_KEY}
    if llm is not None:
        env |= {
            "BOTCORE_LLM_BASE_URL": llm.url,
            "BOTCORE_LLM_MODEL": MODEL,
            "BOTCORE_LLM_API_KEY": KEY,
        }
    return env


async def invoke(url: str, core: FakeCore) -> tuple[int, Any]:
    body = invocation("canary of a message")
    headers = {
        "Authorization": f"Bearer {core.invocation_token}",
        "X-Invocation-Id": body["invocation_id"],
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/invoke", json=body, headers=headers) as response,
    ):
        return response.status, await response.json()


async def test_it_says_when_it_is_ready_and_ends_at_once_when_idle() -> None:
    """There is no answer in flight to wait for."""
    async with fake_core() as core, process(known_to(core), run=("-c", PATIENT)) as plugin:
        assert await plugin.ready() == b"ready\n"
        assert core.heartbeats
        assert (await invoke(plugin.url, core))[0] == 200

        plugin.terminate()
        code, output, errors = await plugin.ended()

    assert (code, errors) == (0, "")
    lines = [json.loads(line) for line in output.splitlines()]
    assert {"started", "registered", "answered"} <= {line["event"] for line in lines}
    assert all(UUID(line["trace_id"]) for line in lines)
    assert "canary" not in output


async def test_an_answer_in_flight_is_finished() -> None:
    async with fake_core() as core, fake_llm() as llm:
        env = {**known_to(core, llm), **PATIENT_WITH_MODELS}
        async with process(env, run=("-c", PATIENT)) as plugin:
            await plugin.ready()
            llm.go.clear()
            call = asyncio.create_task(invoke(plugin.url, core))
            await llm.asked.wait()
            plugin.terminate()
            await refused(plugin.url)  # it has begun to stop
            llm.go.set()

            status, answer = await call
            assert (status, answer["text"]) == (200, "Hello.")
            assert (await plugin.ended())[0] == 0


async def refused(url: str) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENT_SECONDS):
        while True:
            try:
                async with session.get(f"{url}/health"):
                    pass
            except aiohttp.ClientError:
                return


async def test_an_answer_that_takes_too_long_does_not_hold_the_process() -> None:
    async with fake_core() as core, fake_llm() as llm:
        env = {**known_to(core, llm), **PATIENT_WITH_MODELS}
        async with process(env) as plugin:
            await plugin.ready()
            llm.go.clear()
            call = asyncio.create_task(invoke(plugin.url, core))
            await llm.asked.wait()

            began = time.monotonic()
            plugin.terminate()
            code, _, _ = await plugin.ended()

            assert code == 0
            # It waits for what is in flight, but not for the model, which may take ten minutes.
            assert time.monotonic() - began > 1
            with pytest.raises(aiohttp.ClientError):
                await call


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"BOTCORE_URL": ""}, "BOTCORE_URL: Field required"),
        ({"BOTCORE_LLM_BASE_URL": "http://127.0.0.1:1/v1"}, "set BOTCORE_LLM_MODEL too"),
    ],
)
async def test_bad_settings_are_named(changes: dict[str, str], complaint: str) -> None:
    env = {"BOTCORE_URL": "http://127.0.0.1:9", "BOTCORE_REGISTRY_KEY": REGISTRY_KEY, **changes}
    async with process(env) as plugin:
        code, output, errors = await plugin.ended()

    assert (code, output) == (2, "")
    assert errors.startswith("text_reply cannot start: ")
    assert complaint in errors
    assert REGISTRY_KEY not in errors


async def test_a_port_in_use_is_named() -> None:
    async with fake_core() as core:
        port = int(core.url.rpartition(":")[2])
        async with process(known_to(core), port) as plugin:
            code, output, _ = await plugin.ended()

    assert code == 1
    assert json.loads(output)["event"] == "cannot_listen"


async def test_a_conflict_ends_it_with_the_hint() -> None:
    async with fake_core() as core:
        core.refuse_registration.append("plugin_conflict")
        async with process(known_to(core)) as plugin:
            code, output, _ = await plugin.ended()

    assert code == 1
    told = json.loads(output.splitlines()[-1])
    assert (told["event"], told["hint"]) == ("core_refused", "raise the plugin's version")


async def test_without_a_model_its_client_is_not_even_imported() -> None:
    script = (
        "import asyncio, sys\n"
        "from impl.text_reply import __main__, service, settings\n"
        "async def main():\n"
        "    async with service.opened(settings.TextReplySettings()):\n"
        "        print('openai' in sys.modules)\n"
        "asyncio.run(main())\n"
    )
    env = {"BOTCORE_URL": "http://127.0.0.1:9", "BOTCORE_REGISTRY_KEY": REGISTRY_KEY}
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script), env=env, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await child.communicate()

    assert output == b"False\n"
