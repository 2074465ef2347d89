# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Types that JSON Schema's formats stand for."""

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

CANONICAL_LENGTH = 36


def _canonical(value: object) -> object:
    # pydantic also reads the forms without hyphens, in braces and as a URN; the contract has one.
    if isinstance(value, str) and len(value) != CANONICAL_LENGTH:
        raise PydanticCustomError("uuid_form", "Input should be a UUID in its canonical form")
    return value


Uuid = Annotated[UUID, BeforeValidator(_canonical)]
