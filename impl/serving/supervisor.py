"""`botcore serve --workers N`: starts the processes, starts again those that die, ends with all."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import structlog

from impl import logging
from impl.local.guardian import Guardian
from impl.process import announce_ready, warn_of_development, warn_of_risks
from impl.safety import settings_risks
from impl.serving import ports
from impl.serving.folder import VARIABLE, forget_gauges, name_processes, own_folder
from impl.serving.worker import Worker, start
from impl.settings import Settings

log = structlog.get_logger()

# One that lived for less is started again after a pause, which doubles.
SHORT_LIFE_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
# Beyond a process's own notice and drain: its pool and its loops end.
END_SECONDS = 5.0


def run(settings: Settings) -> int:
    """Until SIGTERM or SIGINT; the exit code. Nothing that it started outlives it."""
    logging.configure(settings.log_level)
    warn_of_development(settings)
    warn_of_risks(settings, settings_risks(settings))
    try:
        with contextlib.ExitStack() as stack:
            served = ports.held(settings.host, settings.port)
            kept = list(served)
            if settings.metrics_port:
                kept += ports.held(settings.metrics_host, settings.metrics_port)
            for each in kept:
                stack.enter_context(contextlib.closing(each))
            port = served[0].getsockname()[1]
            folder = stack.enter_context(own_folder())
            return asyncio.run(_supervise(settings, port, folder))
    except OSError as error:
        log.error("not_served", host=settings.host, port=settings.port, reason=str(error))  # noqa: TRY400  # no mistake
        return 1


async def _supervise(settings: Settings, port: int, folder: Path) -> int:
    env = {
        **{name: value for name, value in os.environ.items() if name != "BOTCORE_READY_FD"},
        "BOTCORE_SERVE_WORKERS": str(settings.serve_workers),
        "BOTCORE_PORT": str(port),
        VARIABLE: str(folder),
    }
    ending = settings.unready_seconds + settings.drain_seconds + END_SECONDS
    async with Guardian() as guardian:
        supervisor = Supervisor(settings.serve_workers, env, folder, guardian, ending)
        log.info("serving", host=settings.host, port=port, processes=settings.serve_workers)
        return await supervisor.run()


class Supervisor:
    def __init__(
        self,
        processes: int,
        env: Mapping[str, str],
        folder: Path,
        guardian: Guardian,
        ending_seconds: float,
    ) -> None:
        self._processes = processes
        self._env = env
        self._folder = folder
        self._guardian = guardian
        self._ending_seconds = ending_seconds
        self._running: dict[int, Worker] = {}
        self._announced = False
        self._code = 0
        self._stopping = asyncio.Event()

    async def run(self) -> int:
        """Until it is told to stop, or none can serve; the exit code."""
        with self._signals():
            return await self._run()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        both = (signal.SIGTERM, signal.SIGINT)
        for which in both:
            loop.add_signal_handler(which, self._stop)
        try:
            yield
        finally:
            for which in both:
                loop.remove_signal_handler(which)

    async def _run(self) -> int:
        tasks = {asyncio.create_task(self._keep(number)) for number in range(self._processes)}
        stopping = asyncio.create_task(self._stopping.wait())
        guarded = asyncio.create_task(self._guardian.wait())
        done, _ = await asyncio.wait(
            {*tasks, stopping, guarded}, return_when=asyncio.FIRST_COMPLETED
        )
        if guarded in done:
            log.error("guardian_died")
        if stopping not in done:
            self._code = self._code or 1
            self._stop()
        _, left = await asyncio.wait(tasks, timeout=self._ending_seconds)
        if left:
            log.error("processes_killed", processes=sorted(self._running))
            self._code = self._code or 1
            for worker in self._running.values():
                worker.signal(signal.SIGKILL)
            await asyncio.wait(tasks)
        guarded.cancel()
        for task in tasks:
            task.result()
        return self._code

    def _stop(self) -> None:
        """Told twice, nobody is waited for."""
        which = signal.SIGINT if self._stopping.is_set() else signal.SIGTERM
        self._stopping.set()
        for worker in self._running.values():
            worker.signal(which)

    async def _keep(self, number: int) -> None:
        """Sees that process `number` is there, until all shall stop or it cannot be."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                worker, code = await self._live(number)
            except OSError as error:  # as where there is no memory for one more process
                if not self._announced:
                    raise
                log.error("process_not_started", process=number, reason=str(error))  # noqa: TRY400  # no mistake of ours
                pause = await self._paused(pause)
                continue
            if self._stopping.is_set():
                if code not in {0, -signal.SIGTERM, -signal.SIGINT}:
                    self._code = self._code or 1
                return
            log.error(
                "process_died",
                process=number,
                pid=worker.pid,
                exit_code=code,
                lived_seconds=round(worker.lived_seconds, 1),
            )
            alone = not any(other.ready for other in self._running.values())
            if not worker.ready and (alone or not self._announced):
                self._code = code if code > 0 else 1
                return
            pause = await self._pause(pause, worker)

    async def _pause(self, pause: float, worker: Worker) -> float:
        if worker.ready and worker.lived_seconds >= SHORT_LIFE_SECONDS:
            return FIRST_PAUSE_SECONDS
        return await self._paused(pause)

    async def _paused(self, pause: float) -> float:
        """The next pause, after this one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._stopping.wait()
        return min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _live(self, number: int) -> tuple[Worker, int]:
        """One life of process `number`, and its exit code."""
        process, pulse = await start(number, self._env, self._guardian.group)
        worker = Worker(number, process, self._ready)
        self._running[number] = worker
        with contextlib.suppress(OSError):  # the next one that starts or ends writes it
            self._name()
        if self._stopping.is_set():  # it came while this one was started
            worker.signal(signal.SIGTERM)
        code = await worker.ended(pulse)
        del self._running[number]
        with contextlib.suppress(OSError):
            forget_gauges(self._folder, number)
            self._name()
        return worker, code

    def _name(self) -> None:
        name_processes(self._folder, [worker.pid for worker in self._running.values()])

    def _ready(self) -> None:
        ready = [worker for worker in self._running.values() if worker.ready]
        if len(ready) == self._processes and not self._announced:
            self._announced = True
            announce_ready()
