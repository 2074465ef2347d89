"""Where promtool comes from, and what is said where it cannot be had."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import promtool


def test_promtool_is_here_and_finds_nothing() -> None:
    assert promtool.findings() == []
    assert "promtool, version" in promtool.run("--version").stdout


def test_a_wrong_rule_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "alerts.yaml"
    wrong.write_text("groups: [{name: a, rules: [{alert: A, expr: 'rate(x_total[5m)'}]}]")
    monkeypatch.setattr(promtool, "ALERTS", wrong)
    assert "could not parse expression" in "\n".join(promtool.findings())


def test_one_that_is_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "tool"
    monkeypatch.setenv("PROMTOOL", str(program))
    with pytest.raises(promtool.PromtoolMissingError, match="which is no program"):
        promtool.find()
    program.touch(mode=0o755)
    assert promtool.find() == program


def test_where_there_is_none_the_check_fails_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promtool, "UNPACKED", tmp_path / "promtool")
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert "install Prometheus" in "\n".join(promtool.findings())


def test_packages_that_cannot_be_had_are_told_with_apts_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("apt-get", "dpkg-deb"):
        (tmp_path / name).write_text("#!/bin/sh\necho no such package >&2\nexit 100\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(promtool, "UNPACKED", tmp_path / "promtool")
    monkeypatch.setattr(shutil, "which", _without_promtool(shutil.which))
    said = promtool.findings()
    assert "install Prometheus" in said[0]
    assert "apt-get download prometheus: no such package" in said
    assert not (tmp_path / "promtool").exists()


def _without_promtool(which: Callable[[str], str | None]) -> Callable[[str], str | None]:
    return lambda name: None if name == "promtool" else which(name)
