"""One port for several processes: each listens itself, and the kernel deals out connections."""

import socket
from contextlib import ExitStack, closing

BACKLOG = 2048


def listening(host: str, port: int) -> list[socket.socket]:
    """A process's own sockets, one for each address of `host`. Raises OSError."""
    sockets = _bound(host, port, shared=True)
    for each in sockets:
        each.listen(BACKLOG)
    return sockets


def held(host: str, port: int) -> list[socket.socket]:
    """Keeps the port for this instance: bound, but nobody is accepted here. Port 0 takes a free
    one. Raises OSError where it is in use, be it by another instance that would share it too."""
    with ExitStack() as stack:
        for each in _bound(host, port, shared=False):
            port = stack.enter_context(closing(each)).getsockname()[1]
    return _bound(host, port, shared=True)


def _bound(host: str, port: int, *, shared: bool) -> list[socket.socket]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with ExitStack() as stack:
        sockets: list[socket.socket] = []
        for family, kind, protocol, _, (address, *rest) in dict.fromkeys(found):
            each = stack.enter_context(closing(socket.socket(family, kind, protocol)))
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind((address, port, *rest[1:]))
            port = each.getsockname()[1]
            sockets.append(each)
        stack.pop_all()
    return sockets
