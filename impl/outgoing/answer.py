"""An answer's body, within a cap that holds before and after unpacking."""

import zlib

import aiohttp

CHUNK = 65536
# We ask for `identity`; who packs all the same is unpacked, as far as the cap.
GZIP, ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS
PACKINGS = {"gzip": GZIP, "x-gzip": GZIP, "deflate": ZLIB}


class AnswerTooLargeError(Exception):
    """More came than may come, as sent or unpacked."""


class PackingError(ValueError):
    """The answer is packed in a way that is not understood, or not whole."""


async def read_capped(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Raises AnswerTooLargeError as soon as it is known, PackingError, aiohttp.ClientError."""
    if (response.content_length or 0) > most_bytes:
        raise AnswerTooLargeError
    packing = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packing != "identity":
        return await _unpack(response, packing, most_bytes)
    content = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        content += chunk
        if len(content) > most_bytes:
            raise AnswerTooLargeError
    return bytes(content)


async def _unpack(response: aiohttp.ClientResponse, packing: str, most_bytes: int) -> bytes:
    if packing not in PACKINGS:
        raise PackingError("unknown Content-Encoding")
    unpacker = zlib.decompressobj(PACKINGS[packing])
    content = bytearray()
    received = 0
    async for chunk in response.content.iter_chunked(CHUNK):
        received += len(chunk)
        try:  # no more than there is room for: a bomb is never unpacked
            content += unpacker.decompress(chunk, most_bytes + 1 - len(content))
        except zlib.error:
            raise PackingError("broken") from None
        if len(content) > most_bytes or received > most_bytes:
            raise AnswerTooLargeError
    if not unpacker.eof or unpacker.unused_data:
        raise PackingError("not one whole packed answer")
    return bytes(content)
