"""What the gate lets pass, what it refuses, and what it says then."""

import shutil
from pathlib import Path

import pytest

from tests.unit.tools.compat.changing import apply
from tools import check, release
from tools.compat import __main__ as command
from tools.compat.compare import differences
from tools.compat.gate import Gate, numbers
from tools.compat.released import current, read, releases, write
from tools.contract import CONTRACT, ContractError

CHANGELOG = (
    "# Changelog\n\n## Unreleased ({version})\n{lines}\n\n## {released} (2026-01-01)\n- Begun.\n"
)


class Files:
    """A project of its own with a released contract, and what a test does to it."""

    def __init__(self, folder: Path, released: str = "0.1.0") -> None:
        self.gate = Gate(
            folder / "v1alpha",
            folder / "released",
            folder / "CHANGELOG.md",
            folder / "p.toml",
            differences,
        )
        self.last = released
        shutil.copytree(CONTRACT, self.gate.contract)
        write(current(self.gate.contract), released, self.gate.released)
        self.say(version=released)

    def say(self, *lines: str, version: str) -> None:
        text = CHANGELOG.format(version=version, lines="\n".join(lines), released=self.last)
        self.gate.changelog.write_text(text)
        self.gate.project.write_text(f'[project]\nversion = "{version}"\n')

    def break_it(self) -> None:
        apply(self.gate.contract, "schemas/MessageId.yaml", "maxLength", 64)
        apply(
            self.gate.contract, "events.asyncapi.yaml", "channels dialogEvents address", "dialogs"
        )


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


MESSAGE = "- `[CORE]` **breaking** `MessageId` takes 64 characters: shorten yours."
EVENTS = "- `[CORE]` **breaking** `dialog:events` is `dialogs` now."


def test_the_released_contract_itself_passes(files: Files) -> None:
    assert files.gate.changes() == []
    assert files.gate.findings() == []


def test_a_compatible_change_passes(files: Files) -> None:
    apply(files.gate.contract, "schemas/PluginBaseUrl.yaml", "maxLength", 2048)
    assert [change.kind for change in files.gate.changes()] == ["compatible"]
    assert files.gate.findings() == []


def test_a_breaking_change_is_refused_with_what_to_do(files: Files) -> None:
    files.break_it()
    said = "\n".join(files.gate.findings())
    assert "schemas/MessageId: maxLength was 128, is 64; what was good is refused" in said
    assert "events.asyncapi: channels/dialogEvents: dialog:events became dialogs" in said
    assert "- `[CORE]` **breaking** `MessageId`, `dialog:events`: …" in said
    assert "Raise the version in p.toml to 0.2.0: " in said


def test_announced_and_with_a_new_minor_version_it_passes(files: Files) -> None:
    files.break_it()
    files.say(MESSAGE, EVENTS, version="0.2.0")
    assert files.gate.findings() == []


def test_each_breaking_change_is_announced(files: Files) -> None:
    files.break_it()
    files.say(MESSAGE, version="0.2.0")
    said = files.gate.findings()
    assert len(said) == 2
    assert "dialog:events became dialogs" in said[0]


@pytest.mark.parametrize("version", ["0.1.0", "0.1.9"])
def test_a_patch_may_break_nothing(files: Files, version: str) -> None:
    files.break_it()
    files.say(MESSAGE, EVENTS, version=version)
    assert [line.split(":")[0] for line in files.gate.findings()] == [
        "Raise the version in p.toml to 0.2.0"
    ]


def test_what_an_earlier_release_announced_excuses_nothing(files: Files) -> None:
    files.break_it()
    files.say(version="0.2.0")
    text = files.gate.changelog.read_text()
    files.gate.changelog.write_text(text.replace("- Begun.", f"{MESSAGE}\n{EVENTS}"))
    assert len(files.gate.findings()) == 3


def test_from_1_0_it_needs_a_major_version_and_a_served_successor(tmp_path: Path) -> None:
    files = Files(tmp_path, released="1.4.0")
    files.break_it()
    files.say(MESSAGE, EVENTS, version="1.5.0")
    assert "to 2.0.0" in files.gate.findings()[0]
    files.say(MESSAGE, EVENTS, version="2.0.0")
    [said] = files.gate.findings()
    assert said.startswith("/api/v2/ must be served beside the old one before that breaks")
    assert "it was for 0 of 2 minor releases" in said
    released = current(CONTRACT)
    released.documents["openapi"]["paths"]["/api/v2/users"] = {}
    for version in ("1.5.0", "1.5.1", "1.6.0"):
        write(released, version, files.gate.released)
    del released.documents["openapi"]["paths"]["/api/v2/users"]
    write(released, "1.7.0", files.gate.released)
    assert files.gate.findings() == []


class TestBeforeTheFirstRelease:
    def test_everything_passes(self, files: Files) -> None:
        shutil.rmtree(files.gate.released)
        files.gate.changelog.write_text("# Changelog\n\n## Unreleased (0.1.0)\n- All.\n")
        files.break_it()
        assert files.gate.findings() == []

    def test_a_lost_snapshot_is_told(self, files: Files) -> None:
        shutil.rmtree(files.gate.released)
        with pytest.raises(ContractError, match=r"0\.1\.0 .* has no snapshot"):
            files.gate.findings()

    def test_half_of_one_too(self, files: Files) -> None:
        (files.gate.released / "errors.json").unlink()
        with pytest.raises(ContractError, match=r"errors\.json: no such file"):
            files.gate.findings()


class TestCommand:
    def test_lists_all_changes_the_breaking_ones_first(
        self, files: Files, capsys: pytest.CaptureFixture[str]
    ) -> None:
        files.break_it()
        apply(files.gate.contract, "schemas/PluginBaseUrl.yaml", "maxLength", 2048)
        assert command.main([], files.gate) == 1
        kinds = [line.split()[1] for line in capsys.readouterr().out.splitlines()]
        assert kinds.index("compatible") > kinds.index("breaking")

    def test_is_content_with_what_is_announced(
        self, files: Files, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert command.main([], files.gate) == 0
        assert "nothing changed" in capsys.readouterr().out


class TestRelease:
    def test_a_snapshot_is_read_as_it_was_written(self, files: Files) -> None:
        assert read(files.gate.released) == current()
        assert releases(files.gate.released) == [{"version": "0.1.0", "serves": ["v1"]}]

    def test_the_same_version_again_replaces_its_entry(self, files: Files) -> None:
        write(current(), "0.2.0", files.gate.released)
        write(current(), "0.2.0", files.gate.released)
        assert [item["version"] for item in releases(files.gate.released)] == ["0.1.0", "0.2.0"]

    def test_dates_what_was_unreleased(self) -> None:
        text = release.dated("# C\n\n## Unreleased (0.2.0)\n- x\n", "0.2.0", "2026-02-03")
        assert text == "# C\n\n## 0.2.0 (2026-02-03)\n- x\n"

    def test_refuses_another_version_than_the_changelog_has(self) -> None:
        with pytest.raises(SystemExit, match=r"Unreleased \(0.3.0\)"):
            release.dated("# C\n\n## Unreleased (0.2.0)\n", "0.3.0", "2026-02-03")

    def test_demands_a_clean_check(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(check, "CHECKS", {"bad": ("nothing is well", lambda: ["a reason"])})
        monkeypatch.setattr(release, "write", lambda *_: pytest.fail("it was released"))
        assert release.main([]) == 1


def test_the_check_is_part_of_make_check() -> None:
    assert "compat" in check.CHECKS


def test_what_is_no_version_is_told() -> None:
    with pytest.raises(ContractError, match="soon is no version"):
        numbers("soon")
