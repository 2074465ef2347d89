"""Commands and plugins take secrets from files, and start with nothing that is not safe."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.cli.commands import ROOT, Ended, botcore
from tests.patience import PATIENT_SECONDS

CANARY = "canary-of-a-secret-814"
UNSAFE = {
    "BOTCORE_DATABASE_URL": f"postgresql://me:{CANARY}@db.invalid/x",
    "BOTCORE_REDIS_URL": "redis://redis.invalid/0",
    "BOTCORE_SECRET_KEY": "changeme" * 4,
    "BOTCORE_HOST": "0.0.0.0",
    "BOTCORE_PLUGIN_HOSTS": "*.com",
    "BOTCORE_LLM_BASE_URL": "http://llm.invalid/v1",
    "BOTCORE_LLM_MODEL": "m",
    "BOTCORE_LLM_API_KEY": CANARY,
}


async def ran(*command: str, env: Mapping[str, str], directory: Path) -> Ended:
    """A process of Python that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=directory,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), PATIENT_SECONDS)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def test_a_database_of_a_file_is_migrated(empty_database: str, tmp_path: Path) -> None:
    file = tmp_path / "database_url"
    file.write_text(f"{empty_database}\n")
    env = {"BOTCORE_DATABASE_URL_FILE": str(file)}
    ended = await botcore("migrate", env=env, directory=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("base → ")
    both = await botcore("migrate", env={**env, "BOTCORE_DATABASE_URL": CANARY}, directory=tmp_path)
    assert both.code == 2
    assert both.err == (
        "botcore: BOTCORE_DATABASE_URL: is set, and so is BOTCORE_DATABASE_URL_FILE:"
        " leave one of them out\n"
    )
    # Where the secret itself was put in place of the path.
    env = {"BOTCORE_DATABASE_URL_FILE": f"postgresql://me:{CANARY}@h/x"}
    lost = await botcore("migrate", env=env, directory=tmp_path)
    assert lost.code == 2
    assert "BOTCORE_DATABASE_URL_FILE cannot be read (No such file or directory)" in lost.err
    assert CANARY not in lost.err


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_all_that_is_not_safe_is_told_before_anything_starts(
    command: str, tmp_path: Path
) -> None:
    ended = await botcore(command, env=UNSAFE, directory=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    first, *told = ended.err.splitlines()
    assert first == "botcore: not started, as the settings are not safe:"
    assert [line.split(":")[0].strip() for line in told] == [
        "metrics_exposed", "secret_key_weak", "database_plaintext", "redis_without_password",
        "redis_plaintext", "llm_plaintext", "wildcard_hosts",
    ]  # fmt: skip
    assert "(BOTCORE_ACCEPTED_RISKS=redis_plaintext accepts it)" in ended.err
    assert CANARY not in ended.err


async def test_the_doctor_says_the_same(tmp_path: Path) -> None:
    ended = await botcore("doctor", env=UNSAFE, directory=tmp_path)
    assert ended.code == 1
    assert ended.out.count("✗ settings ") == 7
    assert CANARY not in ended.out


async def test_text_reply_keeps_its_key_to_itself(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(CANARY)
    env = {"BOTCORE_URL": "http://core.invalid", "BOTCORE_REGISTRY_KEY_FILE": str(key)}
    ended = await ran("-m", "impl.text_reply", env=env, directory=tmp_path)
    assert ended.code == 2
    assert "text_reply does not start: core_plaintext: BOTCORE_URL is http://" in ended.err
    assert CANARY not in ended.err


async def test_a_plugin_of_the_template_reads_files_too(tmp_path: Path) -> None:
    plugin = str(ROOT / "examples" / "calculator" / "plugin.py")
    file, empty = tmp_path / "token", tmp_path / "empty"
    file.write_text(f"{CANARY}\n")
    empty.touch()
    name, form = "BOTCORE_INVOCATION_TOKEN", "BOTCORE_INVOCATION_TOKEN_FILE"
    for env, told in (
        ({name: CANARY, form: str(file)}, "are both set: leave one of them out"),
        ({form: f"/{CANARY}"}, "cannot be read"),
        ({form: str(empty)}, "is empty"),
    ):
        ended = await ran(plugin, env=env, directory=tmp_path)
        assert ended.code == 2
        assert told in ended.err
        assert CANARY not in ended.err
    process = await asyncio.create_subprocess_exec(
        sys.executable, plugin, env={"PATH": os.environ["PATH"], form: str(file), "PORT": "0"},
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENT_SECONDS):
            while b"not registering" not in (line := await process.stderr.readline()):
                assert line
    finally:
        process.terminate()
        await process.communicate()
