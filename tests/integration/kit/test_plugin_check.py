"""`botcore plugin check` as a plugin's team runs it, on plugins that keep every promise."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from xml.etree import ElementTree as ET

import aiohttp
import pytest
import pytest_asyncio

from impl.kit.new import write
from impl.kit.plugin import Plugin
from impl.kit.run import names
from tests.integration.kit.breaks import TOKEN as BREAKS_TOKEN
from tests.integration.kit.breaks import Break, broken, on
from tests.integration.kit.processes import TOKEN, botcore, plugin_process
from tests.integration.text_reply.fake_core import fake_core
from tests.integration.text_reply.running import running

CALCULATOR = Path(__file__).parents[3] / "examples" / "calculator"
PLUGINS = ("text_reply", "calculator", "new")
# What text_reply does not promise: it has no pattern, no schema, no golden example.
UNTRIED = {
    "text_reply": {
        "manifest.patterns",
        "manifest.conditions",
        "manifest.schemas",
        "manifest.golden_examples",
        "golden",
    },
    "calculator": {"manifest.conditions"},
    "new": {"manifest.conditions"},
}

# Generated cases take seconds of CPU; the calculator has the new plugin's server, and a test of its
# own of what it makes of any text.
WITHOUT_GENERATED = sorted({name for name in names() if not name.startswith("generated.")})
ONLY = {"calculator": WITHOUT_GENERATED}

# A plugin is given half a second beyond its deadline, and three checks at once keep a machine busy.
PATIENT = (
    "from impl.cli import main; from impl.kit.checks import invoke; invoke.GRACE_SECONDS = 10.0;"
    "main()"
)

Ran = dict[str, tuple[int, str, str]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def urls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("kit") / "weather"
    write("weather", folder)
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(fake_core())
        plugin = await stack.enter_async_context(running(core))
        yield {
            "text_reply": f"{plugin.url} {core.invocation_token}",
            "calculator": f"{await stack.enter_async_context(plugin_process(CALCULATOR))} {TOKEN}",
            "new": f"{await stack.enter_async_context(plugin_process(folder))} {TOKEN}",
        }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ran(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """The whole check of each, side by side, and where the results are."""
    folder = tmp_path_factory.mktemp("results")

    async def one(name: str) -> tuple[int, str, str]:
        url, token = urls[name].split()
        only = [word for check in ONLY.get(name, ()) for word in ("--only", check)]
        files = ("--json", str(folder / f"{name}.json"), "--junit", str(folder / f"{name}.xml"))
        arguments = ("plugin", "check", url, "--examples", "5", *only, *files)
        return await botcore(*arguments, run=("-c", PATIENT), token=token)

    done = await asyncio.gather(*map(one, PLUGINS))
    return dict(zip(PLUGINS, done, strict=True)), folder


@pytest.mark.parametrize("name", PLUGINS)
def test_it_keeps_every_promise(name: str, ran: tuple[Ran, Path]) -> None:
    code, output, _ = ran[0][name]
    assert code == 0, output
    found = json.loads((ran[1] / f"{name}.json").read_text())
    checks = {check["name"]: check["outcome"] for check in found["checks"]}
    assert {known for known, outcome in checks.items() if outcome == "failed"} == set()
    untried = {known for known, outcome in checks.items() if outcome == "not_tried"}
    assert untried == UNTRIED.get(name, set())
    tried = {"golden" if known.startswith("golden.") else known for known in checks}
    assert tried == set(ONLY.get(name, names()))


def test_it_is_told_to_a_person_and_to_machines(ran: tuple[Ran, Path]) -> None:
    _, output, errors = ran[0]["text_reply"]
    assert "✓ passed     idempotency.again" in output
    assert "(the manifest sets no capabilities.dry_run)" in output
    assert " 0 FAILED, 5 not tried, in " in output
    assert "… generated.invokePlugin: " in errors  # long work shows that it goes on
    suite = ET.parse(ran[1] / "text_reply.xml").getroot()  # our own
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "5")


async def test_without_a_token_only_what_needs_none_is_tried(urls: dict[str, str]) -> None:
    url, only = (
        urls["new"].split()[0],
        ("--only", "bearer, invoke", "--only", "generated.invokePlugin"),
    )
    code, output, errors = await botcore("plugin", "check", url, *only)
    assert code == 2
    assert "passed     bearer.missing" in output
    assert "not tried  invoke.answer " in output
    assert "not tried  generated.invokePlugin" in output
    last = output.splitlines()[-1]
    assert last == "3 not tried: it needs the plugin's token"
    assert "BOTCORE_INVOCATION_TOKEN" in errors
    assert errors.splitlines()[-1] == (
        "botcore: 3 checks need the plugin's token: set BOTCORE_INVOCATION_TOKEN, or leave them "
        "out by --without-token"
    )
    code, output, errors = await botcore("plugin", "check", url, "--without-token", *only)
    assert (code, errors) == (0, "")
    assert "2 passed, 0 FAILED, 3 not tried" in output


async def test_where_nothing_is_tried_nothing_is_proved(urls: dict[str, str]) -> None:
    url, token = urls["new"].split()
    code, _, errors = await botcore("plugin", "check", url, "--without-token", "--only", "invoke")
    assert (code, errors) == (2, "botcore: nothing was checked\n")
    code, _, errors = await botcore("plugin", "check", url, "--only", "golden.99", token=token)
    assert (code, errors) == (2, "botcore: nothing was checked\n")


@pytest.mark.parametrize("only", ["invoke,fields,golden,bearer", "generated.invokePlugin"])
async def test_a_token_that_is_refused_is_told_once(only: str, urls: dict[str, str]) -> None:
    url, _ = urls["new"].split()
    code, output, errors = await botcore("plugin", "check", url, "--only", only, token="wrong")
    assert code == 2
    assert "FAILED     " not in output
    assert "not tried  " not in output
    assert output.splitlines()[-1].endswith(" not tried: the token is refused")
    assert errors == (
        "botcore: the plugin refuses this token (401 invalid_credentials): give the "
        "invocation_token of its registration, or start it with BOTCORE_INVOCATION_TOKEN\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("http://127.0.0.1:9",), "http://127.0.0.1:9 cannot be reached: nobody listens there"),
        (("http://nowhere.invalid",), "cannot be reached: there is no host of this name"),
        (("http://127.0.0.1:9", "--token", "x"), "No such option: --token"),
        (("ftp://127.0.0.1",), "is no http:// or https:// URL"),
        (("127.0.0.1:9000",), "is no http:// or https:// URL"),
        (
            ("http://127.0.0.1:9", "--only", "helth"),
            "there is no check helth; there are health, manifest",
        ),
        (("http://127.0.0.1:9", "--only", "health,invoke.x"), "there are invoke.answer, invoke.b"),
        (("http://127.0.0.1:9", "--seed", "x"), "Invalid value"),
    ],
)
async def test_what_cannot_be_run_is_told(arguments: tuple[str, ...], told: str) -> None:
    code, output, errors = await botcore("plugin", "check", *arguments)
    assert (code, output) == (2, "")
    assert told in errors
    assert "Traceback" not in errors


async def test_without_schemathesis_it_says_how_to_get_it(urls: dict[str, str]) -> None:
    script = (
        "import sys; sys.modules['schemathesis'] = None; sys.argv[0] = 'botcore'\n"
        "from impl.cli import main; main()"
    )

    async def run(*more: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", script, "plugin", "check", urls["new"].split()[0], *more),
            cwd=CALCULATOR.parents[1],
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()
        assert process.returncode is not None
        return process.returncode, errors.decode()

    code, errors = await run("--without-token", "--only", "health,generated.getPluginHealth")
    assert code == 2
    assert "`make kit` in " in errors
    assert (await run("--without-token", "--only", "health"))[0] == 0  # which needs none


async def test_where_there_is_no_plugin_it_asks_for_the_base_url(urls: dict[str, str]) -> None:
    url = urls["new"].split()[0] + "/elsewhere"
    code, output, errors = await botcore("plugin", "check", url, "--without-token")
    assert (code, output) == (2, "")
    assert errors == (
        f"botcore: there is no plugin at {url}: /health and /manifest answer 404; "
        "give its base_url\n"
    )


async def test_a_broken_promise_is_shown_with_its_repetition() -> None:
    async with broken(Break("it fails", "", around=on("/invoke", dict, status=201))) as url:
        code, output, _ = await botcore(
            "plugin", "check", url, "--only", "invoke.bare", token=BREAKS_TOKEN
        )
    assert code == 1
    assert "✗ FAILED     invoke.bare" in output
    assert "expected: 200" in output
    assert "came:     201" in output
    assert f'repeat:   curl -sS -i -X POST {url}/invoke -H "Authorization: Bearer $TOKEN"' in output
    assert BREAKS_TOKEN not in output


async def test_a_short_token_is_no_word_to_hide() -> None:
    async with aiohttp.ClientSession() as session:
        plugin = Plugin("http://h", "text", session)
        assert plugin.masked("/text, Bearer text") == "/text, Bearer $TOKEN"
