import pytest
from pydantic import ValidationError

from impl.text_reply.settings import TextReplySettings, complaints

CANARY = "canary-registry-key"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("BOTCORE_URL", "http://127.0.0.1:8080")
    monkeypatch.setenv("BOTCORE_REGISTRY_KEY", CANARY)
    return monkeypatch


def refusal() -> list[str]:
    with pytest.raises(ValidationError) as refused:
        TextReplySettings()
    assert CANARY[:6] not in str(refused.value)  # pydantic shows the ends of a long input
    return list(complaints(refused.value))


def test_the_core_and_its_key_are_enough(environment: pytest.MonkeyPatch) -> None:
    settings = TextReplySettings()

    assert settings.base_url == "http://127.0.0.1:8090"
    assert settings.llm_base_url is None
    assert settings.llm_timeout_seconds == 2.0
    assert settings.text_reply_heartbeat_seconds == 30
    assert CANARY not in repr(settings)


def test_the_base_url_follows_the_port_unless_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOTCORE_TEXT_REPLY_PORT", "9123")
    assert TextReplySettings().base_url == "http://127.0.0.1:9123"

    environment.setenv("BOTCORE_TEXT_REPLY_BASE_URL", "https://plugins.example.com/text")
    assert TextReplySettings().base_url == "https://plugins.example.com/text"


def test_a_model_url_needs_a_model(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOTCORE_LLM_BASE_URL", "http://127.0.0.1:11434/v1")
    assert refusal() == ["BOTCORE_LLM_BASE_URL is set: set BOTCORE_LLM_MODEL too"]

    environment.setenv("BOTCORE_LLM_MODEL", "llama3")
    assert TextReplySettings().llm_model == "llama3"


def test_empty_variables_are_as_good_as_absent(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOTCORE_LLM_BASE_URL", "")
    assert TextReplySettings().llm_base_url is None


def test_complaints_name_the_variable_and_never_a_value(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("BOTCORE_URL")
    environment.setenv("BOTCORE_LLM_MODEL", "line\nbreak")

    malformed, missing = sorted(refusal())

    assert missing == "BOTCORE_URL: Field required"
    assert malformed.startswith("BOTCORE_LLM_MODEL: ")
    assert "break" not in malformed


def test_the_heartbeats_keep_the_manifests_promise(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOTCORE_TEXT_REPLY_HEARTBEAT_SECONDS", "31")
    assert refusal()[0].startswith("BOTCORE_TEXT_REPLY_HEARTBEAT_SECONDS: ")
