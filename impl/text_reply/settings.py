"""Every setting of this service, from the environment (prefix `BOTCORE_`)."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from generated.models import PluginBaseUrl
from impl.llm.settings import LLMSettings
from impl.text_reply.manifest import HEARTBEAT_SECONDS

PREFIX = "BOTCORE_"


class TextReplySettings(LLMSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
    )

    log_level: Literal["debug", "info", "warning", "error"] = "info"

    url: PluginBaseUrl = Field(description="where the core serves its API")
    registry_key: SecretStr = Field(min_length=1)

    text_reply_host: str = "127.0.0.1"
    text_reply_port: int = Field(default=8090, ge=1, le=65535)
    text_reply_base_url: PluginBaseUrl | None = Field(
        default=None, description="where the core reaches us; by default this machine and our port"
    )
    text_reply_heartbeat_seconds: float = Field(
        default=HEARTBEAT_SECONDS,
        gt=0,
        le=HEARTBEAT_SECONDS,
        description="never less often than the manifest promises",
    )

    @property
    def base_url(self) -> str:
        return self.text_reply_base_url or f"http://127.0.0.1:{self.text_reply_port}"


def complaints(error: ValidationError) -> Iterator[str]:
    """What is wrong, by variable; never a value, since it may be a secret."""
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        message = fault["msg"].removeprefix("Value error, ")
        name = f"{PREFIX}{str(fault['loc'][0]).upper()}: " if fault["loc"] else ""
        yield f"{name}{message}"
