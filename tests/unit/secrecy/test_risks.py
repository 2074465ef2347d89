"""Settings that are not safe: each row alone is refused, told, and where it may be, accepted."""

from typing import Any

import pytest
from pydantic import ValidationError

from impl.safety import is_guessable, settings_risks
from impl.secrecy.risks import ACCEPTABLE
from impl.settings import Settings
from impl.text_reply import risks as text_reply
from impl.text_reply.settings import TextReplySettings

CANARY = "c4nary"
KEY = "Tq8-zX2_vB5nM7kL0pR3sW6yH9dF1gJ4"
SAFE: dict[str, Any] = {
    "database_url": f"postgresql://u:{CANARY}@db.internal/x?sslmode=verify-full",
    "redis_url": f"rediss://:{CANARY}@redis.internal/0",
    "secret_key": KEY,
    "llm_base_url": "https://llm.example.com/v1",
    "llm_model": "m",
    "llm_api_key": CANARY,
    "host": "0.0.0.0",
    "metrics_port": 9101,
    "plugin_hosts": "*.plugins.example.com",
}
LOCAL: dict[str, Any] = {
    "database_url": "postgresql://u@127.0.0.1/x",
    "redis_url": "redis://127.0.0.1",
    "secret_key": KEY,
}
PLAIN_DB = f"postgresql://u:{CANARY}@db.internal/x"

# What is changed of SAFE, and what is told.
ROWS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "development": (
        {"development": True}, {"development_exposed"},
    ),
    "development on all IPv6": (
        {"development": True, "host": "::"}, {"development_exposed"},
    ),
    "an empty host is every address": (
        {"development": True, "host": ""}, {"development_exposed"},
    ),
    "metrics beside the API": ({"metrics_port": 0}, {"metrics_exposed"}),
    "a repeated key": ({"secret_key": "changed!" * 4}, {"secret_key_weak"}),
    "an example's key": ({"secret_key": f"changeme-{KEY}"}, {"secret_key_weak"}),
    "a key of few characters": ({"secret_key": "abcabcd" * 5}, {"secret_key_weak"}),
    "a database without TLS": ({"database_url": PLAIN_DB}, {"database_plaintext"}),
    "one that only prefers it": (
        {"database_url": f"{PLAIN_DB}?sslmode=prefer"}, {"database_plaintext"},
    ),
    "one of several hosts": (
        {"database_url": "postgresql://u@127.0.0.1,db2.internal/x"}, {"database_plaintext"},
    ),
    "a host among the options": (
        {"database_url": "postgresql:///x?host=db.internal"}, {"database_plaintext"},
    ),
    "for wake-ups": ({"database_listen_url": PLAIN_DB}, {"database_plaintext"}),
    "Redis without TLS": (
        {"redis_url": f"redis://:{CANARY}@redis.internal/0"}, {"redis_plaintext"},
    ),
    "Redis without password": (
        {"redis_url": "rediss://redis.internal/0"}, {"redis_without_password"},
    ),
    "Redis without both": (
        {"redis_url": "redis://redis.internal/0"}, {"redis_plaintext", "redis_without_password"},
    ),
    "a model over http": ({"llm_base_url": "http://llm.example.com/v1"}, {"llm_plaintext"}),
    "all hosts": ({"plugin_hosts": "*"}, {"wildcard_hosts"}),
    "every address a proxy": ({"trusted_proxies": "10.0.0.0/8,::/0"}, {"everyone_a_proxy"}),
    "everyone's hosts": ({"notification_hosts": "hooks.example.com,*.com"}, {"wildcard_hosts"}),
}  # fmt: skip
# These look alike, and nothing is wrong with them.
HARMLESS: dict[str, dict[str, Any]] = {
    "safe": {},
    "all on this machine": {**LOCAL, "host": "127.0.0.1", "metrics_port": 0},
    "development on this machine": {**LOCAL, "host": "::1", "development": True},
    "a developer's database elsewhere": {
        "host": "localhost", "development": True, "database_url": PLAIN_DB,
        "redis_url": "redis://redis",
    },
    "TLS without a certificate's check": {"database_url": f"{PLAIN_DB}?sslmode=require"},
    "a socket": {"database_url": "postgresql:///x?host=/run/postgresql"},
    "an escaped socket": {"database_url": "postgresql://%2Frun%2Fpostgresql/x"},
    "a socket of Redis": {"redis_url": "unix:///run/valkey.sock"},
    "a password among the options": {"redis_url": "rediss://redis.internal/0?password=x"},
    "a model of this machine": {"llm_base_url": "http://127.0.0.1:11434/v1"},
    "proxies": {"trusted_proxies": "10.0.0.0/8"},
    "a model without a key": {"llm_base_url": "http://llm.internal/v1", "llm_api_key": None},
}  # fmt: skip


def settings(**changed: Any) -> Settings:
    return Settings(**{**SAFE, **changed})


@pytest.mark.parametrize("row", ROWS)
def test_what_is_not_safe_is_refused_and_says_why(row: str) -> None:
    changed, names = ROWS[row]
    found = settings_risks(settings(**changed))
    assert {risk.name for risk in found} == names
    refused = settings(**changed).refused(found)
    assert refused == found
    for risk in refused:
        assert "BOTCORE_" in risk.reason
        assert CANARY not in str(risk)


@pytest.mark.parametrize("row", HARMLESS)
def test_what_is_safe_starts(row: str) -> None:
    assert settings_risks(settings(**HARMLESS[row])) == []


def test_the_environment_of_postgresql_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "db.internal")
    changed = {"database_url": "postgresql:///x"}
    assert [risk.name for risk in settings_risks(settings(**changed))] == ["database_plaintext"]
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert settings_risks(settings(**changed)) == []


def test_a_risk_that_is_named_is_accepted_and_no_other() -> None:
    changed = ROWS["Redis without both"][0]
    given = settings(**changed, accepted_risks="redis_plaintext, llm_plaintext")
    found = settings_risks(given)
    assert [risk.name for risk in given.refused(found)] == ["redis_without_password"]
    assert [risk.name for risk in given.accepted(found)] == ["redis_plaintext"]


def test_a_weak_key_is_accepted_by_nobody() -> None:
    assert "secret_key_weak" not in ACCEPTABLE
    with pytest.raises(ValidationError, match="must be of core_plaintext, database_plaintext"):
        settings(accepted_risks="secret_key_weak")
    told = {name for _, names in ROWS.values() for name in names} | {"core_plaintext"}
    assert told == {*ACCEPTABLE, "secret_key_weak"}


@pytest.mark.parametrize("key", [KEY, "5206258207bb9562ff02750fb98075f6"])
def test_random_keys_are_good(key: str) -> None:
    assert not is_guessable(key)


def test_text_reply_sends_its_key_to_no_other_machine_in_the_clear() -> None:
    def names(**changed: Any) -> list[str]:
        given = TextReplySettings(registry_key=CANARY, **changed)
        return [risk.name for risk in text_reply.settings_risks(given)]

    assert names(url="http://127.0.0.1:8080") == []
    assert names(url="https://core.example.com") == []
    assert names(url="http://core.internal") == ["core_plaintext"]
    model = {"llm_base_url": "http://llm.example.com", "llm_model": "m", "llm_api_key": CANARY}
    assert names(url="https://core.example.com", **model) == ["llm_plaintext"]
