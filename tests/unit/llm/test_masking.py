"""What may stand in a log: no secret, and no more than 2 KB."""

import time

import pytest

from impl.llm.masking import MASK, MAX_BYTES, cut, masked

SECRETS = [
    "Bearer abcdefghij0123456789",
    "authorization: basic dXNlcjpwYXNzd29yZA==",
    "bc_bot_0123456789abcdef_secretpart",
    "sk-canary-0123456789",
    "sk-proj-abcdefghijklmnop",
    "ghp_abcdefghijklmnopqrst",
    "github_pat_abcdefghijkl",
    "xoxb-123456789012",
    "hf_abcdefghijklmn",
    "AIzaSyA1234567890abc",
    "AKIAABCDEFGHIJKLMNOP",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----",
    "password=hunter2!",
    '"api_key": "abcdef"',
    "пароль: тайна123",  # noqa: RUF001  # in Russian
    "postgresql://user:hunter2@db.example.com/x",
    "ada@example.com",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "378282246310005",
]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_what_looks_like_a_secret_is_masked(secret: str) -> None:
    shown = masked(f"it is {secret} there")
    assert MASK in shown
    telling = max(secret.replace("\n", " ").split(), key=len)
    assert telling not in shown


def test_a_key_that_looks_like_nothing_is_masked_where_it_is_known() -> None:
    assert masked("plainword and plainword", ["plainword", ""]) == f"{MASK} and {MASK}"


@pytest.mark.parametrize(
    "text", ["What is the weather at 18:30 on 2026-11-27?", "token prices", "5 + 7 = 12", "привет"]
)
def test_ordinary_words_stay(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "text", ["a" * 5000, "ы" * 5000, "😀" * 5000, "a" + "😀" * 600], ids=range(4)
)
def test_a_long_text_is_cut_between_characters(text: str) -> None:
    shown = cut(text)
    assert len(shown.encode()) <= MAX_BYTES
    assert len(shown.encode()) > MAX_BYTES - 8
    assert text.startswith(shown.removesuffix("…"))


def test_a_text_that_fits_stays_whole() -> None:
    assert cut("x" * MAX_BYTES) == "x" * MAX_BYTES


def test_no_text_takes_long() -> None:
    """RE2 never backtracks: a megabyte that nearly is a secret, over and over."""
    for text in ("bearer " * 150_000, "a@" * 500_000, "1 " * 500_000, "-----BEGIN A-----" * 60_000):
        began = time.process_time()
        masked(text)
        assert time.process_time() - began < 20
