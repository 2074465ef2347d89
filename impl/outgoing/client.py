"""The one client for what goes out: no redirects, proxies, netrc or cookies, and a checked address.

A connection that is used again goes to the address that was checked when it was made.
"""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, TypeAlias

import aiohttp
from aiohttp.connector import AddrInfoType

from impl.outgoing.addresses import AddressPolicy
from impl.outgoing.resolver import ForbiddenAddressError, GuardedResolver, Lookup, SystemLookup
from impl.outgoing.urls import ForbiddenUrlError, HostPolicy, Target, read_url
from impl.settings import OutgoingSettings

Response: TypeAlias = AbstractAsyncContextManager[aiohttp.ClientResponse]

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
CHECKED_ADDRESSES_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be asked; see the settings `development`, `plugin_…`, `notification_…`."""

    addresses: AddressPolicy = field(default_factory=AddressPolicy)
    hosts: HostPolicy = field(default_factory=HostPolicy)

    @classmethod
    def of(cls, settings: OutgoingSettings) -> "Guard":
        return cls(
            AddressPolicy(settings.plugin_networks, settings.development),
            HostPolicy(settings.plugin_hosts, settings.plugin_hosts_denied),
        )

    @classmethod
    def of_webhooks(cls, settings: OutgoingSettings) -> "Guard":
        return cls(
            AddressPolicy(settings.notification_networks, settings.development),
            HostPolicy(settings.notification_hosts, settings.notification_hosts_denied),
        )

    def target(self, url: str) -> Target:
        """Raises ForbiddenUrlError, for a host that is a forbidden address too."""
        target = read_url(url)
        if not self.hosts.permits(target.host):
            raise ForbiddenUrlError("its host is not allowed")
        if target.address is not None and not self.addresses.permits(target.address):
            raise ForbiddenUrlError("its address is forbidden")
        return target

    def open_socket(self, info: AddrInfoType) -> socket.socket:
        """The last look, at the very address that is connected to. Raises ForbiddenAddressError."""
        family, kind, protocol, _, place = info
        if not self.addresses.permits(ip_address(str(place[0]))):
            raise ForbiddenAddressError
        return socket.socket(family=family, type=kind, proto=protocol)


class Connector(aiohttp.TCPConnector):
    """Gives out no connection on which something came that nobody asked for: that would be taken
    for the answer to the next call. aiohttp looks when a call ends, not when the next one begins.
    """

    async def _get(self, key: Any, traces: Any) -> Any:
        while (found := await super()._get(key, traces)) is not None:
            if found.protocol is not None and not found.protocol.should_close:
                return found
            found.close()
        return None


class OutgoingClient:
    """Close it when the process stops. Time is limited by the caller, but for connecting."""

    def __init__(
        self,
        settings: OutgoingSettings,
        lookup: Lookup | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.guard = guard = guard or Guard.of(settings)
        self._connect_seconds = settings.plugin_connect_seconds
        self._resolver = GuardedResolver(guard.addresses, lookup or SystemLookup())
        self._session = aiohttp.ClientSession(
            connector=Connector(
                # Each plugin has a limit of its own; a shared one would let one starve another.
                limit=0,
                resolver=self._resolver,
                socket_factory=guard.open_socket,
                ttl_dns_cache=CHECKED_ADDRESSES_SECONDS,
            ),
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers=HEADERS,
        )

    async def close(self) -> None:
        await self._session.close()
        await self._resolver.close()

    def target(self, url: str) -> Target:
        """Raises ForbiddenUrlError."""
        return self.guard.target(url)

    async def check(self, url: str) -> Target:
        """`url` with its addresses as they are now. Raises ForbiddenUrlError, or OSError."""
        target = self.guard.target(url)
        if target.address is None:
            try:
                async with asyncio.timeout(self._connect_seconds):
                    await self._resolver.resolve(target.host, target.port, socket.AF_UNSPEC)
            except ForbiddenAddressError:
                raise ForbiddenUrlError("its host has a forbidden address") from None
        return target

    def get(self, target: Target, headers: Mapping[str, str] | None = None) -> Response:
        return self._session.get(target.url, headers=headers, allow_redirects=False)

    def post(self, target: Target, body: bytes, headers: Mapping[str, str]) -> Response:
        return self._session.post(target.url, data=body, headers=headers, allow_redirects=False)
