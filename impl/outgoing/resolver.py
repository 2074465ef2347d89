"""Names to addresses: asked once for a connection, and refused where any answer is forbidden."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Protocol

from aiohttp.abc import AbstractResolver, ResolveResult

from impl.outgoing.addresses import AddressPolicy

THREADS = 16


class ForbiddenAddressError(OSError):
    """The host has an address that may not be connected to."""

    def __init__(self) -> None:
        super().__init__("the host has a forbidden address")


class Lookup(Protocol):
    """A host's addresses, as text. Raises OSError where it has none."""

    async def addresses(self, host: str, family: int) -> list[str]: ...

    async def close(self) -> None: ...


class SystemLookup:
    """The system's resolver, in threads of its own.

    The event loop's are few, and uvloop's fewer: a name server that hangs would hold up everybody.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolve")

    async def addresses(self, host: str, family: int) -> list[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _ask, host, family)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _ask(host: str, family: int) -> list[str]:
    found = socket.getaddrinfo(host, 0, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class GuardedResolver(AbstractResolver):
    """What aiohttp resolves with, and may keep: its results were all checked."""

    def __init__(self, policy: AddressPolicy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises ForbiddenAddressError, or OSError where there is no such host."""
        found = await self._lookup.addresses(host, family)
        if not found:
            raise OSError("the host has no address")
        return [self._checked(host, port, each) for each in found]

    def _checked(self, host: str, port: int, text: str) -> ResolveResult:
        address = ip_address(text)
        if not self._policy.permits(address):
            raise ForbiddenAddressError
        return {
            "hostname": host,
            "host": str(address),
            "port": port,
            "family": socket.AF_INET if address.version == 4 else socket.AF_INET6,
            "proto": 0,
            "flags": socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        }

    async def close(self) -> None:
        await self._lookup.close()
