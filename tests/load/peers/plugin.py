"""A plugin server that costs next to nothing: python -m tests.load.peers.plugin PORT

It answers at once, or `after 100 ms` where the message says so.
"""

import asyncio
import sys

import orjson
import uvloop

HEALTHY = b'{"status":"ok","version":"1.0.0"}'


class Plugin(asyncio.Protocol):
    """One request at a time on a connection, as clients of HTTP/1.1 send them."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # asyncio types a base transport
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
        call = orjson.loads(body)
        answer = orjson.dumps({"text": "done", "trace_id": call["trace_id"]})
        text: str = call["payload"]["text"]
        if text.startswith("after "):
            seconds = int(text.split()[1]) / 1000
            asyncio.get_running_loop().call_later(seconds, self._send, answer)
        else:
            self._send(answer)

    def _send(self, content: bytes) -> None:
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (len(content), content)
            )


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Plugin, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
