"""What datamodel-code-generator's models lack of the contract, written into them afterwards."""

import io
import re
import tokenize
from pathlib import Path

from tools.contract import ContractError, Json
from tools.schema_rules import schema_members

SCALARS = "from generated.runtime.scalars import "


def complete(models: Path, schemas: dict[str, Json]) -> None:
    source = use_own_integer(models.read_text())
    models.write_text(keep_items_distinct(source, schemas))


def use_own_integer(source: str) -> str:
    """Its `int` becomes ours, which takes 2.0: a type of JSON cannot be overridden by an option."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = source.splitlines(keepends=True)
    found = [
        token.start for token in tokens if (token.type, token.string) == (tokenize.NAME, "int")
    ]
    for row, column in reversed(found):
        line = lines[row - 1]
        lines[row - 1] = f"{line[:column]}Int{line[column + 3 :]}"
    return "".join(lines).replace(SCALARS, f"{SCALARS}Int, ", 1)


def keep_items_distinct(source: str, schemas: dict[str, Json]) -> str:
    """`uniqueItems`, which it drops without a word. Raises ContractError but for a named list."""
    for name, schema in schemas.items():
        for parts, member in schema_members((name,), schema):
            if not member.get("uniqueItems"):
                continue
            alias = (
                rf'(\n{name} = TypeAliasType\(\n    "{name}",\n    Annotated\[\n.*?\n)(    \],\n)'
            )
            source, found = re.subn(alias, r"\1        Distinct(),\n\2", source, flags=re.DOTALL)
            if len(parts) != 1 or found != 1:
                raise ContractError(
                    f"{'/'.join(parts)}: make the distinct list a schema of its own"
                )
            if f"{SCALARS}Distinct, " not in source:
                source = source.replace(SCALARS, f"{SCALARS}Distinct, ", 1)
    return source
