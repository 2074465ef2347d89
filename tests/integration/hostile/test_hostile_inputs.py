"""What is hostile is refused with the declared problem, leaves nothing behind and harms nobody.

Each input goes over a real socket to the server of `botcore serve`.
"""

import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from tests.faults.raw import Call, Line, good
from tests.integration.hostile import bodies, heads, registrations, values
from tests.integration.hostile.answers import ANSWERS
from tests.integration.hostile.case import MARK, Case, written
from tests.integration.hostile.service import SEEN, Service, hostile_service
from tests.servers import create_database, drop_database

CASES = [case for table in (bodies, heads, values, registrations) for case in table.cases()]
LONGEST_PROBLEM = 16 * 1024
LONGEST_ECHO = 256  # of a key that is not known


@pytest_asyncio.fixture(scope="module")
async def service(postgres: str, migrated: str, valkey: str) -> AsyncIterator[Service]:
    database = await create_database(postgres, "hostile", template=migrated)
    async with hostile_service(database, valkey) as running:
        assert await running.unchanged()
        yield running
    await drop_database(database)


def test_each_case_has_a_name_of_its_own_and_they_are_many() -> None:
    names = [case.name for case in CASES]
    assert sorted(set(names)) == sorted(names)
    assert len(CASES) + len(ANSWERS) > 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: ascii(case.name))
async def test_it_is_refused_and_leaves_nothing(case: Case, service: Service) -> None:
    got = await service.send(case.send(service.world))
    assert got.status == case.status, got.content
    assert set(got.headers) <= SEEN
    assert MARK.encode() not in got.content
    assert len(got.content) <= LONGEST_PROBLEM
    if case.code is not None:
        told = got.json
        assert (told["status"], told["code"]) == (case.status, case.code)
        assert got.headers["content-type"] == "application/problem+json"
        assert UUID(told["trace_id"]) == UUID(got.headers["x-trace-id"])
        assert all(len(fault["pointer"]) <= LONGEST_ECHO * 32 for fault in told["errors"])
        if case.pointer is not None:
            assert told["errors"][0]["pointer"] == case.pointer, told
        if case.fault is not None:
            assert told["errors"][0]["code"] == case.fault, told
    assert await service.unchanged()
    assert await service.is_well()


@pytest.mark.parametrize("about", ANSWERS)
async def test_a_plugins_answer_is_believed_in_nothing(about: str, service: Service) -> None:
    sent, code = ANSWERS[about]

    async def behave(line: Line, call: Call) -> None:
        await line.send(sent(call))
        line.writer.close()

    kept = "SELECT count(*) FROM plugin_calls WHERE response_payload IS NOT NULL"
    before = await service.pool.fetchval(kept)
    service.plugin.behave = behave
    try:
        answer = await service.api.say(service.world.user, "Hello!", service.world.dialog)
    finally:
        service.plugin.behave = good
    assert (answer.status, answer.json["status"]) == (200, "failed")
    assert answer.json["error"]["code"] == code
    assert MARK.encode() not in answer.raw
    assert await service.pool.fetchval(kept) == before
    assert await service.is_well()


TRACES = [
    MARK, "", "x" * 9000, "{%s}", "urn:uuid:%s", " %s x", "%s,%s", "%s\t0", "%s\xa0", "\xe9%s",
    "00000000-0000-0000-0000-00000000000g", "'; DROP TABLE audit_logs; --", "../../etc/passwd",
    "<script>", "%%0d%%0aSet-Cookie:a=b", "${jndi:ldap://a.example/}", "\x1b[2J", "\x7f", "\x85",
]  # fmt: skip
PARENTS = [
    "00-%s-00f067aa0ba902b7-0", "00-%s-00f067aa0ba902b7-01-x", "01-%s-00f067aa0ba902b7-01-more",
    "ff-%s-00f067aa0ba902b7-01", "00-%s-0000000000000000-01", "0-%s-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-%s-00F067AA0BA902B7-01",
    " 00-%s -00f067aa0ba902b7-01", "00-%s-00f067aa0ba902b7-01, 00-%s-00f067aa0ba902b7-01",
    "00-%s-00f067aa0ba902b7-0g", MARK, "x" * 9000,
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given"),
    [*(("X-Trace-Id", value) for value in TRACES), *(("traceparent", value) for value in PARENTS)],
    ids=lambda value: ascii(value)[:40],
)
async def test_a_trace_that_is_none_is_replaced(name: str, given: str, service: Service) -> None:
    trace = uuid4()
    value = given.replace("%%", "%").replace("%s", str(trace) if name[0] == "X" else trace.hex)
    got = await service.send(written("GET", "/healthz", [(name, value)], None))
    if got.status == 400:  # no header of HTTP at all
        return
    assert got.status == 200
    told = UUID(got.headers["x-trace-id"])
    assert told != trace
    assert told.version == 4
    assert set(got.headers) <= SEEN


@pytest.mark.parametrize("name", ["X-Trace-Id", "traceparent"])
async def test_a_trace_in_several_lines_is_none(name: str, service: Service) -> None:
    """One reader takes the first of them, another the last."""
    traces = [uuid4(), uuid4()]
    lines = [
        (name, str(each) if name[0] == "X" else f"00-{each.hex}-00f067aa0ba902b7-01")
        for each in traces
    ]
    got = await service.send(written("GET", "/healthz", lines, None))
    assert UUID(got.headers["x-trace-id"]) not in traces


async def test_nothing_of_all_this_stands_anywhere(service: Service) -> None:
    """In the order of this file it comes last."""
    answered = await service.api.say(service.world.user, "Hello!", service.world.dialog)
    assert answered.json["status"] == "accepted"
    assert (await service.send(written("GET", "/readyz", [], None))).status == 200
    errors = [line["event"] for line in service.logged if line["log_level"] == "error"]
    # asyncio tells of what servers of other tests left: aiohttp's, of which the core has none.
    assert [event for event in errors if "coro=<RequestHandler." not in str(event)] == []
    assert MARK not in str(service.logged)
    metrics = await service.send(written("GET", "/metrics", [], None))
    assert MARK.encode() not in metrics.content
    labels = set(re.findall(rb'([a-z_]+)="([^"]*)"', metrics.content))
    assert {
        value for _, value in labels if not re.fullmatch(rb"[A-Za-z0-9_.+:/-]*", value)
    } == set()
    assert MARK not in await service.everything()
    assert MARK not in await service.remembered()
