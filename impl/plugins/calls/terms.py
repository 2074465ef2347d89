"""What a plugin's registration says about how it is called."""

from dataclasses import dataclass, field
from uuid import UUID

from generated.runtime.edge import SCHEMA_VERSION
from impl.plugins.calls.output import OutputSchema, compile_output


@dataclass(frozen=True, slots=True)
class CallTerms:
    schema_version: str = SCHEMA_VERSION
    output_schema: OutputSchema | None = None
    supports_retry: bool = True


@dataclass(slots=True)
class OutputSchemas:
    """Compiled once for each plugin, and again where its schema changed."""

    _known: dict[UUID, tuple[object, OutputSchema]] = field(default_factory=dict)

    def of(self, plugin_id: UUID, schema: object) -> OutputSchema | None:
        """Raises SchemaError for one that no answer could be held against."""
        if schema is None:
            return None
        known = self._known.get(plugin_id)
        if known is None or known[0] != schema:
            known = self._known[plugin_id] = (schema, compile_output(schema))
        return known[1]
