"""Whose trace an answer carries."""

import pytest

from tests.unit.runtime.service import TRACE, Service, message


async def test_the_callers_trace_is_taken_in_lower_case(service: Service) -> None:
    answer = await service.add_message(None, ("X-Trace-Id", str(TRACE).upper()))
    assert answer.headers["x-trace-id"] == str(TRACE) == service.handlers.trace_seen


@pytest.mark.parametrize("given", ["", "x", str(TRACE).replace("-", ""), f"{TRACE}0", "{x}"])
async def test_what_is_no_uuid_is_replaced(service: Service, given: str) -> None:
    first = await service.add_message(None, ("X-Trace-Id", given))
    second = await service.add_message(None, ("X-Trace-Id", given))
    assert first.headers["x-trace-id"] != second.headers["x-trace-id"]


async def test_traceparent_serves_where_no_trace_id_does(service: Service) -> None:
    parent = ("traceparent", f"00-{TRACE.hex}-00f067aa0ba902b7-01")
    other = "0b9f6a52-7f6f-4f3e-8f3c-5d1f7f5f2a11"
    answer = await service.add_message(None, parent)
    assert answer.headers["x-trace-id"] == str(TRACE)
    answer = await service.add_message(None, parent, ("X-Trace-Id", other))
    assert answer.headers["x-trace-id"] == other


@pytest.mark.parametrize(
    "parent",
    [
        f"ff-{TRACE.hex}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE.hex}-{'0' * 16}-01",
        f"00-{TRACE.hex.upper()}-00f067aa0ba902b7-01",
        f"00-{TRACE.hex}-00f067aa0ba902b7",
        "garbage",
    ],
)
async def test_a_malformed_traceparent_is_ignored(service: Service, parent: str) -> None:
    answer = await service.add_message(None, ("traceparent", parent))
    assert answer.status == 200
    assert answer.headers["x-trace-id"].replace("-", "") not in parent.lower()


async def test_the_bodys_trace_serves_where_the_header_names_none(service: Service) -> None:
    body = message(trace_id=str(TRACE))
    other = "0b9f6a52-7f6f-4f3e-8f3c-5d1f7f5f2a11"
    assert (await service.add_message(body)).headers["x-trace-id"] == str(TRACE)
    answer = await service.add_message(body, ("X-Trace-Id", other))
    assert answer.headers["x-trace-id"] == other


async def test_an_unknown_path_has_a_trace_too(service: Service) -> None:
    answer = await service.call("GET", "/none", headers=[("x-trace-id", str(TRACE))])
    assert answer.json["trace_id"] == str(TRACE)
