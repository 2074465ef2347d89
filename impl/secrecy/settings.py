"""Settings whose secrets may stand in files."""

from typing import Any, get_args

from pydantic import SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from impl.secrecy.files import SecretFileError, read_secret


class SecretSettings(BaseSettings):
    """Every field that is a `SecretStr` has the form `<NAME>_FILE`, too."""

    # The validator's own words would quote a secret that is too short.
    model_config = SettingsConfigDict(hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, SecretFiles(settings_cls), env_settings

    @field_validator("*", mode="before")
    @classmethod
    def _readable(cls, value: object) -> object:
        """What a file lacks is told with all else that is wrong."""
        if isinstance(value, SecretFileError):
            raise value
        return value


class SecretFiles(PydanticBaseSettingsSource):
    """What stands in files; of one that cannot be used, why."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        if not holds_secret(field.annotation):
            return None, field_name, False
        prefix = self.settings_cls.model_config.get("env_prefix", "")
        try:
            return read_secret(f"{prefix}{field_name}".upper()), field_name, False
        except SecretFileError as error:
            return error, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def holds_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(holds_secret(part) for part in get_args(annotation))
