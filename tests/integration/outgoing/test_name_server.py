"""The guard behind the system's own resolver, which asks a name server that lies: whatever is
answered, and however an address is written, no connection is made to a forbidden one.

Who listens on this machine notes who comes; and an audit hook notes every connection that the
process tries, wherever it leads.
"""

import asyncio
import contextlib
import platform
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from impl.outgoing.client import Guard, OutgoingClient
from impl.outgoing.urls import ForbiddenUrlError
from impl.settings import OutgoingSettings
from tests.dns import NameServer, name_server
from tests.patience import PATIENT_SECONDS
from tests.unit.outgoing.test_addresses import PRIVATE, forms

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the resolver is pointed elsewhere by glibc's _res"
)
REFUSED = (ForbiddenUrlError, aiohttp.ClientError, OSError)
GUARDS = {"plugins": Guard.of, "webhooks": Guard.of_webhooks}
PUBLIC = "1.1.1.1"  # never connected to either: what is asked for has a forbidden address beside it
PRIVATE_V6 = [
    "::", "::1", "::2", "100::1", "fc00::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1",
    "2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "4000::1", "5f00::1", "fd00:ec2::254",
]  # fmt: skip
FORBIDDEN = list(
    dict.fromkeys(
        str(address)
        for text in PRIVATE
        for address in (ip_address(text), *forms(text).values())
    )
) + PRIVATE_V6  # fmt: skip


@dataclass
class Attempts:
    """Where the process tried to connect to, but for the name server."""

    noting: bool = False
    places: list[Any] = field(default_factory=list)

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.noting and event == "socket.connect":
            self.places.append(arguments[1])


ATTEMPTS = Attempts()
sys.addaudithook(ATTEMPTS.note)  # it cannot be taken away again


@pytest.fixture
def attempts() -> Iterator[list[Any]]:
    ATTEMPTS.noting, ATTEMPTS.places = True, []
    yield ATTEMPTS.places
    ATTEMPTS.noting = False


@dataclass
class Listener:
    """On 127.0.0.1 and, where the machine has it, on ::1. `location` is where it sends on to."""

    port: int = 0
    connections: int = 0
    location: str | None = None
    status: int = 302

    async def answer(self, _request: web.BaseRequest) -> web.StreamResponse:
        if self.location is not None:
            return web.Response(status=self.status, headers={"Location": self.location})
        return web.json_response({})


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    running = Listener()
    server = web.Server(running.answer)
    loop = asyncio.get_running_loop()

    def note() -> asyncio.Protocol:
        running.connections += 1
        return server()

    opened = [await loop.create_server(note, "127.0.0.1", 0)]
    running.port = opened[0].sockets[0].getsockname()[1]
    with contextlib.suppress(OSError):  # a machine without IPv6
        opened.append(await loop.create_server(note, "::1", running.port))
    try:
        yield running
    finally:
        for each in opened:
            each.close()
        await server.shutdown(0)


@asynccontextmanager
async def client_of(which: str = "plugins", **settings: Any) -> AsyncIterator[OutgoingClient]:
    chosen = OutgoingSettings(**settings)
    client = OutgoingClient(chosen, guard=GUARDS[which](chosen))
    try:
        yield client
    finally:
        await client.close()


async def ask(client: OutgoingClient, url: str, *, post: bool = False) -> int:
    async with asyncio.timeout(PATIENT_SECONDS):
        target = client.target(url)
        async with client.post(target, b"{}", {}) if post else client.get(target) as response:
            await response.read()
            return response.status


async def refused(client: OutgoingClient, url: str) -> bool:
    """Whether both ways are closed: that of a registration, and that of a call."""
    for way in (client.check, lambda url: ask(client, url)):
        try:
            await way(url)
        except REFUSED:
            continue
        return False
    return True


def named(text: str) -> str:
    return f"a{ip_address(text).packed.hex()}.rebind.test"


