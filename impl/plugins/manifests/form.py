"""What a form of the manifest is."""

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from generated import models
from generated.errors import ValidationFailed
from generated.runtime.validation import refusal

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Adapted:
    """A manifest in today's form, and what that form has no member for."""

    manifest: models.PluginManifestV1
    is_fallback: bool = False
    bare_tags: bool = False  # an intent that was sent is its tag

    @property
    def supports_retry(self) -> bool:
        capabilities = self.manifest.capabilities
        return capabilities is None or capabilities.supports_retry


class ManifestForm(Protocol):
    """One form: two manifests of different forms are told apart by what only one of them has."""

    def fits(self, raw: dict[str, Any]) -> bool:
        """Whether `raw`, right or wrong, is meant as one. The newer forms said no."""
        ...

    def adapt(self, raw: dict[str, Any]) -> Adapted:
        """Raises ValidationFailed, by the form's own schema."""
        ...


def read(model: type[Model], raw: dict[str, Any]) -> Model:
    """`raw`, which was strict JSON, as a `model`. Raises ValidationFailed, below `/manifest`."""
    try:
        # From the bytes: pydantic's JSON mode is strict and yet reads UUIDs and times.
        return model.model_validate_json(orjson.dumps(raw), strict=True)
    except ValidationError as error:
        found = refusal(error, "body", raw)
    errors = [replace(fault, pointer=f"/manifest{fault.pointer}") for fault in found.errors]
    raise ValidationFailed(found.detail, errors=errors)
