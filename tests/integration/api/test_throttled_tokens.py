"""Over HTTP: who sent bad tokens is told what he was told before, and by his address alone."""

from ipaddress import ip_network
from uuid import uuid4

import asyncpg
import pytest

from impl.tokens.format import mint
from tests.stack import Answer, Api, counted_hashes, running_api, settings_for

ATTACKER, HOLDER = "198.51.100.7", "203.0.113.9"


async def asked(api: Api, token: str, client: str) -> Answer:
    headers = {"X-Bot-Token": token, "X-Forwarded-For": f"192.0.2.1, {client}"}
    return await api.send("GET", f"/api/v1/dialogs/{uuid4()}", headers=headers)


def told(answer: Answer) -> tuple[int, object, list[str]]:
    """All but the trace and the date."""
    body = {name: value for name, value in answer.json.items() if name != "trace_id"}
    return answer.status, body, sorted(answer.headers)


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_client_is_throttled_by_its_own_address(
    pool: asyncpg.Pool,
    database: str,
    valkey: str,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
) -> None:
    hashed = counted_hashes(monkeypatch)
    settings = settings_for(
        database,
        valkey,
        token_failures_per_address=3,
        trusted_proxies=(ip_network("127.0.0.0/8"),) if trusted else (),
    )
    async with running_api(pool, settings) as api:
        refusals = [await asked(api, mint("bot").plaintext, ATTACKER) for _ in range(5)]
        assert len(hashed) == 3
        for refusal in refusals:
            assert told(refusal) == told(refusals[0])
        assert refusals[0].json["code"] == "invalid_credentials"
        assert (await asked(api, api.bot_token, ATTACKER)).status == 401, "nobody knows it yet"
        holder = await asked(api, api.bot_token, HOLDER)
        assert holder.status == (404 if trusted else 401), "whom the peer speaks for"
        if trusted:
            assert (await asked(api, api.bot_token, ATTACKER)).status == 404, "it is known now"
