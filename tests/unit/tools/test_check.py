"""`python -m tools.check` says what is wrong, and by its exit status that something is."""

import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from tests.unit.tools.conftest import Edit
from tools import asyncapi, check, redocly, routes
from tools.contract import ROOT, ContractError


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[str]:
        raise ContractError("paths/x.yaml: no such file")

    monkeypatch.setattr(
        check,
        "CHECKS",
        {
            "good": ("all is well", list),
            "bad": ("nothing is", lambda: [f"reason {n}" for n in range(300)]),
            "broken": ("cannot be read", broken),
        },
    )


@pytest.mark.usefixtures("checks")
class TestMain:
    def test_a_good_check_passes(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert check.main(["good"]) == 0
        assert capsys.readouterr().out.startswith("✓ good       all is well (")

    def test_a_bad_one_fails_with_its_reasons(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert check.main([]) == 1
        said = capsys.readouterr().out.splitlines()
        assert said[1].startswith("✗ bad")
        assert said[2] == "    reason 0"
        assert "    … and 200 lines more" in said
        assert "    paths/x.yaml: no such file" in said
        assert said[-1] == "failed: bad, broken (again: python -m tools.check bad broken)"

    def test_an_unknown_name_is_no_success(self) -> None:
        with pytest.raises(SystemExit) as ended:
            check.main(["god"])
        assert ended.value.code == 2


def test_a_command_fails_with_what_it_says() -> None:
    assert "no_such_tool" in check.command("no_such_tool")()[-1]
    assert check.command("ruff", "--version")() == []


def test_redocly_finds_what_ours_do_not(contract: Path, edit: Edit, tmp_path: Path) -> None:
    target = tmp_path / "contracts" / "v1alpha"
    edit("parameters/Limit.yaml", "description: The size of the page.\n", "")
    edit("openapi.yaml", "{name: users, description: ", "{name: users, x-about: ")
    target.parent.mkdir()
    shutil.move(contract, target)
    shutil.copytree(ROOT / "generated", tmp_path / "generated")
    said = "\n".join(redocly.findings(tmp_path))
    assert "parameter-description" in said
    assert "tag-description" in said


def test_asyncapis_own_schema_finds_what_redocly_does_not(contract: Path, edit: Edit) -> None:
    edit("events.asyncapi.yaml", "action: send, channel", "action: shout, channel")
    edit("events.asyncapi.yaml", "      summary: A plugin call failed.", "      contentTyp: x")
    said = asyncapi.findings(contract)
    assert [line.split(": ")[1] for line in said] == [
        "$.operations.publishPluginEvents.action",
        "$.components.messages.plugin_failed",
    ]
    assert "'shout' is not one of ['send', 'receive']" in said[0]


def test_a_route_that_is_not_declared_is_told() -> None:
    app = routes._core()
    app.router.routes.append(Route("/backdoor", lambda _: None))
    app.router.routes.append(Mount("/static", routes=[]))
    app.router.lifespan_context = _bound_already
    said = routes.differences("openapi.yaml", app)
    assert "openapi.yaml: ANY /backdoor (not generated) is served, not declared" in said
    assert "openapi.yaml: ANY /static (not generated) is served, not declared" in said
    assert "openapi.yaml: POST /api/v1/users (upsertUser) is declared, not served" in said


class _bound_already:  # noqa: N801  # stands for a function
    def __init__(self, app: Starlette) -> None: ...

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def test_the_applications_serve_what_is_declared() -> None:
    assert routes.findings() == []
