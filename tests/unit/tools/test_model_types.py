"""What is written into the models after their generator."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from generated import models
from tools.contract import ContractError
from tools.model_types import keep_items_distinct

DISTINCT = {"type": "array", "uniqueItems": True, "items": {"type": "string"}}
SOURCE = """
from generated.runtime.scalars import Uuid

Words = TypeAliasType(
    "Words",
    Annotated[
        list[
            str
        ],
        Field(max_length=3),
    ],
)

Others = TypeAliasType(
    "Others",
    Annotated[
        list[str],
        Field(max_length=3),
    ],
)
"""


def test_only_the_list_that_says_so_is_distinct() -> None:
    written = keep_items_distinct(SOURCE, {"Words": DISTINCT, "Others": {"type": "array"}})
    assert written.replace("        Distinct(),\n", "").replace("Distinct, ", "") == SOURCE
    assert "        Field(max_length=3),\n        Distinct(),\n    ],\n)\n\nOthers" in written
    assert "import Distinct, Uuid\n" in written


@pytest.mark.parametrize(
    "schemas",
    [
        {"Unknown": DISTINCT},
        {"Words": {"type": "object", "properties": {"inner": DISTINCT}}},
    ],
)
def test_a_distinct_list_that_cannot_be_kept_so_fails_the_build(schemas: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="a schema of its own"):
        keep_items_distinct(SOURCE, schemas)


def test_a_list_of_the_contract_refuses_an_item_that_comes_twice() -> None:
    scopes = TypeAdapter(models.BotScopes)
    assert scopes.validate_python(["dialogs:read", "users:write"])
    with pytest.raises(ValidationError, match="unlike each other"):
        scopes.validate_python(["dialogs:read", "users:write", "dialogs:read"])
    assert scopes.json_schema()["uniqueItems"] is True
