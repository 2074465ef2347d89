"""Each declared event is published, and no other; the audit log tells by the trace."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from tools.conform.client import Request
from tools.conform.codes import UNREACHED, Try
from tools.conform.plugin import FAIL
from tools.conform.results import Results

COLUMN = "events"
# What a plugin posts keeps its own type; the contract calls it by this name.
REPORTED = "plugin_reported"


async def run(case: Try, results: Results) -> None:
    declared = set(case.operation.spec.get("x-emits", []))
    if case.operation.method == "get" and not declared:
        return
    published = await _published(case, await case.good())
    for event in sorted(declared - published):
        scenario = SCENARIOS.get((case.operation.id, event))
        if scenario is not None:
            published |= await _published(case, await scenario(case))
    for event in sorted(declared):
        reason = UNREACHED.get((case.operation.id, event))
        if reason is not None and event not in published:
            untried = f"{case.operation.id}: {event} {reason}"
            results.add(case.operation.id, COLUMN, event, untried=untried)
            continue
        faults = [] if event in published else ["not published"]
        results.add(case.operation.id, COLUMN, event, faults)
    undeclared = sorted(published - declared)
    faults = [f"{event} is not declared" for event in undeclared]
    results.add(case.operation.id, COLUMN, "no other", faults)


async def _published(case: Try, request: Request) -> set[str]:
    """By one success, which is done when it is answered."""
    trace_id = str(uuid4())
    answer = await case.send(request.but(headers={**request.headers, "X-Trace-Id": trace_id}))
    if answer.status >= 300:
        return {f"(answered {answer})"}
    page = await case.world.make(
        "listAuditEntries",
        query={"trace_id": trace_id},
        credentials={"AdminKey": case.world.keys.admin},
    )
    return {
        REPORTED if entry["source"] == "plugin" else entry["action"]
        for entry in page["items"]
        if entry["event_id"] is not None
    }


async def _failing(case: Try) -> Request:
    return (await case.good()).with_body(payload=case.world.text(FAIL))


async def _asking_for_later(case: Try) -> Request:
    return (await case.good()).but(headers={"Prefer": "respond-async"})


async def _critical(case: Try) -> Request:
    """Of a plugin of its own: it is disabled by it."""
    plugin, good = await case.world.registered_plugin(), await case.good()
    good = good.but(path={"plugin_id": plugin.id}, credentials={"PluginToken": plugin.token})
    return good.with_body(plugin_id=plugin.id, event_type="plugin_failed", severity="critical")


SCENARIOS: dict[tuple[str, str], Callable[[Try], Awaitable[Request]]] = {
    ("reportPluginEvent", "plugin_disabled"): _critical,
    ("addDialogMessage", "plugin_failed"): _failing,
    ("addDialogMessage", "plugin_invocation_queued"): _asking_for_later,
}