@pytest.mark.parametrize("which", GUARDS)
async def test_a_name_of_any_forbidden_address_is_refused(
    which: str, listener: Listener, attempts: list[Any]
) -> None:
    names = {named(text): [[text]] for text in FORBIDDEN}
    async with name_server(names) as server, client_of(which) as client:
        taken = [
            text
            for text in FORBIDDEN
            if not await refused(client, f"http://{named(text)}:{listener.port}/")
        ]
    assert taken == []
    assert (listener.connections, attempts) == (0, [])
    assert {name for name, _ in server.asked} == set(names)  # the answers were the server's


ANSWERS = {
    "the second of two": [[PUBLIC, "127.0.0.1"]],
    "the first of two": [["10.0.0.1", PUBLIC]],
    "the last of many": [[*(f"8.8.8.{n}" for n in range(20)), "169.254.169.254"]],
    "in IPv6 alone": [[PUBLIC, "::1"]],
    "mapped": [[PUBLIC, "::ffff:127.0.0.1"]],
    "NAT64": [[PUBLIC, "64:ff9b::10.0.0.1"]],
    "another name": [["inside.rebind.test"]],
    "another name beside an address": [[PUBLIC, "inside.rebind.test"]],
}


@pytest.mark.parametrize("about", ANSWERS)
async def test_one_forbidden_answer_is_enough(
    about: str, listener: Listener, attempts: list[Any]
) -> None:
    names = {"plugin.rebind.test": ANSWERS[about], "inside.rebind.test": [["127.0.0.1", "::1"]]}
    async with name_server(names), client_of() as client:
        assert await refused(client, f"http://plugin.rebind.test:{listener.port}/")
        assert await refused(client, f"http://PLUGIN.Rebind.Test:{listener.port}/")
    assert (listener.connections, attempts) == (0, [])


