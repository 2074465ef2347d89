"""Nothing connects to a forbidden address, however it is written, named or redirected to."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from impl.outgoing.client import OutgoingClient
from impl.outgoing.resolver import GuardedResolver, Lookup, SystemLookup
from impl.outgoing.urls import ForbiddenUrlError
from impl.settings import OutgoingSettings
from tests.patience import PATIENT_SECONDS


@dataclass
class Listener:
    """A server on all of this machine's addresses: it notes who comes."""

    port: int = 0
    connections: int = 0
    hosts: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.hosts.append(request.headers["Host"])
        if request.path == "/away":
            return web.Response(status=302, headers={"Location": "/here", "Set-Cookie": "a=b"})
        return web.json_response({"cookie": request.headers.get("Cookie")})


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[Listener]:
    listener = Listener()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", listener.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()

    def note() -> asyncio.Protocol:
        listener.connections += 1
        assert runner.server is not None
        return runner.server()

    loop = asyncio.get_running_loop()
    server = await loop.create_server(note, "127.0.0.1", 0, ssl=context)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        await runner.cleanup()


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as running:
        yield running


@dataclass
class FakeLookup:
    """Answers as a test says, one list after the other; the last one stays."""

    answers: dict[str, list[list[str]]]
    asked: list[str] = field(default_factory=list)

    async def addresses(self, host: str, family: int) -> list[str]:
        self.asked.append(host)
        answers = self.answers.get(host)
        if answers is None:
            raise OSError("no such host")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def client_of(lookup: Lookup | None = None, **settings: Any) -> AsyncIterator[OutgoingClient]:
    client = OutgoingClient(OutgoingSettings(**settings), lookup)
    try:
        yield client
    finally:
        await client.close()


async def ask(client: OutgoingClient, url: str) -> int:
    async with asyncio.timeout(PATIENT_SECONDS), client.get(client.target(url)) as response:
        await response.read()
        return response.status


REFUSED = (ForbiddenUrlError, aiohttp.ClientError, OSError)
# All of them lead to the listener where they are believed.
LOOPBACK = [
    "127.0.0.1", "localhost", "LOCALHOST", "127.1", "127.0.1", "2130706433", "0x7f000001",
    "017700000001", "0177.0.0.1", "0x7f.1", "127.0.0.1.", "localhost.", "%31%32%37.0.0.1",
    "①②⑦.0.0.1", "\uff10.0.0.0", "0.0.0.0", "0", "127.255.255.254", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::127.0.0.1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[::1%25lo]", "[::1%lo]",
    "user@127.0.0.1", "example.com@127.0.0.1", "rebound.example",
]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
async def test_a_forbidden_address_is_never_connected_to(host: str, listener: Listener) -> None:
    names = {"rebound.example": [["127.0.0.1"]], "localhost": [["127.0.0.1", "::1"]]}
    async with client_of(FakeLookup(names)) as client:
        with pytest.raises(REFUSED):
            await ask(client, f"http://{host}:{listener.port}/")
    assert listener.connections == 0


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["::1"], ["1.1.1.1", "127.0.0.1"], ["1.1.1.1", "::ffff:10.0.0.1"]]
)
async def test_one_forbidden_address_is_enough(addresses: list[str], listener: Listener) -> None:
    async with client_of(FakeLookup({"plugin.example": [addresses]})) as client:
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(client, f"http://plugin.example:{listener.port}/")
        with pytest.raises(ForbiddenUrlError):
            await client.check(f"http://plugin.example:{listener.port}/")
    assert listener.connections == 0


async def test_the_socket_is_the_last_to_look(listener: Listener) -> None:
    """Even where the connector comes by an address that no resolver checked."""
    async with client_of() as client:
        with pytest.raises(OSError, match="forbidden"):
            client.guard.open_socket(
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", listener.port))
            )


