"""The way to the server: an answer is read up to a cap, whatever its status."""

from collections.abc import AsyncIterator

import httpx2

CONNECTIONS = httpx2.Limits(max_connections=200, max_keepalive_connections=50)


class TooLargeError(Exception):
    """More than the cap."""


class EncodedError(Exception):
    """A compressed answer, which nobody asked for: unpacked it may be of any size."""


class _Capped(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                raise TooLargeError
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class CappedTransport(httpx2.AsyncBaseTransport):
    """No proxy, no variable of the environment, and no more than `most` bytes of a body."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False, limits=CONNECTIONS)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise EncodedError
        if not isinstance(response.stream, httpx2.AsyncByteStream):
            raise TypeError("the transport answered with a stream that blocks")
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Capped(response.stream, self._most),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()