@pytest.mark.parametrize("second", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254"])
async def test_a_name_that_was_public_when_it_was_registered_is_looked_at_again(
    second: str, listener: Listener, attempts: list[Any]
) -> None:
    """Rebinding: with each question the answer is good for no time at all."""
    url = f"http://plugin.rebind.test:{listener.port}/"
    names = {"plugin.rebind.test": [[PUBLIC], [second]]}
    async with name_server(names) as server, client_of() as client:
        await client.check(url)
        for _ in range(3):
            with pytest.raises(aiohttp.ClientConnectorError):
                await ask(client, url)
    assert server.asked["plugin.rebind.test", 1] >= 2
    assert (listener.connections, attempts) == (0, [])


@pytest.mark.parametrize("second", ["10.0.0.1", "169.254.169.254", "::ffff:192.168.0.1", "fe80::1"])
async def test_what_was_checked_is_what_is_connected_to(
    second: str, listener: Listener, attempts: list[Any]
) -> None:
    """The first answer stands for a public one, the second comes between check and use."""
    url = f"http://plugin.rebind.test:{listener.port}/"
    names = {"plugin.rebind.test": [["127.0.0.1"], [second]]}
    async with name_server(names) as server, client_of(development=True) as client:
        assert await ask(client, url) == 200
        assert server.asked["plugin.rebind.test", 1] == 1
        with pytest.raises(ForbiddenUrlError):
            await client.check(url)
    assert attempts == [("127.0.0.1", listener.port)]


def written(text: str) -> Iterator[str]:
    """The ways in which somebody's parser takes a host for this IPv4 address."""
    bits = int(IPv4Address(text))
    a, b, c, d = IPv4Address(text).packed
    yield from (text, f"{text}.", f"{bits}", f"0x{bits:x}", f"0X{bits:X}", f"0{bits:o}", f"{bits}.")
    yield from (f"{a}.{bits & 0xFFFFFF}", f"{a}.{b}.{c << 8 | d}", f"0x{a:x}.{b}.{c}.{d}")
    yield from (f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}")
    yield from (f"{a:03}.{b:03}.{c:03}.{d:03}", f"{a}.{b}.{c}.0x{d:x}", f"{a + 256}.{b}.{c}.{d}")
    yield from (f"user@{text}", f"{PUBLIC}@{text}", f"{PUBLIC}:80@{text}", f"@{text}")
    yield from (f"{PUBLIC}\\@{text}", f"{text}%2e", text.replace(".", "%2e"))
    yield text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    yield from (text.replace(".", "\u3002"), text.replace(".", "\uff0e"), f"{text}\t", f" {text}")
    yield from (f"[{text}]", f"[::ffff:{text}]", f"[::FFFF:{text}]", f"[0:0:0:0:0:ffff:{text}]")
    yield from (f"[::{text}]", f"[64:ff9b::{text}]", f"[64:ff9b:1::{text}]", f"[::ffff:0:{text}]")
    for address in forms(text).values():
        yield from (f"[{address}]", f"[{address.exploded}]", f"[{str(address).upper()}]")
        yield from (f"[{address}%25eth0]", f"[{address}%eth0]", f"[{address}%251]")


@pytest.mark.parametrize("which", GUARDS)
async def test_no_written_form_of_a_forbidden_address_is_connected_to(
    which: str, listener: Listener, attempts: list[Any]
) -> None:
    """The system's resolver itself takes many of them, so they must not get that far."""
    hosts = [host for text in PRIVATE for host in written(text)]
    hosts += [f"[{IPv6Address(text).exploded}]" for text in PRIVATE_V6]
    hosts += [f"[{text}%25lo]" for text in PRIVATE_V6]
    async with name_server({}), client_of(which) as client:
        taken = [
            host for host in hosts if not await refused(client, f"http://{host}:{listener.port}/")
        ]
    assert taken == []
    assert (listener.connections, attempts) == (0, [])
    assert len(hosts) > 1000


NAMES = ["localhost", "LOCALHOST", "LocalHost", "localhost.", "xn--loclhost-4za", "ip6-localhost",
         "localhost.localdomain", "127.0.0.1.rebind.test", "xn--bcher-kva.rebind.test",
         "XN--BCHER-KVA.Rebind.Test", "b\u00fccher.rebind.test", "\u24d1.rebind.test"]  # fmt: skip


@pytest.mark.parametrize("host", NAMES)
async def test_a_name_is_what_it_resolves_to_however_it_is_written(
    host: str, listener: Listener, attempts: list[Any]
) -> None:
    inside = [["127.0.0.1", "::1"]]
    names = {
        "127.0.0.1.rebind.test": inside,
        "xn--bcher-kva.rebind.test": inside,
        "b.rebind.test": inside,
    }
    async with name_server(names), client_of() as client:
        assert await refused(client, f"http://{host}:{listener.port}/")
    assert (listener.connections, attempts) == (0, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_nowhere(
    status: int, listener: Listener, attempts: list[Any]
) -> None:
    listener.status = status
    names = {"plugin.rebind.test": [["127.0.0.1"]], "inside.rebind.test": [["10.0.0.1"]]}
    async with name_server(names), client_of(development=True) as client:
        for place in ("http://10.0.0.1/", "//169.254.169.254/", "http://[fe80::1%25lo]/",
                      "http://inside.rebind.test/", "http://0x0a000001/", "file:///etc/passwd",
                      f"http://127.0.0.1:{listener.port}/again"):  # fmt: skip
            listener.location = place
            for post in (False, True):
                url = f"http://plugin.rebind.test:{listener.port}/"
                assert await ask(client, url, post=post) == status
    assert set(attempts) == {("127.0.0.1", listener.port)}


async def test_the_system_itself_is_fooled() -> None:
    """What the guard is for: the double answers as a name server does, and the system believes."""
    names = {"plugin.rebind.test": [["127.0.0.1"], ["10.0.0.1", "::1"]]}
    async with name_server(names) as server, client_of() as client:
        lookup = client._resolver._lookup
        told = [await lookup.addresses("plugin.rebind.test", socket.AF_UNSPEC) for _ in range(2)]
        assert [set(answer) for answer in told] == [{"127.0.0.1"}, {"10.0.0.1", "::1"}]
        for form in ("2130706433", "0x7f.1", "0177.0.0.1", "127.1"):
            assert await lookup.addresses(form, socket.AF_UNSPEC) == ["127.0.0.1"], form
        with pytest.raises(OSError):
            await lookup.addresses("nobody.rebind.test", socket.AF_UNSPEC)
    assert isinstance(server, NameServer)
