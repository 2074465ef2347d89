import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest
from typer.testing import CliRunner

from impl.cli.app import app
from impl.local.directory import Directory
from impl.settings import Settings
from impl.tokens.verifier import TokenVerifier
from tests.integration.cli.commands import ROOT, Ended, botcore

SLOW_TO_IMPORT = ("aiohttp", "alembic", "argon2", "asyncpg", "fastapi", "pydantic", "sqlalchemy")


def test_help_waits_for_no_library() -> None:
    script = (
        "import sys\nfrom impl.cli.app import app\n"
        f"print([name for name in {SLOW_TO_IMPORT} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


NOT_TO_SERVE = frozenset({
    "alembic", "httpx", "httpx2", "jsonschema", "numpy", "openai", "pygments", "rich", "scipy",
    "sklearn", "sqlalchemy", "tokenizers",
})  # fmt: skip
SERVICE = {
    "BOTCORE_DATABASE_URL": "postgresql://127.0.0.1/db",
    "BOTCORE_REDIS_URL": "redis://127.0.0.1",
    "BOTCORE_SECRET_KEY": "Tq8-zX2_vB5nM7kL0pR3sW6yH9dF1gJ4",
}


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_a_service_loads_nothing_that_it_may_never_need(name: str) -> None:
    script = (
        "import asyncio, gc, sys\n"
        "asyncio.Runner.run = lambda _, work: (work.close(), told(), sys.exit(0))\n"
        "def told():\n"
        f"    loaded = sorted(n for n in {set(NOT_TO_SERVE)} if sys.modules.get(n))\n"
        "    print(loaded, gc.isenabled(), gc.get_freeze_count() > 100_000)\n"
        "from impl.cli import main\n"
        f"sys.argv = ['botcore', '{name}']\n"
        "main()\n"
    )
    words = [sys.executable, "-c", script]
    found = subprocess.run(
        words, cwd=ROOT, env=SERVICE, capture_output=True, text=True, check=False
    )
    assert found.stdout.splitlines()[-1:] == ["[] True True"], found.stderr


async def test_help_names_every_command(tmp_path: Path) -> None:
    ended = await botcore("--help", env={}, directory=tmp_path)
    assert ended.code == 0
    for command in ("up", "serve", "worker", "migrate", "bots", "chat"):
        assert f"\n  {command} " in ended.out


@pytest.mark.parametrize("command", ["migrate", "bots list"])
async def test_without_a_database_one_line_says_what_to_set(command: str, tmp_path: Path) -> None:
    ended = await botcore(*command.split(), env={}, directory=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "botcore: BOTCORE_DATABASE_URL is not set: "
        "set it to postgresql://user:password@host:port/database, or start `botcore up` here\n"
    )


async def test_without_one_the_database_of_this_folder_is_used(
    database: str, tmp_path: Path
) -> None:
    here = Directory(tmp_path / ".botcore")
    here.make()
    here.write_database_url(database)
    ended = await botcore("bots", "list", env={}, directory=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    here.write_database_url("postgresql://nobody:no@127.0.0.1:1/gone")
    ended = await botcore("bots", "list", env={}, directory=tmp_path)
    assert ended.code == 2
    assert "`botcore up` in .botcore (is it running?)" in ended.err


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_settings_that_are_missing_or_wrong_are_named_not_shown(
    command: str, tmp_path: Path
) -> None:
    env = {"BOTCORE_REDIS_URL": "redis://x", "BOTCORE_SECRET_KEY": "tooshort", "BOTCORE_PORT": "-1"}
    ended = await botcore(command, env=env, directory=tmp_path)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "BOTCORE_DATABASE_URL is not set" in ended.err
    assert "BOTCORE_SECRET_KEY: " in ended.err
    assert "BOTCORE_PORT: " in ended.err
    assert "tooshort" not in ended.err


@pytest.mark.parametrize("command", ["migrate", "bots list"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@127.0.0.1:1/x",
        "postgresql://me:s3cret@nowhere.invalid/x",
        "postgresql://me:s3#cret@host/x",
        "postgresql://me:123/s3cret@127.0.0.1:1/x",
        "mysql://me:s3cret@127.0.0.1/x",
        "s3cret",
    ],
)
async def test_a_database_that_cannot_be_used_is_one_line_without_its_password(
    command: str, url: str, tmp_path: Path
) -> None:
    ended = await botcore(*command.split(), env={"BOTCORE_DATABASE_URL": url}, directory=tmp_path)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "BOTCORE_DATABASE_URL" in ended.err
    assert "cret" not in ended.err


async def test_migrate_says_from_where_to_where(empty_database: str, tmp_path: Path) -> None:
    async def migrate(*arguments: str) -> Ended:
        env = {"BOTCORE_DATABASE_URL": empty_database}
        return await botcore("migrate", *arguments, env=env, directory=tmp_path)

    assert (await migrate()).out == "base → 0012\n"
    assert (await migrate()).out == "at 0012 already\n"
    assert (await migrate("--to", "0001")).out == "0012 → 0001\n"
    unknown = await migrate("--to", "nonsense")
    assert unknown.code == 1
    assert "nonsense" in unknown.err
    assert (await migrate("--to", "base")).out == "0001 → base\n"


async def test_a_database_without_tables_asks_for_migrate(
    empty_database: str, tmp_path: Path
) -> None:
    env = {"BOTCORE_DATABASE_URL": empty_database}
    ended = await botcore("bots", "list", env=env, directory=tmp_path)
    assert (ended.code, ended.err) == (
        1,
        "botcore: the database has no tables yet: run `botcore migrate`\n",
    )


class TestBots:
    @pytest.fixture(autouse=True)
    def _database(self, database: str, tmp_path: Path) -> None:
        self.env, self.directory = {"BOTCORE_DATABASE_URL": database}, tmp_path

    async def bots(self, *arguments: str) -> Ended:
        return await botcore("bots", *arguments, env=self.env, directory=self.directory)

    async def test_a_token_is_alone_on_standard_output_and_works(self, pool: asyncpg.Pool) -> None:
        ended = await self.bots("create", "one")
        assert ended.code == 0
        token = await TokenVerifier(pool, ttl_seconds=0).verify(ended.out.rstrip("\n"), "bot")
        assert token
        assert token.scopes == {"dialogs:read", "dialogs:write", "users:write"}
        assert ended.out.strip() not in ended.err
        assert "X-Bot-Token" in ended.err

    async def test_scopes_can_be_chosen(self, pool: asyncpg.Pool) -> None:
        chosen = ("--scope", "dialogs:read", "--scope", "users:write")
        ended = await self.bots("create", "one", *chosen)
        token = await TokenVerifier(pool, ttl_seconds=0).verify(ended.out.strip(), "bot")
        assert token
        assert token.scopes == {"dialogs:read", "users:write"}
        assert (await self.bots("create", "two", "--scope", "all")).code == 2

    async def test_a_name_is_taken_once_and_sane(self, pool: asyncpg.Pool) -> None:
        assert (await self.bots("create", "one")).code == 0
        again = await self.bots("create", "one")
        assert (again.code, again.out) == (1, "")
        assert "has this name" in again.err
        for name in ("", "x" * 65, "a\x1b[2Jb"):
            refused = await self.bots("create", name)
            assert (refused.code, refused.out) == (2, "")
        assert await pool.fetchval("SELECT count(*) FROM bots") == 1

    async def test_list_and_revoke(self, pool: asyncpg.Pool) -> None:
        for name in ("one", "two"):
            await self.bots("create", name)
        one, two = json.loads((await self.bots("list", "--json")).out)
        assert [one["name"], one["tokens"], one["revoked_at"]] == ["one", 1, None]
        assert (await self.bots("revoke", "one")).out == "bot one revoked\n"
        assert (await self.bots("revoke", "one")).out == "bot one was revoked already\n"
        assert (await self.bots("revoke", two["id"])).code == 0
        unknown = await self.bots("revoke", "three")
        said = "botcore: there is no bot three; `botcore bots list` shows them\n"
        assert (unknown.code, unknown.err) == (1, said)
        assert await pool.fetchval("SELECT count(*) FROM tokens WHERE revoked_at IS NULL") == 0
        assert len((await self.bots("list")).out.splitlines()) == 1
        header, *rows = (await self.bots("list", "--all")).out.splitlines()
        assert header.split() == ["ID", "NAME", "CREATED", "REVOKED", "TOKENS", "CALLBACK", "URL"]
        assert [row.split()[0] for row in rows] == [one["id"], two["id"]]
        assert [row.split()[-2] for row in rows] == ["0", "0"]


def invoke(*arguments: str) -> int:
    return CliRunner().invoke(app, arguments).exit_code


def test_up_is_given_the_port_and_gives_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = []

    async def up(*, port: int) -> int:
        ports.append(port)
        return 7

    monkeypatch.setitem(sys.modules, "impl.local.development", SimpleNamespace(up=up))
    assert invoke("up") == invoke("up", "--port", "0") == 7
    assert ports == [8080, 0]
    assert invoke("up", "--port", "65536") == 2


@pytest.mark.parametrize("name", ["serve", "worker"])
def test_a_service_is_given_the_settings_and_gives_the_exit_code(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Settings] = []

    def run(settings: Settings) -> int:
        given.append(settings)
        return 7

    monkeypatch.setitem(sys.modules, f"impl.{name}", SimpleNamespace(run=run))
    for variable, value in SERVICE.items():
        monkeypatch.setenv(variable, value)
    assert invoke(name) == 7
    assert given[0].database_url.get_secret_value() == SERVICE["BOTCORE_DATABASE_URL"]
