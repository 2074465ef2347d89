# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Types that JSON Schema's types and formats stand for."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

CANONICAL_LENGTH = 36
_DIGITS = re.compile(r"-?[0-9]{1,19}")  # 64 bits need no more
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,11})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
LONGEST_MOMENT = 32
# asyncpg writes these two as -infinity and infinity, and reads what is stored so without an offset.
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
EXACT = 2**53  # beyond it a double no longer tells which integer was written


def _canonical(value: object) -> object:
    # pydantic also reads the forms without hyphens, in braces and as a URN; the contract has one.
    if isinstance(value, str) and len(value) != CANONICAL_LENGTH:
        raise PydanticCustomError("uuid_form", "Input should be a UUID in its canonical form")
    return value


Uuid = Annotated[UUID, BeforeValidator(_canonical)]

# What a handler holds against the contract itself, since only it knows of which form it is.
FreeObject: TypeAlias = dict[str, Any]


def _moment(value: object) -> object:
    # pydantic also reads seconds since 1970, a space for the T, and times without seconds.
    if isinstance(value, str) and len(value) <= LONGEST_MOMENT and _MOMENT.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):  # OverflowError: the calendar's first or last hours
            moment = FIRST
        if FIRST < moment < LAST:
            return moment
        message = "Input should be a moment that the calendar has, in UTC"
        raise PydanticCustomError("timestamp_range", message)
    if isinstance(value, datetime) and value.tzinfo is not None:  # of our own
        return value.astimezone(UTC)
    message = "Input should be a date and time of RFC 3339 with an offset"
    raise PydanticCustomError("timestamp_form", message)


Timestamp = Annotated[AwareDatetime, BeforeValidator(_moment)]


def _whole(value: object, info: ValidationInfo) -> object:
    # A parameter is text, of which pydantic also reads 1_0, 5.0, +5 and what has spaces around it.
    if isinstance(value, str) and info.mode != "json" and not _DIGITS.fullmatch(value):
        raise PydanticKnownError("int_parsing")
    # JSON Schema's `integer` is any number without a fraction, so 2.0 is one; pydantic, strict,
    # takes no float for an int: https://github.com/pydantic/pydantic/issues/13799
    if isinstance(value, float) and value.is_integer() and -EXACT <= value <= EXACT:
        return int(value)
    return value


Int = Annotated[int, BeforeValidator(_whole)]


class Distinct:
    """A list's `uniqueItems`, of items that can be hashed."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "uniqueItems": True}

    @staticmethod
    def _check(items: list[Any]) -> list[Any]:
        if len(set(items)) != len(items):
            raise PydanticCustomError("not_unique", "Items should be unlike each other")
        return items
