"""Runs the checks that were asked for, one after another."""

import asyncio
import importlib.util
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from impl.kit.checks import Check, golden, invoke, manifest, refusals, serving
from impl.kit.plugin import (
    SECONDS,
    FailedError,
    LackingError,
    NotTriedError,
    Plugin,
    operations,
    reached,
)
from impl.kit.results import Outcome, Report, Result

EXAMPLES = 40
GENERATED = "generated"
FIXED = (serving.HEALTH, manifest.MANIFEST, *serving.CHECKS, *manifest.CHECKS, *invoke.CHECKS,
         *refusals.CHECKS)  # fmt: skip


class UnknownCheckError(Exception):
    """`only` names no check."""


@dataclass(frozen=True)
class Options:
    """`only` empty: all. `finished` is told each result, `progress` how many cases were sent.

    `timeout` is in seconds, for any answer.
    """

    only: tuple[str, ...] = ()
    seed: int = 1
    examples: int = EXAMPLES
    timeout: float = SECONDS
    finished: Callable[[Result], None] = lambda _result: None
    progress: Callable[[str, int], None] = lambda _name, _cases: None

    def wants(self, name: str) -> bool:
        return not self.only or any(
            name == only or name.startswith(f"{only}.") or _is_golden(name, only)
            for only in self.only
        )


def _is_golden(name: str, only: str) -> bool:
    """`golden` stands for its examples where there are none."""
    return name == "golden" and only.startswith("golden.")


def names() -> list[str]:
    """All checks; `golden` stands for as many as there are examples."""
    fixed = [check.name for check in FIXED]
    return [*fixed, "golden", *(check.name for check in _generated(Options()))]


async def check(url: str, token: str | None, options: Options) -> Report:
    """Raises UnreachableError and UnknownCheckError: nothing was checked."""
    _must_be_known(options.only)
    results: list[Result] = []
    began = time.monotonic()

    async def one(each: Check, plugin: Plugin) -> None:
        if not options.wants(each.name) and each is not manifest.MANIFEST:
            return
        result = await _tried(each, plugin)
        if options.wants(each.name):
            results.append(result)
            options.finished(result)

    async with reached(url, token, options.timeout) as plugin:
        await one(serving.HEALTH, plugin)
        await one(manifest.MANIFEST, plugin)  # always: the others build on what it reads
        for each in (*FIXED[2:], *golden.checks(plugin.manifest), *_generated(options)):
            await one(each, plugin)
        return Report(url, options.seed, time.monotonic() - began, results, plugin.refusal)


def _must_be_known(wanted: Iterable[str]) -> None:
    known = names()
    for only in wanted:
        if not only.startswith("golden.") and not any(
            name == only or name.startswith(f"{only}.") for name in known
        ):
            group = only.partition(".")[0]
            others = [name for name in known if name.startswith(f"{group}.")]
            groups = dict.fromkeys(name.partition(".")[0] for name in known)
            raise UnknownCheckError(
                f"there is no check {only}; there are {', '.join(others or groups)}"
            )


def _generated(options: Options) -> Iterator[Check]:
    for (method, path), spec in operations().items():
        name = f"{GENERATED}.{spec['operationId']}"
        about = f"generated cases for {method} {path} are answered as the contract says"
        run = partial(_generate, name, spec["operationId"], options)
        yield Check(name, about, run)


async def _generate(name: str, operation_id: str, options: Options, plugin: Plugin) -> None:
    if importlib.util.find_spec("schemathesis") is None:
        raise LackingError("schemathesis", "it needs schemathesis, which botcore[kit] brings")
    from impl.kit.generated import Run, try_operation  # noqa: PLC0415  # takes a second

    if operation_id == "invokePlugin" and plugin.accepts is None:
        await plugin.send(plugin.call())  # or every case might be refused for the token
    stop = threading.Event()
    told = partial(options.progress, name)
    run = Run(options.seed, options.examples, told, stop)
    try:
        # It has a client of its own, which blocks.
        await asyncio.to_thread(try_operation, plugin, operation_id, run)
    finally:
        stop.set()


async def _tried(each: Check, plugin: Plugin) -> Result:
    began = time.monotonic()

    def result(outcome: Outcome, **more: Any) -> Result:
        return Result(each.name, each.about, outcome, time.monotonic() - began, **more)

    try:
        await each.run(plugin)
    except LackingError as lacking:
        return result("not_tried", reason=str(lacking), lacks=lacking.what)
    except NotTriedError as untried:
        return result("not_tried", reason=str(untried))
    except FailedError as failed:
        return result("failed", expected=failed.expected, came=failed.came, repeat=failed.repeat)
    return result("passed")
