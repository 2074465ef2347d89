"""Values against the contract's models; what is refused comes back as JSON pointers."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from generated.errors import ValidationFailed
from generated.runtime import strict_json
from generated.runtime.problems import MAX_MESSAGE, InvalidValue, Location, pointer

Model = TypeVar("Model", bound=BaseModel)


def read_json(model: type[Model], body: bytes) -> Model:
    """`body` as a `model`, strictly: no number in quotes, no unknown field."""
    value = strict_json.parse(body)
    try:
        # From the bytes: pydantic's JSON mode is strict and yet reads UUIDs and times.
        return model.model_validate_json(body, strict=True)
    except ValidationError as error:
        raise refusal(error, "body", value) from None


def read_strings(model: type[Model], values: dict[str, str], location: Location) -> Model:
    """Parameters, which are all text on the wire, as a `model`."""
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        raise refusal(error, location, values) from None


def refusal(error: ValidationError, location: Location, value: object) -> ValidationFailed:
    found = [
        InvalidValue(location, pointer(*_place(item["loc"], value)), item["type"], _message(item))
        for item in error.errors(include_url=False, include_input=False)
    ]
    return ValidationFailed(_count(found), errors=found)


def _count(found: list[InvalidValue]) -> str:
    return f"{len(found)} value{' was' if len(found) == 1 else 's were'} refused; see errors."


def _place(loc: Iterable[str | int], value: object) -> list[str | int]:
    """pydantic's `loc` less the names of union members, which are in no document."""
    parts = list(loc)
    place: list[str | int] = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if isinstance(value, Mapping) and isinstance(part, str) and (part in value or last):
            place.append(part)
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int):
            place.append(part)
            value = value[part] if part < len(value) else None
    return place


def _message(item: Any) -> str:
    if item["type"] == "union_tag_invalid":  # pydantic's own text repeats the input
        return f"Input should be one of {item['ctx']['expected_tags']}"[:MAX_MESSAGE]
    return str(item["msg"])[:MAX_MESSAGE]
