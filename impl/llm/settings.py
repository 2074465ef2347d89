"""The settings of models, for the core and for text_reply (prefix `BOTCORE_`)."""

from collections.abc import Mapping
from typing import Annotated, Self, get_args

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from generated.metrics import SubsystemLabel
from generated.models import HttpUrl, Line
from generated.triggers import LLM_AVAILABILITY, LLM_WINDOW_CALLS, LLM_WINDOW_SECONDS
from impl.llm.availability import Bounds
from impl.llm.times import Times
from impl.secrecy.risks import RiskSettings

SUBSYSTEMS = frozenset(get_args(SubsystemLabel))
MOST_TOKENS = 10**12


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _quotas(value: object) -> object:
    """`routing=1000 text_reply=2000` as a mapping; what is none passes."""
    if not isinstance(value, str):
        return value
    found: dict[str, int] = {}
    for part in value.split():
        name, _, tokens = part.partition("=")
        if name not in SUBSYSTEMS or name in found:
            raise ValueError(f"must be like routing=100000, one for each of {sorted(SUBSYSTEMS)}")
        if not (tokens.isascii() and tokens.isdigit() and int(tokens) <= MOST_TOKENS):
            raise ValueError(f"the tokens of {name} must be a whole number up to {MOST_TOKENS}")
        found[name] = int(tokens)
    return found


EmptyUrl = Annotated[HttpUrl | None, BeforeValidator(_none_if_empty)]
EmptyLine = Annotated[Line | None, BeforeValidator(_none_if_empty)]
EmptySecret = Annotated[SecretStr | None, BeforeValidator(_none_if_empty)]
TokenQuotas = Annotated[Mapping[str, int], NoDecode, BeforeValidator(_quotas)]


class LLMSettings(RiskSettings):
    """Share them by inheritance; whoever does says the prefix."""

    llm_base_url: EmptyUrl = Field(
        default=None, description="an OpenAI-compatible API; without it no model is asked"
    )
    llm_model: EmptyLine = None
    llm_api_key: EmptySecret = None
    llm_timeout_seconds: float = Field(
        default=2.0, gt=0, le=600, description="for an answer in words"
    )
    llm_code_seconds: float = Field(default=60.0, gt=0, le=600, description="for code")
    llm_health_seconds: float = Field(default=2.0, gt=0, le=60)
    llm_retries: int = Field(default=2, ge=0, le=5, description="attempts beyond the first")
    llm_availability: float = Field(
        default=LLM_AVAILABILITY,
        gt=0,
        le=1,
        description="below this share of good calls another answers",
    )
    llm_window_seconds: float = Field(default=LLM_WINDOW_SECONDS, ge=1, le=86_400)
    # With 34 calls a single one that failed is no outage yet.
    llm_window_calls: int = Field(
        default=LLM_WINDOW_CALLS, ge=1, le=1_000_000, description="fewer say nothing"
    )
    llm_probe_seconds: float = Field(
        default=5.0, gt=0, le=3600, description="between two looks at a model that is away"
    )
    llm_quotas: TokenQuotas = Field(
        default_factory=dict, description="tokens a window, as routing=100000 text_reply=1000000"
    )
    llm_quota_seconds: int = Field(default=86_400, ge=1, le=31 * 86_400)
    llm_log: bool = Field(
        default=False,
        description="requests and answers in the log; so does log_level=debug",
    )

    @model_validator(mode="after")
    def _model_is_named(self) -> Self:
        if self.llm_base_url is not None and self.llm_model is None:
            raise ValueError("BOTCORE_LLM_BASE_URL is set: set BOTCORE_LLM_MODEL too")
        return self

    @property
    def llm_bounds(self) -> Bounds:
        return Bounds(self.llm_availability, self.llm_window_seconds, self.llm_window_calls)

    def llm_times(self, classify_seconds: float) -> Times:
        return Times(
            invoke=self.llm_timeout_seconds,
            classify=classify_seconds,
            generate_code=self.llm_code_seconds,
            health=self.llm_health_seconds,
        )
