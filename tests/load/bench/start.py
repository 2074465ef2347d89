"""From the start of `botcore serve` to the first 200 of /readyz, and the processor's part of it."""

import asyncio
import http.client
import time
from collections.abc import Mapping
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from tests.faults.errors import CannotRunError
from tests.faults.processes import Process
from tests.faults.world import world
from tests.load.bench.alone import SHIPPED, servers, serving
from tests.load.bench.part import Part, Progress, Size
from tests.load.usage import processor_seconds

PROMISE_SECONDS = 1.5
STARTS = 5
# As an installation runs: what was compiled once is kept.
KEPT = {"PYTHONDONTWRITEBYTECODE": ""}


async def _run(size: Size, progress: Progress) -> Mapping[str, Any]:
    ready: list[float] = []
    spent: list[float] = []
    async with servers() as made, world(made, **SHIPPED) as one:
        for number in range(STARTS + 1):
            began = time.perf_counter()
            async with serving(one, KEPT) as core:
                await asyncio.to_thread(_until_ready, core)
                if number:  # the first one compiles, and brings the files into memory
                    ready.append(time.perf_counter() - began)
                    spent.append(processor_seconds(core.child.pid))
                    progress(f"start {number} of {STARTS}: {ready[-1]:.2f} s")
    return {
        "ready_seconds": median(ready),
        "ready_seconds_each": ready,
        "processor_seconds": median(spent),
        "kept": {"ready_in_time": median(ready) <= PROMISE_SECONDS},
    }


def _until_ready(core: Process) -> None:
    """Asked once the process says that it serves."""
    place = urlsplit(core.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        if (status := connection.getresponse().status) != 200:
            raise CannotRunError(f"/readyz was answered {status}, not 200")
    finally:
        connection.close()


START = Part("start", "From start to ready", _run)
