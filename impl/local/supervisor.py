"""Processes under one roof: started together, and all stopped when one of them dies."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from impl.local.child import Child, LocalError
from impl.local.guardian import Guardian

START_SECONDS = 60.0
STOP_SECONDS = 4.5
DRAIN_SECONDS = 3.3  # a little more than the services' own default, drain_seconds

Say = Callable[[str], None]
Stop = Callable[[], Awaitable[None]]


class Supervisor:
    def __init__(self, guardian: Guardian, say: Say) -> None:
        self._guardian = guardian
        self._say = say
        self._services: list[Child] = []
        self._servers: list[Stop] = []
        self._under_way: dict[str, None] = {}
        self._watchers: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        self._death: asyncio.Future[LocalError] = loop.create_future()
        self._asked_to_stop: asyncio.Future[signal.Signals] = loop.create_future()

    async def run(self, start: Coroutine[None, None, None]) -> None:
        """Run `start`, then wait for a signal; LocalError where anything dies or is late."""
        starting = asyncio.create_task(start)
        self._watchers.add(asyncio.create_task(self._report_guardian()))
        with self._signals():
            try:
                await self._first_of(starting, seconds=START_SECONDS)
                await self._first_of()
            finally:
                await self._end(starting)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Name what is under way; say so when it is done."""
        began = time.monotonic()
        self._under_way[name] = None
        yield
        del self._under_way[name]
        self._say(f"✓ {name} ready ({time.monotonic() - began:.1f} s)")

    def add_server(self, child: Child, stop: Stop) -> None:
        """Watch a server that is ready; it is stopped after all services."""
        self._servers.append(stop)
        self._watch(child)

    async def add_service(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path
    ) -> None:
        """Start a service of ours, and return when it says that it is ready (impl/process.py)."""
        reader, writer = os.pipe()
        with open(reader, "rb", 0) as pipe:  # noqa: ASYNC230, PTH123 - a descriptor
            try:
                child = await Child.start(
                    name,
                    command,
                    log=log,
                    env={**env, "BOTCORE_READY_FD": str(writer)},
                    group=self._guardian.group,
                    keep=(writer,),
                )
            finally:
                os.close(writer)
            self._services.append(child)
            self._watch(child)
            if await _first_line(pipe) != b"ready\n":
                raise _died(child, await child.wait())

    async def run_once(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], log: Path
    ) -> None:
        child = await Child.start(name, command, log=log, env=env, group=self._guardian.group)
        code = await child.wait()
        if code != 0:
            raise _died(child, code)

    async def _first_of(self, *starting: asyncio.Task[None], seconds: float | None = None) -> None:
        """Return when `starting` is done or a signal came; raise when a process died first."""
        events: set[asyncio.Future[Any]] = {self._death, self._asked_to_stop, *starting}
        done, _ = await asyncio.wait(events, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            raise LocalError(f"not ready after {seconds:.0f} s: {', '.join(self._under_way)}")
        if self._death in done:
            raise self._death.result()
        for task in starting:
            if task in done:
                task.result()

    def _watch(self, child: Child) -> None:
        self._watchers.add(asyncio.create_task(self._report(child)))

    async def _report(self, child: Child) -> None:
        code = await child.wait()
        if not self._death.done():
            self._death.set_result(_died(child, code))

    async def _report_guardian(self) -> None:
        await self._guardian.wait()
        if not self._death.done():
            self._death.set_result(LocalError("the guardian process is gone"))

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        which = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            which.remove(signal.SIGHUP)  # nohup
        for one in which:
            loop.add_signal_handler(one, self._on_signal, one)
        try:
            yield
        finally:
            for one in which:
                loop.remove_signal_handler(one)

    def _on_signal(self, which: signal.Signals) -> None:
        if self._asked_to_stop.done():
            self._guardian.kill()
        else:
            self._say("stopping (once more to kill)")
            self._asked_to_stop.set_result(which)

    async def _end(self, starting: asyncio.Task[None]) -> None:
        for watcher in self._watchers:
            watcher.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                starting.cancel()
                await asyncio.gather(starting, return_exceptions=True)
                await asyncio.gather(
                    *(child.stop((signal.SIGTERM, DRAIN_SECONDS)) for child in self._services)
                )
                await asyncio.gather(*(stop() for stop in self._servers))
        # Whatever is left: what a service had started itself, or was too slow.
        self._guardian.kill()
        await self._guardian.close()


def _died(child: Child, code: int) -> LocalError:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"stopped with code {code}"
    return LocalError(f"{child.name} {how}; {child.log} ends with\n{child.tail()}")


async def _first_line(pipe: object) -> bytes:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    try:
        return await reader.readline()
    finally:
        transport.close()
