"""A plugin server that costs next to nothing: python -m tests.load.peers.plugin PORT [--ms N]"""

import argparse
import asyncio

import orjson
import uvloop

HEALTHY = b'{"status":"ok","version":"1.0.0"}'


class Plugin(asyncio.Protocol):
    """One request at a time on a connection, as clients of HTTP/1.1 send them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def connection_lost(self, _reason: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(body) < int(length or 0):
            return
        self._buffer = b""
        if not head.startswith(b"POST /invoke"):
            self._send(HEALTHY)
            return
        answer = orjson.dumps({"text": "done", "trace_id": orjson.loads(body)["trace_id"]})
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self._send, answer)
        else:
            self._send(answer)

    def _send(self, content: bytes) -> None:
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(content), content)
            )


async def serve(port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Plugin(seconds), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--ms", type=float, default=0.0, help="what an answer takes")
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.ms / 1000))
