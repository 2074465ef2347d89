"""A deployment whose metrics have a port of their own keeps the contract too."""

import asyncpg
import pytest

from impl.settings import Settings
from tests.stack import ScriptedPlugin, running_api
from tools.bundler import bundle
from tools.conform.keys import issued_keys
from tools.conform.results import Results
from tools.conform.run import Target, conform


async def told(pool: asyncpg.Pool, settings: Settings, plugin: ScriptedPlugin) -> Results:
    """What `make conform URL=… ARGS='--only getMetrics'` finds."""
    contract = bundle("openapi.yaml")
    async with (
        running_api(pool, settings) as api,
        issued_keys(settings.database_url.get_secret_value()) as keys,
    ):
        await api.add_plugin(plugin.url)
        target = Target(api.url, keys, only=frozenset({"getMetrics"}))
        return await conform(contract, target, lambda _: None)


@pytest.mark.parametrize("own_port", [False, True])
async def test_either_answer_is_reached_and_the_other_is_told_as_untried(
    pool: asyncpg.Pool,
    settings: Settings,
    plugin: ScriptedPlugin,
    unused_tcp_port: int,
    own_port: bool,
) -> None:
    chosen = settings.model_copy(update={"metrics_port": unused_tcp_port if own_port else 0})
    results = await told(pool, chosen, plugin)
    assert results.failures == []
    statuses = {case.case: case for case in results.cases if case.column == "statuses"}
    reached = {name for name in ("200", "not_found") if statuses[name].untried is None}
    assert reached == ({"not_found"} if own_port else {"200"})
