"""How plugins are talked to: no redirects, no proxy from the environment, no unpacking, a cap."""

import aiohttp


class AnswerTooLargeError(Exception):
    """The plugin sent more than it may."""


def open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=256, ttl_dns_cache=10),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


async def read_capped(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Raises AnswerTooLargeError."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        content += chunk
        if len(content) > most_bytes:
            raise AnswerTooLargeError
    return bytes(content)
