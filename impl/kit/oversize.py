"""A body that nobody has to read to its end: sending stops as soon as there is an answer."""

import contextlib
import http.client
import select
from urllib.parse import urlsplit

from impl.kit.promise import Answer
from impl.kit.requests import Request

PIECE = b" " * 65536
SECONDS = 20.0


def send_until_answered(url: str, request: Request, size: int) -> Answer | None:
    """The answer to `size` bytes of white space; None where the connection closes without one."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    with contextlib.closing(connection):
        try:
            connection.putrequest(request.method, parts.path.rstrip("/") + request.path)
            for name, value in {**request.sent_headers(), "Content-Length": str(size)}.items():
                connection.putheader(name, value)
            connection.endheaders()
            _send(connection, size)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())
        except (http.client.HTTPException, OSError):
            return None


def _send(connection: http.client.HTTPConnection, size: int) -> None:
    # Who refuses may close at once: what it said before is then still to be read.
    with contextlib.suppress(ConnectionError):
        for _ in range(size // len(PIECE)):
            if select.select([connection.sock], [], [], 0)[0]:
                return
            connection.send(PIECE)
