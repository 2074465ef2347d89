"""The same, by pytest: a test for each operation. Walks from one to another are `st run`'s alone:
hypothesis demands that a step tried again finds what it found, and an API that stores never does.

The API is the one of this process, served in a thread of its own: its pool lives in one event loop,
and an ASGI client of schemathesis opens a loop for each request.
"""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig

from tests.contract import hooks
from tests.contract.cases import Case, State
from tests.contract.credentials import Credentials
from tests.contract.reached import CONTRACT
from tests.contract.target import Target, fuzz_target

CREDENTIALS = Credentials()


def _load() -> schemathesis.BaseSchema:
    """Not by schemathesis.pytest.from_fixture: it sets a private name of pytest's nodes, `_nodeid`,
    that pytest 9.2 has no more (https://github.com/ionelmc/pytest-benchmark/issues/321)."""
    with pytest.MonkeyPatch.context() as environment, TemporaryDirectory() as folder:
        CREDENTIALS.write(Path(folder) / "auth.json")
        environment.setenv("FUZZ_AUTH", str(Path(folder) / "auth.json"))
        config = SchemathesisConfig.from_path(CONTRACT.parents[1] / "schemathesis.toml")
        return schemathesis.openapi.from_path(CONTRACT, config=config)


contract = _load()


@dataclass
class Background:
    """A target that runs in its own thread until `stop`."""

    postgres: str
    valkey: str
    template: str
    target: Target | None = None
    failure: BaseException | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    loop: asyncio.AbstractEventLoop | None = None
    stopping: asyncio.Event | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # told to the thread that waits
            self.failure = error
        finally:
            self.ready.set()

    async def _serve(self) -> None:
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        async with fuzz_target(
            self.postgres, self.valkey, self.template, CREDENTIALS
        ) as self.target:
            self.ready.set()
            await self.stopping.wait()

    def stop(self) -> None:
        if self.loop is not None and self.stopping is not None:
            self.loop.call_soon_threadsafe(self.stopping.set)


@pytest.fixture(scope="module")
def target(postgres: str, valkey: str, migrated: str) -> Iterator[Target]:
    background = Background(postgres, valkey, migrated)
    thread = threading.Thread(target=background.run, name="fuzz target")
    thread.start()
    background.ready.wait()
    if background.failure is not None:
        raise background.failure
    assert background.target is not None
    try:
        yield background.target
    finally:
        background.stop()
        thread.join()


@pytest.fixture(scope="module")
def state(target: Target) -> State:
    return hooks.aim(target.known)


@contract.parametrize()
def test_an_operation_answers_as_the_contract_says(case: Case, state: State) -> None:
    case.call_and_validate(base_url=hooks.base_url(case))


def test_each_declared_success_was_reached(state: State, target: Target) -> None:
    assert target.reached.missed() == []
    assert target.other_bot_asked
