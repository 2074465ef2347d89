"""Who gets in, and what the others are told."""

import pytest

from tests.unit.runtime.service import GOOD, MESSAGES, Service, message

HEARTBEAT = "/api/v1/plugins/5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d/heartbeat"
REGISTER = "/api/v1/plugins/register"


async def test_none_is_401_with_a_challenge(service: Service) -> None:
    answer = await service.call("POST", MESSAGES, body=message())
    assert (answer.status, answer.code) == (401, "missing_credentials")
    assert answer.headers["www-authenticate"] == 'BotToken realm="botcore"'
    assert answer.json["detail"] == "Send the header X-Bot-Token."
    assert service.read == 0


async def test_none_is_told_which_header_to_send(service: Service) -> None:
    answer = await service.call("POST", REGISTER)
    assert answer.json["detail"] == "Send the header X-Registry-Key."
    answer = await service.call("POST", HEARTBEAT)
    assert answer.json["detail"] == "Send the header Authorization: Bearer."


@pytest.mark.parametrize("token", ["", "bad", GOOD.upper(), "ü"])
async def test_a_bad_one_is_401_with_a_challenge(service: Service, token: str) -> None:
    answer = await service.add_message(None, ("X-Bot-Token", token))
    assert (answer.status, answer.code) == (401, "invalid_credentials")
    assert answer.headers["www-authenticate"] == 'BotToken realm="botcore"'
    assert service.handlers.seen == ()


@pytest.mark.parametrize("tokens", [("bad", GOOD), (GOOD, "bad"), (GOOD, GOOD)])
async def test_two_of_a_kind_are_401(service: Service, tokens: tuple[str, str]) -> None:
    answer = await service.add_message(None, *(("X-Bot-Token", token) for token in tokens))
    assert (answer.status, answer.code) == (401, "invalid_credentials")
    bearers = [("authorization", f"Bearer {token}") for token in tokens]
    answer = await service.call("POST", HEARTBEAT, headers=bearers)
    assert (answer.status, answer.code) == (401, "invalid_credentials")
    assert answer.headers["www-authenticate"] == 'Bearer realm="botcore"'


@pytest.mark.parametrize("value", ["Bearer", "Bearer bad", "Basic Z29vZA==", GOOD])
async def test_a_bad_bearer_is_401(service: Service, value: str) -> None:
    answer = await service.call("POST", HEARTBEAT, headers=[("authorization", value)])
    assert (answer.status, answer.code) == (401, "invalid_credentials")
    assert answer.headers["www-authenticate"] == 'Bearer realm="botcore"'


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_read_in_any_case(service: Service, scheme: str) -> None:
    headers = [("authorization", f"{scheme} {GOOD}")]
    answer = await service.call("POST", HEARTBEAT, headers=headers)
    assert answer.code == "unsupported_media_type"  # so the token was good


async def test_a_missing_scope_is_403_and_named(service: Service) -> None:
    service.authenticator.scopes = frozenset({"dialogs:read"})
    answer = await service.add_message()
    assert (answer.status, answer.code) == (403, "insufficient_scope")
    assert "dialogs:write" in answer.json["detail"]
    assert "www-authenticate" not in answer.headers


async def test_a_second_credential_is_optional_but_proved(service: Service) -> None:
    headers = [("x-registry-key", GOOD)]
    answer = await service.call("POST", REGISTER, headers=headers)
    assert answer.code == "unsupported_media_type"
    bad = [*headers, ("authorization", "Bearer bad")]
    assert (await service.call("POST", REGISTER, headers=bad)).code == "invalid_credentials"
    alone = [("authorization", f"Bearer {GOOD}")]
    assert (await service.call("POST", REGISTER, headers=alone)).code == "missing_credentials"
