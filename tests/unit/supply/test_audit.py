"""`make audit` fails where it could not look: no answer is never taken for a good one."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.ports import spare_port
from tools.supply import audit
from tools.supply.locked import DEVELOPMENT, RUNTIME, read

Answer = Callable[[list[Any]], tuple[int, Any]]
CANARY = audit.CANARY
KNOWN = {"id": "GHSA-0000-0000-0000", "modified": "2024-01-01T00:00:00Z"}
DETAILS = {
    **KNOWN,
    "summary": "a test's own",
    "affected": [{
        "package": {"ecosystem": "PyPI", "name": "aiohttp"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
    }],
}  # fmt: skip


@contextmanager
def service(answer: Answer) -> Iterator[str]:
    """A service of OSV's form; what it was asked in one query is given to `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send(*answer(asked["queries"]))

        def do_GET(self) -> None:
            self.send(200, DETAILS)

        def send(self, status: int, value: object) -> None:
            raw = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def knows(*names: str) -> Answer:
    def answer(queries: list[Any]) -> tuple[int, Any]:
        return 200, {
            "results": [
                {"vulns": [KNOWN]} if query["package"]["name"] in names else {} for query in queries
            ]
        }

    return answer


def test_where_nothing_is_known_it_says_so() -> None:
    asked: list[Any] = []

    def answer(queries: list[Any]) -> tuple[int, Any]:
        asked.extend(queries)
        return knows(CANARY.name)(queries)

    with service(answer) as url:
        assert audit.python(url) == []
    locked = read(RUNTIME, DEVELOPMENT)
    assert {(each["package"]["name"], each["version"]) for each in asked} == {
        (package.name, package.version) for package in (*locked, CANARY)
    }


def test_what_is_known_is_told() -> None:
    with service(knows(CANARY.name, "aiohttp")) as url:
        [told] = audit.python(url)
    assert told.startswith("aiohttp 3.")
    assert "GHSA-0000-0000-0000 a test's own, mended in 99" in told


@pytest.mark.parametrize(
    "answer",
    [
        knows(),  # 200, and nothing is known of what is surely vulnerable
        lambda queries: (200, {"results": [{}] * (len(queries) - 1)}),
        lambda _: (200, {}),
        lambda _: (403, {}),
    ],
    ids=["knows nothing", "fewer results", "no results", "refuses"],
)
def test_an_answer_that_is_worth_nothing_is_no_good_one(answer: Answer) -> None:
    with service(answer) as url, pytest.raises(audit.BlindError):
        audit.python(url)


def test_without_an_answer_the_exit_code_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    nobody = f"http://127.0.0.1:{spare_port()}/"
    assert audit.main(["--service", nobody, "--registry", nobody]) == audit.BLIND
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told] == ["· python", "· node", "✓ security.txt"]


def test_a_blind_look_outweighs_what_another_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(_: object) -> list[str]:
        raise audit.BlindError("away")

    monkeypatch.setattr(audit, "node", blind)
    monkeypatch.setattr(audit, "python", lambda _: [])
    assert audit.main([]) == audit.BLIND
    monkeypatch.setattr(audit, "python", lambda _: ["known"])
    assert audit.main([]) == audit.BLIND
    monkeypatch.setattr(audit, "node", lambda _: [])
    assert audit.main([]) == audit.KNOWN
    monkeypatch.setattr(audit, "python", lambda _: [])
    assert audit.main([]) == audit.CLEAN


def test_a_security_txt_is_renewed_in_time() -> None:
    text = "Contact: mailto:x@example.com\nExpires: 2027-03-01T00:00:00Z\n"
    assert audit.expiry(text, datetime(2027, 1, 1, tzinfo=UTC)) == []
    assert audit.expiry(text, datetime(2027, 2, 20, tzinfo=UTC)) != []
    assert audit.expiry("Contact: x\n", datetime(2027, 1, 1, tzinfo=UTC)) != []
    ours = Path(audit.SECURITY_TXT).read_text()
    assert {"Contact:", "Expires:"} <= {line.split(" ")[0] for line in ours.splitlines()}
