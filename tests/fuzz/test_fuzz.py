"""A few examples of what `make fuzz` tries for minutes; the same ones each time."""

import pytest
from hypothesis import strategies as st

from tests.fuzz import __main__ as command
from tests.fuzz import bodies, urls
from tests.fuzz.properties import Property

EXAMPLES = 100


@pytest.mark.parametrize(
    "each", [*bodies.PROPERTIES, *urls.PROPERTIES], ids=lambda each: str(each.name)
)
def test_it_holds_of_a_few_examples(each: Property) -> None:
    each.try_out(EXAMPLES)


def _small(number: int) -> None:
    assert number < 1000


def test_what_breaks_a_property_is_told_and_can_be_tried_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Property("numbers", st.integers(), _small)
    monkeypatch.setattr(command, "PROPERTIES", (broken,))
    assert command.main(["--seconds", "20", "--seed", "3"]) == 1
    said = capsys.readouterr()
    assert "\nof 1000\n" in said.err
    assert "python -m tests.fuzz --only numbers --seed " in said.err


def test_a_clean_run_says_what_was_tried(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PROPERTIES", (Property("numbers", st.integers(0, 9), _small),))
    assert command.main(["--seconds", "0.1"]) == 0
    assert "numbers" in capsys.readouterr().out


def test_a_name_that_there_is_not_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--only", "nothing"])
    assert ended.value.code == 2
    assert "body.json" in capsys.readouterr().err
