"""Good calls: the answer, its trace, one answer for one invocation_id, in time."""

import asyncio
import time

from impl.kit.checks import Check
from impl.kit.plugin import FailedError, Plugin, shown
from impl.kit.promise import Answer
from impl.kit.requests import Request

GRACE_SECONDS = 0.5  # for the network and a busy machine
DEADLINES_MS = (1000, 200)
LATE_OK = {200, 503}  # an answer, or that there is none in time


async def answer(plugin: Plugin) -> None:
    """What builds on an answer is not tried where there is none: one fault is told once."""
    request, found = plugin.call(), None
    try:
        found = await plugin.send(request)
        plugin.must_be(request, found, 200)
    except FailedError:
        plugin.answers = False
        # Another success is still an answer; so is a refusal, and bad calls may be refused well.
        plugin.serves = found is not None and found.status < 500 and found.status not in {404, 405}
        raise


async def without_optional_headers(plugin: Plugin) -> None:
    request = plugin.call().with_headers(X_Trace_Id=None, X_Schema_Version=None, X_Deadline_Ms=None)
    await plugin.expect(request, 200)


async def trace_in_body(plugin: Plugin) -> None:
    request = plugin.call()
    found = await plugin.expect(request, 200)
    if found.json["trace_id"].lower() != request.json["trace_id"]:
        plugin.fail(request, f"trace_id {request.json['trace_id']}", found.json["trace_id"])


async def trace_in_header(plugin: Plugin) -> None:
    request = plugin.call()
    refused = request.with_headers(X_Invocation_Id="nothing")
    for each in (request, refused):
        found = await plugin.send(each)
        came = found.headers.get("x-trace-id", "no such header")
        if came.lower() != request.headers["X-Trace-Id"]:
            plugin.fail(each, f"the header X-Trace-Id: {request.headers['X-Trace-Id']}", came)


async def twice(plugin: Plugin) -> None:
    request = plugin.call()
    first = await plugin.expect(request, 200)
    # Another one in between, so that to remember the last alone is not enough.
    await plugin.send(plugin.call())
    command = plugin.repeat(request)
    _same(plugin, first, await plugin.send(request), f"{command}; {command}")


async def at_once(plugin: Plugin) -> None:
    request = plugin.call()
    first, second = await asyncio.gather(plugin.send(request), plugin.send(request))
    plugin.must_be(request, first, 200)
    command = plugin.repeat(request)
    _same(plugin, first, second, f"{command} & {command}; wait")


async def ids_apart(plugin: Plugin) -> None:
    """The id is read as a UUID: in capitals it is the same one."""
    request = plugin.call()
    first = await plugin.expect(request, 200)
    capital = request.json["invocation_id"].upper()
    again = request.with_json({**request.json, "invocation_id": capital})
    again = again.with_headers(X_Invocation_Id=capital)
    commands = f"{plugin.repeat(request)}; {plugin.repeat(again)}"
    _same(plugin, first, await plugin.send(again), commands)


async def deadline(plugin: Plugin) -> None:
    for milliseconds in DEADLINES_MS:
        request = plugin.call(deadline_ms=milliseconds)
        longest = milliseconds / 1000 + GRACE_SECONDS
        await _in_time(plugin, request, longest, f"deadline_ms {milliseconds}")


async def deadline_of_header(plugin: Plugin) -> None:
    """What the attempt has left, where an earlier one took its part of deadline_ms."""
    request = plugin.call(deadline_ms=60_000).with_headers(X_Deadline_Ms="500")
    await _in_time(plugin, request, 0.5 + GRACE_SECONDS, "X-Deadline-Ms 500")


async def _in_time(plugin: Plugin, request: Request, longest: float, what: str) -> None:
    wanted = f"200 or 503 within {what}"
    began = time.monotonic()
    try:
        found = await plugin.send(request, longest)
    except FailedError as failed:
        raise FailedError(wanted, failed.came, failed.repeat) from None
    if found.status not in LATE_OK:
        plugin.fail(request, wanted, f"{shown(found)} after {time.monotonic() - began:.2f} s")
    plugin.must_fit(request, found)


def _same(plugin: Plugin, first: Answer, second: Answer, repeat: str) -> None:
    if second.status != first.status or not second.is_json or second.json != first.json:
        wanted = f"the same answer twice: {plugin.masked(shown(first))}"
        raise FailedError(wanted, plugin.masked(shown(second)), repeat)


CHECKS = (
    Check("invoke.answer", "/invoke answers a message as the contract says", answer),
    Check("invoke.bare", "/invoke needs no optional header", without_optional_headers),
    Check("trace.body", "the answer carries the request's trace_id", trace_in_body),
    Check("trace.header", "X-Trace-Id comes back, from a refusal too", trace_in_header),
    Check("idempotency.again", "a repeated invocation_id gets the same answer", twice),
    Check("idempotency.at_once", "so it does while the first call is under way", at_once),
    Check("idempotency.capitals", "the same id in capitals is the same id", ids_apart),
    Check("deadline.body", "the answer is there within deadline_ms", deadline),
    Check(
        "deadline.header", "it is there within X-Deadline-Ms where that is less", deadline_of_header
    ),
)
