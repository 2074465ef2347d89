"""Ports for what is started a moment later, so that nobody else has taken them by then.

One that the system gives and that is closed again may be anybody's next connection: such a port is
free when it is chosen and taken when the server starts. These lie below the range that the system
gives out, and each worker of the suite has its own share of them.
"""

import os
import random
import re
from collections.abc import Iterator
from itertools import count

from impl.local.ports import check_free

FIRST, LAST = 20_000, 32_767  # Linux gives out 32768 and above, others 49152 and above
SHARES = 8


def share(worker: str) -> range:
    """Of the suite's worker `gw0`, `gw1`…; alone it is the first one's."""
    digits = re.sub(r"\D", "", worker)
    size = (LAST - FIRST + 1) // SHARES
    first = FIRST + int(digits or 0) % SHARES * size
    return range(first, first + size)


def _candidates() -> Iterator[int]:
    """From anywhere in our share, for another run of the suite may be under way beside this one."""
    ports = share(os.environ.get("PYTEST_XDIST_WORKER", ""))
    for number in count(random.randrange(len(ports))):  # no secret
        yield ports[number % len(ports)]


_ports = _candidates()


def spare_port() -> int:
    """One on which nobody listens, and nobody will before the one who asked."""
    for port in _ports:
        try:
            check_free(port)
        except OSError:
            continue
        return port
    raise AssertionError("the ports have no end")
