"""What plugins do wrong, and what the core must make of each."""

import asyncio
import zlib
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.faults.raw import HEAD_END, Behaviour, Call, Greeting, Line, answer, said

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MIB = 1024 * 1024
ENDLESS = 3600.0


async def hang(line: Line, _call: Call) -> None:
    await line.until_closed()


async def drip(line: Line, call: Call) -> None:
    """A byte a second of an answer that would be good."""
    content = said(call)
    await line.send(HEAD + b"Content-Length: %d" % len(content) + HEAD_END)
    for byte in content:
        await line.send(bytes([byte]))
        await asyncio.sleep(1)


async def slow_headers(line: Line, _call: Call) -> None:
    await line.send(HEAD)
    while True:
        await line.send(b"X-More: 1\r\n")
        await asyncio.sleep(0.2)


async def chunks_for_ever(line: Line, _call: Call) -> None:
    await line.send(HEAD + b"Transfer-Encoding: chunked" + HEAD_END)
    while True:
        await line.send(b"1\r\n \r\n")
        await asyncio.sleep(0.05)


async def flood(line: Line, _call: Call) -> None:
    """Chunks without an end, as fast as they are taken."""
    await line.send(HEAD + b"Transfer-Encoding: chunked" + HEAD_END)
    while True:
        await line.send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


async def too_large(line: Line, _call: Call) -> None:
    await line.send(answer(b"", length=10 * MIB))
    for _ in range(10):
        await line.send(b" " * MIB)


def _bomb() -> bytes:
    """64 MiB of spaces in 64 KiB."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packing.compress(b" " * MIB) for _ in range(64)), packing.flush()])


BOMB = _bomb()


async def gzip_bomb(line: Line, _call: Call) -> None:
    await line.send(answer(BOMB, "200 OK", "Content-Encoding: gzip"))


async def broken_json(line: Line, call: Call) -> None:
    await line.send(answer(said(call)[:-1]))


async def wrong_schema(line: Line, call: Call) -> None:
    await line.send(answer(said(call, confidence=2)))


async def answers_its_own_way(line: Line, call: Call) -> None:
    """Fits the contract, and not the output_schema that the plugin registered."""
    await line.send(answer(said(call, "certainly")))


async def wrong_trace(line: Line, _call: Call) -> None:
    await line.send(answer(b'{"text": "done", "trace_id": "%s"}' % str(uuid4()).encode()))


async def wrong_invocation(line: Line, call: Call) -> None:
    await line.send(answer(said(call, invocation_id=str(uuid4()))))


async def reset_before_an_answer(line: Line, _call: Call) -> None:
    line.reset()


async def reset_after_the_headers(line: Line, call: Call) -> None:
    await line.send(HEAD + b"Content-Length: %d" % len(said(call)) + HEAD_END)
    await asyncio.sleep(0.02)  # so that they are read before the reset throws them away
    line.reset()


async def reset_after_the_body(line: Line, call: Call) -> None:
    """The answer is whole: whoever keeps the connection finds it gone at its next call."""
    await line.send(answer(said(call)))
    line.reset()


async def dies_in_mid_answer(line: Line, call: Call) -> None:
    whole = answer(said(call))
    await line.send(whole[: len(whole) - 10])
    line.writer.close()


async def answers_twice(line: Line, call: Call) -> None:
    """Both at once: whoever keeps the connection finds an answer to its next call."""
    await line.send(answer(said(call)) + answer(said(call, "again")))


async def answers_again_later(line: Line, call: Call) -> None:
    await line.send(answer(said(call)))
    await asyncio.sleep(0.05)
    await line.send(answer(said(call, "again")))


async def never_reads(line: Line) -> None:
    """Takes the connection, and nothing that comes on it."""
    line.writer.transport.pause_reading()  # type: ignore[attr-defined]  # of sockets
    await asyncio.sleep(ENDLESS)


async def closes_at_once(line: Line) -> None:
    line.writer.close()


def status(text: str, *headers: str) -> Behaviour:
    async def reply(line: Line, _call: Call) -> None:
        await line.send(answer(b"{}", text, *headers))

    return reply


@dataclass(frozen=True)
class Case:
    """`code`: the bot's; None where the answer is good. `late`: the deadline runs out over it, so
    that the bot hears `queued`, and the end comes through the worker. `wait`: what the plugin asks
    for between two attempts, in seconds. `most`: attempts of one delivery.
    """

    name: str
    behave: Behaviour
    code: str | None
    late: bool = False
    greet: Greeting | None = None
    manifest: dict[str, Any] = field(default_factory=dict)
    deadline_ms: int | None = None
    wait: float = 0.0
    most: int | None = None

    @property
    def call_status(self) -> str:
        if self.code is None:
            return "succeeded"
        return "timeout" if self.code == "plugin_timeout" else "failed"


TIMEOUT, GONE, REFUSED = "plugin_timeout", "plugin_unavailable", "plugin_rejected"
INVALID, LARGE = "plugin_answer_invalid", "plugin_answer_too_large"
SAYS_OK = {"type": "object", "properties": {"text": {"type": "string", "pattern": "^ok$"}}}

TABLE = [
    Case("hangs", hang, TIMEOUT, late=True),
    Case("hangs, the bot has 0.5 s", hang, TIMEOUT, late=True, deadline_ms=500),
    Case("a byte a second", drip, TIMEOUT, late=True),
    Case("headers without an end", slow_headers, TIMEOUT, late=True),
    Case("chunks without an end", chunks_for_ever, TIMEOUT, late=True),
    Case("never reads", hang, TIMEOUT, late=True, greet=never_reads),
    Case("500", status("500 Internal Server Error"), REFUSED, most=1),
    Case("302", status("302 Found", "Location: http://127.0.0.1:9/invoke"), REFUSED, most=1),
    Case("429", status("429 Too Many Requests"), GONE),
    Case("429, Retry-After: 1", status("429 Too Many Requests", "Retry-After: 1"), GONE, wait=1),
    Case("429, Retry-After: 3600", status("429 Too Many Requests", "Retry-After: 3600"), GONE,
         wait=3600, most=1),
    Case("503", status("503 Service Unavailable"), GONE),
    Case("a flood of chunks", flood, LARGE, most=1),
    Case("10 MiB", too_large, LARGE, most=1),
    Case("gzip bomb", gzip_bomb, LARGE, most=1),
    Case("broken JSON", broken_json, INVALID, most=1),
    Case("wrong schema", wrong_schema, INVALID, most=1),
    Case("not its own output_schema", answers_its_own_way, "plugin_output_invalid", most=1,
         manifest={"output_schema": SAYS_OK}),
    Case("wrong trace_id", wrong_trace, INVALID, most=1),
    Case("wrong invocation_id", wrong_invocation, INVALID, most=1),
    Case("closes at once", hang, GONE, greet=closes_at_once),
    Case("reset before an answer", reset_before_an_answer, GONE),
    Case("reset after the headers", reset_after_the_headers, GONE),
    Case("reset after the body", reset_after_the_body, None, most=1),
    Case("dies in mid-answer", dies_in_mid_answer, GONE),
    Case("answers twice", answers_twice, None),
    Case("answers again later", answers_again_later, None),
]  # fmt: skip
