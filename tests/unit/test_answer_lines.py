"""An answer's line is made by itself, and yet as all others: its level, its place, its form."""

import json
import subprocess
import sys
from datetime import datetime

from tools.contract import ROOT

TRACE = "7f1d2c3e-5b6a-4c8d-9e0f-112233445566"
# In a process of its own: whoever logs keeps the logger that was there at first.
PROGRAM = f"""
import sys
import structlog
from generated.runtime import trace
from impl import logging
from impl.errors import LogObserver
logging.configure(sys.argv[1])
trace.enter("{TRACE}")
LogObserver().answered("getHealth", 404, "not_found", 0.0012345)
structlog.get_logger().info("other", operation="x")
"""


def lines(level: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, level], cwd=ROOT, capture_output=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_is_as_all_others() -> None:
    answer, other = lines("info")
    stamp = str(answer.pop("timestamp"))
    assert stamp.endswith("Z")
    assert datetime.fromisoformat(stamp) <= datetime.fromisoformat(str(other["timestamp"]))
    assert answer == {
        "operation": "getHealth", "status": 404, "code": "not_found", "ms": 1.23,
        "event": "answered", "level": "info", "trace_id": TRACE,
    }  # fmt: skip
    assert {*answer, "timestamp"} >= set(other)


def test_who_wants_warnings_alone_gets_none() -> None:
    assert lines("warning") == []
