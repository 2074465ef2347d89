"""The settings of models: what is refused, and how it is said."""

import pytest
from pydantic import ValidationError

from impl.llm.settings import LLMSettings
from impl.settings import Settings
from tests.stack import settings_for

NEEDED = {
    "BOTCORE_DATABASE_URL": "postgresql://u:p@127.0.0.1/x",
    "BOTCORE_REDIS_URL": "redis://127.0.0.1",
    "BOTCORE_SECRET_KEY": "a secret key, long enough for it",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def refused(environment: pytest.MonkeyPatch, **values: str) -> str:
    for name, value in values.items():
        environment.setenv(f"BOTCORE_{name.upper()}", value)
    with pytest.raises(ValidationError) as error:
        Settings()
    return str(error.value)


def test_without_any_of_them_no_model_is_asked(environment: pytest.MonkeyPatch) -> None:
    settings = Settings()
    assert (settings.classifier, settings.llm_base_url, settings.llm_cache_seconds) == (
        "local",
        None,
        0,
    )
    assert settings.llm_bounds.availability == 0.97


def test_a_model_that_is_to_classify_must_be_named(environment: pytest.MonkeyPatch) -> None:
    said = refused(environment, classifier="llm")
    assert "set BOTCORE_LLM_BASE_URL and BOTCORE_LLM_MODEL" in said
    said = refused(environment, llm_base_url="http://127.0.0.1:1/v1")
    assert "set BOTCORE_LLM_MODEL too" in said
    environment.setenv("BOTCORE_LLM_MODEL", "m")
    assert Settings().classifier == "llm"


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/v1", "127.0.0.1:80", "http://user:pass@127.0.0.1/", "http://[::1", "//x"],
)
def test_a_base_url_is_checked(environment: pytest.MonkeyPatch, url: str) -> None:
    assert "llm_base_url" in refused(environment, llm_base_url=url, llm_model="m")


def test_quotas_are_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BOTCORE_LLM_QUOTAS", "routing=100000  text_reply=5")
    assert Settings().llm_quotas == {"routing": 100_000, "text_reply": 5}


@pytest.mark.parametrize(
    "quotas",
    ["routing", "routing=", "routing=-1", "routing=1.5", "nobody=1", "routing=1 routing=2",
     "routing=1,text_reply=2", "routing=99999999999999999999"],
)  # fmt: skip
def test_odd_quotas_are_refused(environment: pytest.MonkeyPatch, quotas: str) -> None:
    assert "llm_quotas" in refused(environment, llm_quotas=quotas)


@pytest.mark.parametrize(
    ("name", "value"),
    [("llm_cache_seconds", "601"), ("classifier_llm_seconds", "0"), ("llm_availability", "97"),
     ("llm_retries", "6"), ("classifier", "gpt")],
)  # fmt: skip
def test_bounds_are_kept(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert name in refused(environment, **{name: value})


def test_the_key_is_shown_nowhere() -> None:
    settings = settings_for("postgresql://x", "redis://x", llm_api_key="sk-canary")
    assert "sk-canary" not in repr(settings)
    assert isinstance(settings, LLMSettings)
