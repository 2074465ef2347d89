"""A plugin's own `output_schema`: what its answers must fit beyond the contract."""

from typing import TypeAlias

from impl.schemas.form import SchemaError
from impl.schemas.schema import Schema, compile_schema

__all__ = ["OutputSchema", "SchemaError", "compile_output"]

OutputSchema: TypeAlias = Schema


def compile_output(schema: object) -> OutputSchema:
    """`schema` is the JSON of one, as `plugins.output_schema` keeps it. Raises SchemaError."""
    return compile_schema(schema)
