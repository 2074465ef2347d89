"""The peers answer the same message alike, and those that check refuse the same."""

import json
from importlib import import_module
from typing import Any

import pytest
from starlette.types import Message, Scope

from tests.load.peers.contract.answer import DIALOG, MESSAGE, PATH, TOKEN, answer

PEERS = ("bare", "by_hand", "edge", "edge_model")
CHECKING = PEERS[1:]
WRONG: list[dict[str, Any]] = [
    {**MESSAGE, "user_id": "nobody"},
    {**MESSAGE, "more": 1},
    {"payload": MESSAGE["payload"]},
    {**MESSAGE, "payload": {"type": "text", "text": ""}},
    {**MESSAGE, "payload": {"type": "smell", "text": "x"}},
]


async def ask(peer: str, body: object, token: str = TOKEN) -> tuple[int, str, Any]:
    app = import_module(f"tests.load.peers.contract.{peer}").app
    content = json.dumps(body).encode()
    path = PATH.format(dialog_id=DIALOG)
    scope: Scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("test", 80),
        "headers": [(b"x-bot-token", token.encode()), (b"content-type", b"application/json")],
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    media = dict(sent[0]["headers"])[b"content-type"].decode()
    return sent[0]["status"], media, json.loads(sent[1]["body"])


@pytest.mark.parametrize("peer", PEERS)
async def test_each_answers_alike(peer: str) -> None:
    assert await ask(peer, MESSAGE) == (200, "application/json", answer(DIALOG, "hello"))


@pytest.mark.parametrize("peer", CHECKING)
async def test_who_checks_refuses_in_the_declared_shape(peer: str) -> None:
    asked = [(await ask(peer, body), 422) for body in WRONG]
    asked.append((await ask(peer, MESSAGE, token="another"), 401))
    for (status, media, body), expected in asked:
        assert (status, media) == (expected, "application/problem+json")
        assert {"code", "detail", "errors", "status", "trace_id"} <= set(body)
