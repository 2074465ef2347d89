import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl.tokens import format as token_format
from impl.tokens.format import BASE62, Kind, mint, parse

KINDS: tuple[Kind, ...] = get_args(Kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_minted_parses(kind: Kind) -> None:
    new = mint(kind)
    parsed = parse(new.plaintext)
    assert parsed is not None
    assert (parsed.kind, parsed.id) == (kind, new.id)
    form = rf"bc_{kind}_[0-9A-Za-z]{{16}}_[0-9A-Za-z]{{43}}_[0-9A-Za-z]{{6}}"
    assert re.fullmatch(form, new.plaintext)


def test_no_two_are_alike() -> None:
    new = [mint("bot") for _ in range(200)]
    assert len({token.id for token in new}) == len({token.plaintext for token in new}) == 200


@pytest.mark.parametrize("secret", [0, 2**256 - 1])
def test_the_width_does_not_depend_on_the_secret(
    secret: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.randbits", lambda _: secret)
    plaintext = mint("bot").plaintext
    assert len(plaintext) == len("bc_bot_") + 16 + 1 + 43 + 1 + 6
    assert parse(plaintext)


def test_any_changed_character_is_noticed() -> None:
    plaintext = mint("plugin").plaintext
    for at in range(len(plaintext)):
        for other in "0Zz_é\n":
            if other != plaintext[at]:
                assert parse(plaintext[:at] + other + plaintext[at + 1 :]) is None, at


def test_a_checksum_of_a_form_that_is_no_token_does_not_help() -> None:
    checked = f"bc_root_{'a' * 16}_{'b' * 43}_"
    assert parse(checked + token_format._checksum(checked)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_may_stand_around_a_token(kind: Kind) -> None:
    plaintext = mint(kind).plaintext
    for wrong in (plaintext + "\n", " " + plaintext, plaintext + "0", plaintext[:-1], ""):
        assert parse(wrong) is None


@given(st.text(st.characters(codec=None)))
def test_any_text_is_taken_without_a_complaint(text: str) -> None:
    assert parse(text) is None


@given(st.text(BASE62 + "_", max_size=100))
def test_text_that_resembles_a_token_is_none(text: str) -> None:
    assert parse("bc_bot_" + text) is None


def test_a_token_does_not_print_its_secret() -> None:
    new = mint("admin")
    assert new.plaintext not in repr(new)
    assert new.id in repr(new)
