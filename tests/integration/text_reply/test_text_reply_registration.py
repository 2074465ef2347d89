"""How the plugin becomes known to the core, and stays so."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from tests.integration.text_reply.fake_core import FakeCore, fake_core
from tests.integration.text_reply.running import invocation, running, started
from tests.patience import PATIENT_SECONDS
from tests.ports import spare_port


@pytest_asyncio.fixture
async def core() -> AsyncIterator[FakeCore]:
    async with fake_core() as core:
        yield core


async def test_it_can_be_probed_while_it_registers(core: FakeCore) -> None:
    async with running(core) as plugin:
        (request,) = core.registrations
        assert request["base_url"] == plugin.url
        assert (request["name"], request["version"]) == (
            "text_reply",
            request["manifest"]["version"],
        )
    assert core.probes == [200]


async def test_it_goes_on_giving_signs_of_life(core: FakeCore) -> None:
    async with running(core):
        await core.until(lambda: len(core.heartbeats) >= 3)

    assert {report["status"] for report in core.heartbeats} == {"active"}
    assert core.tokens == 1


@pytest.mark.parametrize(
    "code", ["database_unavailable", "overloaded", "internal_error", "too_many_requests", "rubbish"]
)
async def test_it_registers_when_the_core_is_able_to(core: FakeCore, code: str) -> None:
    core.refuse_registration.extend([code, code])
    with capture_logs() as logs:
        async with running(core):
            pass

    assert core.tokens == 1
    warned = [log for log in logs if log["event"] == "core_unavailable"]
    assert len(warned) == 1  # once for each reason


async def test_it_registers_when_the_core_is_there() -> None:
    port = spare_port()
    absent = FakeCore()
    absent.url = f"http://127.0.0.1:{port}"
    async with started(absent) as plugin:
        async with plugin.session.get(f"{plugin.url}/health") as response:
            assert response.status == 200
        async with fake_core(port) as core:
            await core.until(lambda: bool(core.heartbeats))


async def test_a_refused_token_is_replaced(core: FakeCore) -> None:
    core.refuse_heartbeat.extend(["invalid_credentials"])
    async with running(core) as plugin:
        assert core.tokens == 2
        answer = await plugin.invoke(invocation())
        assert answer.status == 200  # by the token of the second registration
        answer = await plugin.invoke(invocation(), "bc_invoke_canary_0001")
        assert answer.status == 401


async def test_a_deleted_plugin_registers_again(core: FakeCore) -> None:
    async with running(core):
        core.refuse_heartbeat.append("plugin_not_found")
        await core.until(lambda: core.tokens == 2)


async def test_a_token_is_renewed_before_it_expires(core: FakeCore) -> None:
    core.token_seconds = 0.2
    async with running(core):
        await core.until(lambda: core.tokens >= 3)

    assert not core.refuse_heartbeat


async def test_heartbeats_survive_a_core_that_is_away(core: FakeCore) -> None:
    async with running(core):
        core.refuse_heartbeat.extend(["database_unavailable", "rubbish"])
        count = len(core.heartbeats)
        await core.until(lambda: len(core.heartbeats) > count + 1)

    assert core.tokens == 1


@pytest.mark.parametrize(
    ("code", "status", "hint"),
    [
        ("plugin_conflict", 409, "raise the plugin's version"),
        ("validation_failed", 422, None),
        ("invalid_credentials", 401, None),
        ("insufficient_scope", 403, None),
    ],
)
async def test_a_refused_registration_ends_the_process(
    core: FakeCore, code: str, status: int, hint: str | None
) -> None:
    core.refuse_registration.append(code)
    with capture_logs() as logs:
        async with started(core) as plugin, asyncio.timeout(PATIENT_SECONDS):
            assert await plugin.run == 1

    (told,) = [log for log in logs if log["log_level"] == "critical"]
    assert (told["event"], told["status"], told["code"]) == ("core_refused", status, code)
    assert told["detail"]
    assert told["hint"] == hint


async def test_a_refused_heartbeat_ends_the_process(core: FakeCore) -> None:
    with capture_logs() as logs:
        async with running(core) as plugin, asyncio.timeout(PATIENT_SECONDS):
            core.refuse_heartbeat.append("validation_failed")
            assert await plugin.run == 1

    assert [log["event"] for log in logs if log["log_level"] == "critical"] == ["core_refused"]


async def test_a_task_that_dies_ends_the_process_loudly(
    core: FakeCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_figures: object, _plugin_id: object) -> None:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr("impl.text_reply.figures.Figures.heartbeat", broken)
    with capture_logs() as logs:
        async with started(core) as plugin, asyncio.timeout(PATIENT_SECONDS):
            assert await plugin.run == 1

    (told,) = [log for log in logs if log["log_level"] == "critical"]
    assert (told["event"], told["task"]) == ("task_died", "registration")