async def test_a_name_that_turns_is_asked_once_and_then_checked_anew(listener: Listener) -> None:
    """Rebinding: what was checked is what is connected to, and the next answer is refused."""
    lookup = FakeLookup({"plugin.example": [["127.0.0.1"], ["10.0.0.1"]]})
    url = f"http://plugin.example:{listener.port}/"
    async with client_of(lookup, development=True) as client:
        assert await ask(client, url) == 200
        assert lookup.asked == ["plugin.example"]
        assert listener.hosts == [f"plugin.example:{listener.port}"]
        assert await ask(client, url) == 200
        assert (listener.connections, lookup.asked) == (1, ["plugin.example"])  # kept alive
        with pytest.raises(ForbiddenUrlError):
            await client.check(url)
    assert listener.connections == 1


async def test_a_redirect_is_not_followed_and_a_cookie_not_kept(listener: Listener) -> None:
    host = f"http://plugin.example:{listener.port}"  # of an address no jar keeps any
    lookup = FakeLookup({"plugin.example": [["127.0.0.1"]]})
    async with client_of(lookup, development=True) as client:
        assert await ask(client, f"{host}/away") == 302
        target = client.target(f"{host}/")
        async with client.get(target) as response:
            assert await response.json() == {"cookie": None}
    assert len(listener.hosts) == 2


async def test_a_network_is_opened_by_name() -> None:
    lookup = FakeLookup({"plugin.example": [["10.1.2.3"]], "other.example": [["10.2.0.1"]]})
    async with client_of(lookup, plugin_networks="10.1.0.0/16, fd00::/8") as client:
        await client.check("http://plugin.example/")
        await client.check("http://10.1.2.3/")
        for host in ("other.example", "10.2.0.1"):
            with pytest.raises(ForbiddenUrlError):
                await client.check(f"http://{host}/")


async def test_lists_of_hosts_are_kept(listener: Listener) -> None:
    url = f"http://127.0.0.1:{listener.port}/"
    for lists in ({"plugin_hosts": "*.example"}, {"plugin_hosts_denied": "127.0.0.1"}):
        async with client_of(None, development=True, **lists) as client:
            with pytest.raises(ForbiddenUrlError):
                await ask(client, url)
    assert listener.connections == 0


async def test_the_environments_proxy_and_netrc_are_not_read(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with client_of(development=True) as client:
        assert await ask(client, f"http://127.0.0.1:{listener.port}/") == 200


async def test_tls_names_the_host_and_checks_its_certificate(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    making = await asyncio.create_subprocess_exec(
        *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "1", "-subj", "/CN=x",
         "-addext", "subjectAltName=DNS:plugin.example"],
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await making.wait() == 0
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    named: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    lookup = FakeLookup({"plugin.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})
    async with listening(context) as listener, client_of(lookup, development=True) as client:
        url = f"https://plugin.example:{listener.port}/"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await ask(client, url)
        trusting = ssl.create_default_context(cafile=str(certificate))
        async with client._session.get(client.target(url).url, ssl=trusting) as response:
            assert response.status == 200
        other = client.target(f"https://other.example:{listener.port}/")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client._session.get(other.url, ssl=trusting)
        assert named == ["plugin.example", "plugin.example", "other.example"]
        assert listener.hosts == [f"plugin.example:{listener.port}"]


@pytest.mark.parametrize("real", [True, False], ids=["system", "fake"])
async def test_the_lookups_keep_to_one_interface(real: bool) -> None:
    fake = FakeLookup({"localhost": [["127.0.0.1"]]})
    lookup: Lookup = SystemLookup() if real else fake
    try:
        assert "127.0.0.1" in await lookup.addresses("localhost", socket.AF_UNSPEC)
        assert await lookup.addresses("localhost", socket.AF_INET) == ["127.0.0.1"]
        with pytest.raises(OSError):
            await lookup.addresses("nobody.invalid", socket.AF_UNSPEC)
    finally:
        await lookup.close()


async def test_what_resolves_to_nothing_is_no_host() -> None:
    async with client_of() as client:
        resolver = GuardedResolver(client.guard.addresses, FakeLookup({"a.example": [[]]}))
        with pytest.raises(OSError, match="no address"):
            await resolver.resolve("a.example")
