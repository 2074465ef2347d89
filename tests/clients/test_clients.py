"""Clients generated from the contract as the service serves it, and two of them used.

Each is made by the command that docs/clients.md shows.
"""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from os import environ, pathsep
from pathlib import Path
from typing import Any

import asyncpg
import pytest_asyncio

from tests.stack import Api, ScriptedPlugin, running_api, scripted_plugin, settings_for
from tools import redocly
from tools.contract import ROOT

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
MODULES = ROOT / "node_modules"
# Said of every contract of OpenAPI 3.1; and a value of metadata is bounded as text and as number.
HARMLESS = ("3.1 support is still in beta", "Failed to get the schema name: null", "has no effect")


@dataclass
class Core:
    api: Api
    plugin: ScriptedPlugin
    served: Path
    """The contract, from the service itself."""


@pytest_asyncio.fixture
async def core(
    pool: asyncpg.Pool, database: str, valkey: str, tmp_path: Path
) -> AsyncIterator[Core]:
    settings = settings_for(database, valkey)
    async with running_api(pool, settings) as api, scripted_plugin() as plugin:
        await api.add_plugin(plugin.url)
        served = tmp_path / "openapi.json"
        served.write_bytes((await api.send("GET", "/api/v1/openapi.json")).raw)
        yield Core(api, plugin, served)


async def run(*command: str | Path, folder: Path, **variables: str) -> tuple[int, str, str]:
    """The exit status and what was said; the core serves meanwhile."""
    path = f"{BIN}{pathsep}{redocly.NODE.parent}{pathsep}{environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=folder,
        env={**environ, "PATH": path, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def done(*command: str | Path, folder: Path, **variables: str) -> str:
    status, out, err = await run(*command, folder=folder, **variables)
    assert status == 0, out + err
    return out + err


def who(core: Core, number: int) -> dict[str, str]:
    token = core.api.bot_token
    return {"BOTCORE_URL": core.api.url, "BOTCORE_BOT_TOKEN": token, "TELEGRAM_ID": str(number)}


def documented(language: str) -> str:
    """The example of docs/clients.md."""
    text = (ROOT / "docs" / "clients.md").read_text()
    return text.split(f"```{language}\n")[1].split("```")[0]


def judge(said: dict[str, Any], core: Core, language: str) -> None:
    """The same conversation in every language comes to the same."""
    text = f"Hello from {language}!"
    assert said == {
        "users": ["created", "updated"],
        "answer": [f"echo: {text}"],
        "replayed": [None, "true"],
        "same": True,
        "stored": True,
        "history": [text, f"echo: {text}"],
        "reused": "message_id_reused",
        "reset": "accepted",
        "emptied": [1, 0],
        "absent": [404, "dialog_not_found"],
        "refused": ["/display_name", "/telegram_id"],
        "unknown": "not_yet_known",
    }
    assert [call["payload"]["text"] for call in core.plugin.calls] == [text]


async def test_python(core: Core, tmp_path: Path) -> None:
    command = ("openapi-python-client", "generate", "--path", core.served, "--fail-on-warning")
    said = await done(*command, "--output-path", "client", folder=tmp_path)
    assert "warning" not in said.lower()
    script = shutil.copy(HERE / "conversation.py", tmp_path / "client")
    out = await done(sys.executable, "-W", "error", script, folder=tmp_path, **who(core, 1))
    judge(json.loads(out), core, "Python")
    (tmp_path / "client" / "hello.py").write_text(documented("python"))
    out = await done(sys.executable, "client/hello.py", folder=tmp_path, **who(core, 0))
    assert out == "accepted ['echo: Hello!']\n"


async def test_typescript(core: Core, tmp_path: Path) -> None:
    redocly.install()
    (tmp_path / "node_modules").symlink_to(MODULES)
    types = MODULES / "openapi-typescript" / "bin" / "cli.js"
    options = ["--default-non-nullable", "false", "-o", "botcore.d.ts"]
    await done(redocly.NODE, types, core.served, *options, folder=tmp_path)
    shutil.copy(HERE / "conversation.mts", tmp_path)
    (tmp_path / "hello.mts").write_text(documented("ts"))
    compiler = MODULES / "typescript" / "bin" / "tsc"
    scripts = ["conversation.mts", "hello.mts"]
    options = ["--strict", "--noUncheckedIndexedAccess", "--module", "nodenext"]
    await done(redocly.NODE, compiler, *options, "--target", "es2022", *scripts, folder=tmp_path)
    out = await done(redocly.NODE, "conversation.mjs", folder=tmp_path, **who(core, 2))
    judge(json.loads(out), core, "TypeScript")
    out = await done(redocly.NODE, "hello.mjs", folder=tmp_path, **who(core, 0))
    assert out == "[ 'echo: Hello!' ]\n"


async def test_go(core: Core, tmp_path: Path) -> None:
    command = ("openapi-generator-cli", "generate", "-g", "go", "-i", core.served, "-o", "client")
    said = await done(*command, folder=tmp_path)
    loud = [line for line in said.splitlines() if "WARN" in line or "ERROR" in line]
    assert [line for line in loud if not any(known in line for known in HARMLESS)] == []
    contract = json.loads(core.served.read_text())
    written = "\n".join(path.read_text() for path in (tmp_path / "client").glob("api_*.go"))
    for path in contract["paths"].values():
        for operation in path.values():
            name = operation["operationId"]
            assert f") {name[0].upper()}{name[1:]}(ctx context.Context" in written, name
