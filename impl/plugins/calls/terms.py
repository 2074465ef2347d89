"""What a plugin's registration says about how it is called."""

from dataclasses import dataclass

from generated.runtime.edge import SCHEMA_VERSION
from impl.plugins.calls.output import OutputSchema


@dataclass(frozen=True, slots=True)
class CallTerms:
    schema_version: str = SCHEMA_VERSION
    output_schema: OutputSchema | None = None
    supports_retry: bool = True
