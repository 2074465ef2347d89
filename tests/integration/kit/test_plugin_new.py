"""`botcore plugin new`: what it writes works, and nothing is overwritten."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from generated.errors import ERRORS
from generated.models import PluginManifestV1
from impl.kit.new import CONTRACT
from impl.kit.plugin import reached
from impl.kit.requests import invocation
from impl.kit.run import Options, check
from impl.kit.template.serving.registration import RefusedError
from tests.integration.kit.breaks import TOKEN as BREAKS_TOKEN
from tests.integration.kit.breaks import Break, broken
from tests.integration.kit.processes import botcore, plugin_process
from tests.integration.text_reply.fake_core import REGISTRY_KEY, fake_core
from tests.ports import spare_port

FILES = {
    "README.md",
    "manifest.json",
    "plugin.openapi.json",
    "plugin.py",
    "requirements.txt",
    "test_plugin.py",
}


async def test_it_writes_a_plugin_of_this_name(tmp_path: Path) -> None:
    code, output, errors = await botcore("plugin", "new", "my-weather_2", cwd=tmp_path)
    assert code == 0
    folder = tmp_path / "my-weather_2"
    assert {path.name for path in folder.iterdir() if path.is_file()} == FILES
    assert "my-weather_2/plugin.py" in output
    assert "my-weather_2/README.md" in errors
    manifest = PluginManifestV1.model_validate_json((folder / "manifest.json").read_text())
    assert manifest.name == "my-weather_2"
    left = [
        path for path in folder.rglob("*") if path.is_file() and "plugin-name" in path.read_text()
    ]
    assert left == []
    assert (folder / CONTRACT.name).read_text() == CONTRACT.read_text()


async def test_its_own_test_passes(tmp_path: Path) -> None:
    await botcore("plugin", "new", "weather", "--directory", str(tmp_path / "w"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q"), cwd=tmp_path / "w", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output
    assert b"3 passed" in output


@pytest.mark.parametrize("name", ["Weather", "2weather", "we ather", "../weather", "", "w" * 65])
async def test_a_name_that_the_contract_refuses(name: str, tmp_path: Path) -> None:
    code, _, errors = await botcore("plugin", "new", name, cwd=tmp_path)
    assert code == 2
    assert errors == (
        f"botcore: {name or repr(name)}: "
        "a name begins with a-z and has only a-z, 0-9, _ and - (at most 64)\n"
    )
    assert not await asyncio.to_thread(lambda: list(tmp_path.iterdir()))


async def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "weather").mkdir()
    (tmp_path / "weather" / "mine.txt").write_text("mine")
    code, _, errors = await botcore("plugin", "new", "weather", cwd=tmp_path)
    assert (code, errors) == (1, "botcore: weather is there already\n")
    assert [path.name for path in (tmp_path / "weather").iterdir()] == ["mine.txt"]


Change = Callable[[Path], None]


def _nothing(_folder: Path) -> None:
    pass


def _of_version_1(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": "1"}))


def _without_a_comma(folder: Path) -> None:
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('",\n  "version"', '"\n  "version"'))


@pytest.mark.parametrize(
    ("environment", "change", "told"),
    [
        ({}, _nothing, "set BOTCORE_URL and BOTCORE_REGISTRY_KEY"),
        (
            {"BOTCORE_INVOCATION_TOKEN": "x"},
            _of_version_1,
            "manifest.json breaks the contract: $.version",
        ),
        (
            {"BOTCORE_INVOCATION_TOKEN": "x"},
            _without_a_comma,
            "manifest.json, line 3, column 3: Expecting ',' delimiter",
        ),
        (
            {"BOTCORE_INVOCATION_TOKEN": "x", "PORT": "abc"},
            _nothing,
            "PORT is a number from 0 to 65535, not 'abc'",
        ),
    ],
)
async def test_where_it_cannot_start_it_says_why(
    environment: dict[str, str], change: Change, told: str, tmp_path: Path
) -> None:
    await botcore("plugin", "new", "weather", cwd=tmp_path)
    change(tmp_path / "weather")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "plugin.py"),
        cwd=tmp_path / "weather",
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().startswith(f"cannot start: {told}")
    assert b"Traceback" not in errors


async def test_until_it_has_a_token_a_call_is_asked_to_wait(tmp_path: Path) -> None:
    """So a restart loses no message: the core calls a plugin that it knows at once."""
    await botcore("plugin", "new", "weather", cwd=tmp_path)
    environment = {"BOTCORE_URL": f"http://127.0.0.1:{spare_port()}", "BOTCORE_REGISTRY_KEY": "x"}
    async with (
        plugin_process(tmp_path / "weather", environment) as url,
        reached(url, "of-a-registration-before", 15) as plugin,
    ):
        answer = await plugin.expect(plugin.call(), 503, "overloaded")
        assert answer.headers["retry-after"] == "1"
        await plugin.expect(invocation(None), 401, "missing_credentials")


async def test_an_invalid_answer_of_its_own_is_one_line_of_its_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    item = Break("a text that is none", "invoke.answer", answer=lambda _: {"text": 1, "mood": "x"})
    async with broken(item) as url, reached(url, BREAKS_TOKEN, 15) as plugin:
        await plugin.expect(plugin.call(), 500, "internal_error")
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info is None
    assert "$.text: 1 is not of type 'string'" in record.message
    assert "'mood' was unexpected" in record.message


async def test_it_registers_itself_and_gives_signs_of_life(tmp_path: Path) -> None:
    """It waits for a core that is not able yet; then the core's token is the one that it takes."""
    await botcore("plugin", "new", "weather", cwd=tmp_path)
    async with fake_core() as core:
        core.refuse_registration.append("overloaded")
        environment = {"BOTCORE_URL": core.url, "BOTCORE_REGISTRY_KEY": REGISTRY_KEY}
        async with plugin_process(tmp_path / "weather", environment) as url:
            await core.until(lambda: bool(core.heartbeats))
            (request,) = core.registrations
            assert (request["name"], request["base_url"]) == ("weather", url)
            assert core.probes == [200]
            report = await check(url, core.invocation_token, Options(only=("bearer", "golden")))
            assert [result.outcome for result in report.results] == ["passed"] * 3


@pytest.mark.parametrize("code", ["invalid_credentials", "plugin_conflict"])
async def test_a_registration_that_is_refused_ends_it(code: str, tmp_path: Path) -> None:
    await botcore("plugin", "new", "weather", cwd=tmp_path)
    async with fake_core() as core:
        core.refuse_registration.append(code)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "plugin.py"),
            cwd=tmp_path / "weather",
            env={
                "BOTCORE_URL": core.url,
                "BOTCORE_REGISTRY_KEY": REGISTRY_KEY,
                "PORT": str(spare_port()),
            },
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
    assert process.returncode == 1
    assert f"the core refused it: {ERRORS[code].status} {code}".encode() in errors
    assert REGISTRY_KEY.encode() not in errors
    assert (b"BOTCORE_REGISTRY_KEY" in errors) == (code == "invalid_credentials")


def test_a_refusal_tells_each_fault() -> None:
    faults = [{"location": "body", "pointer": "/manifest/version", "message": "Not a version"}]
    refused = RefusedError(422, {"code": "validation_failed", "detail": "1.", "errors": faults})
    assert str(refused).splitlines() == [
        "the core refused it: 422 validation_failed: 1.",
        "  /manifest/version: Not a version",
    ]
