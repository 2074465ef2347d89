"""A name server of a test's own, and the system's resolver asking it: glibc's, without privileges.

`/etc/resolv.conf` is root's. But what a thread has read of it lies in its `_res` (resolver(3)),
which glibc leaves alone where a program has changed it.
"""

import asyncio
import ctypes
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest

from impl.outgoing import resolver

A, CNAME, AAAA = 1, 5, 28
TTL = 0
NO_SUCH_NAME = 3
IN = 1
POINTER = 0xC00C  # to the question's name


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """`names` to what is answered in turn, the last answer again and again; an answer that is no
    address is another name. `asked` counts the questions, by name and type."""

    names: dict[str, list[list[str]]]
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    port: int = 0
    transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        name, end = _name(data, 12)
        kind = struct.unpack_from("!H", data, end)[0]
        question = data[12 : end + 4]
        answers = self._answers(name, kind)
        status = NO_SUCH_NAME if answers is None else 0
        records = b"".join(answers or ())
        flags = 0x8580 | status  # an answer, with authority, recursion as asked for
        head = struct.pack("!2sHHHHH", data[:2], flags, 1, len(answers or ()), 0, 0)
        self.transport.sendto(head + question + records, addr)

    def _answers(self, name: str, kind: int) -> list[bytes] | None:
        turns = self.names.get(name.lower())
        if turns is None:
            return None
        turn = turns[min(self.asked[name.lower(), kind], len(turns) - 1)]
        self.asked[name.lower(), kind] += 1
        return [record for text in turn for record in self._records(text, kind, POINTER)]

    def _records(self, text: str, kind: int, owner: int) -> Iterator[bytes]:
        try:
            address = ip_address(text)
        except ValueError:
            target = _written(text)
            yield struct.pack("!HHHIH", owner, CNAME, IN, TTL, len(target)) + target
            for each in self.names[text][-1]:
                if ip_address(each).version == (4 if kind == A else 6):
                    packed = ip_address(each).packed
                    yield target + struct.pack("!HHIH", kind, IN, TTL, len(packed)) + packed
            return
        if address.version == (4 if kind == A else 6):
            yield struct.pack("!HHHIH", owner, kind, IN, TTL, len(address.packed)) + address.packed


def _name(data: bytes, at: int) -> tuple[str, int]:
    labels = []
    while length := data[at]:
        labels.append(data[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    return ".".join(labels), at + 1


def _written(name: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\x00"


@asynccontextmanager
async def name_server(names: dict[str, list[list[str]]]) -> AsyncIterator[NameServer]:
    """On this machine alone; the system's resolver asks it, and no other, in this process."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(names), local_addr=("127.0.0.1", 0)
    )
    server.port = transport.get_extra_info("sockname")[1]
    try:
        with _asked_by_the_system(server.port):
            yield server
    finally:
        transport.close()


@contextmanager
def _asked_by_the_system(port: int) -> Iterator[None]:
    ask = resolver._ask
    point = _pointer_of_threads(port)

    def pointed(host: str, family: int) -> list[str]:
        point()
        return ask(host, family)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resolver, "_ask", pointed)
        # Or a machine without IPv6 would be spared the questions.
        patch.setattr(socket, "AI_ADDRCONFIG", 0)
        yield


class _ResState(ctypes.Structure):
    """The head of glibc's `struct __res_state` (resolv.h); it has not changed since 2.0."""

    _fields_ = (
        ("retrans", ctypes.c_int),
        ("retry", ctypes.c_int),
        ("options", ctypes.c_ulong),
        ("nscount", ctypes.c_int),
        ("nsaddr_list", ctypes.c_ubyte * 16 * 3),
    )


def _pointer_of_threads(port: int) -> Callable[[], None]:
    """Called in a thread, it has the thread's resolver ask 127.0.0.1:port."""
    libc = ctypes.CDLL("libc.so.6")
    libc.__res_state.restype = ctypes.POINTER(_ResState)
    # As in nearly every container; a machine with systemd-resolved would ask that.
    libc.__nss_configure_lookup(b"hosts", b"files dns")
    address = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, b"\x7f\0\0\1")

    def point() -> None:
        libc.__res_init()
        state = libc.__res_state().contents
        state.nscount = 1
        ctypes.memmove(state.nsaddr_list, address, 16)

    return point
