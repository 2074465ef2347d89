from datetime import timedelta

import pytest
import typer

from generated import models
from impl.cli.values import check, lifetime, overlap_of, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45", 45), ("45s", 45), ("30m", 1800), ("12h", 43_200), ("90d", 7_776_000), ("0", 0)],
)
def test_a_duration_has_a_unit_or_is_seconds(text: str, seconds: int) -> None:
    assert seconds_of(text, "--any") == seconds


@pytest.mark.parametrize("text", ["", "d", "-1", "1.5h", "1w", "1 d", "٣", "1d2h", "9" * 11])
def test_what_is_no_duration_is_said_in_one_line(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        seconds_of(text, "--any")
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == (
        "botcore: --any: give a number of seconds, or one with s, m, h or d, such as 90d\n"
    )


def test_what_is_left_out_is_the_contracts_default() -> None:
    assert lifetime(None) is None
    assert overlap_of(None) == timedelta(minutes=10)
    assert overlap_of("0") == timedelta(0)


def test_each_fault_is_said_once_and_no_value_is_repeated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit):
        check(models.BotScopes, ["s3cret", "s3cret"], "--scope")
    assert capsys.readouterr().err == (
        "botcore: --scope: Input should be 'dialogs:read', 'dialogs:write', 'users:erase' or"
        " 'users:write'\n"
    )


def test_a_name_of_half_a_character_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """As an argument that is not UTF-8 arrives."""
    with pytest.raises(typer.Exit):
        check(models.Name, "a\udcff", "--name")
    assert capsys.readouterr().err.count("\n") == 1
