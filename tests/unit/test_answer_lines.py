"""An answer's line is made by itself, and yet as all others: its level, its place, its form."""

import json
import logging as standard
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest
import structlog

from generated.runtime import trace
from impl import logging
from impl.errors import LogObserver

TRACE = "7f1d2c3e-5b6a-4c8d-9e0f-112233445566"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(standard, "basicConfig", lambda **_options: None)
    before = structlog.get_config()
    yield
    structlog.configure(**before)


Out = pytest.CaptureFixture[bytes]


def lines(out: Out, level: str) -> list[dict[str, object]]:
    logging.configure(level)
    trace.enter(TRACE)
    LogObserver().answered("getHealth", 404, "not_found", 0.0012345)
    structlog.get_logger().info("other", operation="x")
    return [json.loads(line) for line in out.readouterr().out.splitlines()]


def test_it_is_as_all_others(capsysbinary: Out) -> None:
    answer, other = lines(capsysbinary, "info")
    stamp = str(answer.pop("timestamp"))
    assert stamp.endswith("Z")
    assert datetime.fromisoformat(stamp) <= datetime.fromisoformat(str(other["timestamp"]))
    assert answer == {
        "operation": "getHealth", "status": 404, "code": "not_found", "ms": 1.23,
        "event": "answered", "level": "info", "trace_id": TRACE,
    }  # fmt: skip
    assert {*answer, "timestamp"} >= set(other)


def test_who_wants_warnings_alone_gets_none(capsysbinary: Out) -> None:
    assert lines(capsysbinary, "warning") == []
