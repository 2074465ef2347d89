# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""Values against the contract's models; what is refused comes back as JSON pointers."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from generated.errors import ValidationFailed
from generated.runtime import strict_json
from generated.runtime.problems import MAX_ERRORS, MAX_MESSAGE, InvalidValue, Location, pointer

MANY_ERRORS = 10_000
_SILENT = {
    "uuid_parsing": "Input should be a UUID in its canonical form",
}
Model = TypeVar("Model", bound=BaseModel)
Way = tuple[str | int, ...]


def read_json(model: type[Model], body: bytes, declared: int = 0) -> Model:
    """`body` as a `model`, strictly: no number in quotes, no unknown field.

    `declared` is how many values the contract lets it hold, where these are very many.
    """
    value = strict_json.parse(body, max_values=max(declared, strict_json.MAX_VALUES))
    try:
        # From the bytes: pydantic's JSON mode is strict and yet reads UUIDs and times.
        read: Model = model.__pydantic_validator__.validate_json(body, strict=True)
    except ValidationError as error:
        raise refusal(error, "body", value) from None
    return read


def read_strings(model: type[Model], values: dict[str, str], location: Location) -> Model:
    """Parameters, which are all text on the wire, as a `model`. Not to be changed."""
    try:
        if not values:
            read: Model = _nothing_given(model)
            return read
        read = model.__pydantic_validator__.validate_strings(values)  # type: ignore[arg-type]  # it takes nested ones too
    except ValidationError as error:
        raise refusal(error, location, values) from None
    return read


@cache  # of the contract's models: many requests bring none of the parameters that they may
def _nothing_given(model: type[BaseModel]) -> Any:
    return model.__pydantic_validator__.validate_strings({})


def refusal(error: ValidationError, location: Location, value: object) -> ValidationFailed:
    count = error.error_count()
    if count > MANY_ERRORS:  # pydantic makes objects of all of them or of none
        many = InvalidValue(location, "", "too_many_errors", "Too many to name any")
        return ValidationFailed(_count(count), errors=[many])
    # A body can hold thousands of wrong values; each place costs, and few are sent.
    found = [
        InvalidValue(location, pointer(*_place(item, value)), item["type"], _message(item))
        for item in error.errors(include_url=False)[:MAX_ERRORS]
    ]
    return ValidationFailed(_count(count), errors=found)


def _count(number: int) -> str:
    return f"{number} value{' was' if number == 1 else 's were'} refused; see errors."


def _place(item: Any, value: object) -> Way:
    """pydantic's `loc` less the names of union members, which are in no document."""
    lacking = item["type"] == "missing"  # the last part is what the document does not hold
    loc = item["loc"][:-1] if lacking else item["loc"]
    refused = item["input"]
    # A member's name may also be a key: in `payload, text, bogus` the first `text` may be the
    # payload's type or its text. The right way ends at the value that was refused.
    way, _ = max(_ways(loc, value), key=lambda found: (found[1] == refused, len(found[0])))
    return (*way, item["loc"][-1]) if lacking else way


def _ways(loc: Way, value: object) -> Iterator[tuple[Way, object]]:
    """Every way into `value` by parts of `loc`, with what it ends at."""
    if not loc:
        yield (), value
        return
    head, rest = loc[0], loc[1:]
    if _holds(value, head):
        inner = value[head]  # type: ignore[index]  # _holds
        yield from (((head, *way), end) for way, end in _ways(rest, inner))
    yield from _ways(rest, value)


def _holds(value: object, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, Mapping) and part in value


def _message(item: Any) -> str:
    """pydantic's own text, but where that repeats the input."""
    if item["type"] == "union_tag_invalid":
        return f"Input should be one of {item['ctx']['expected_tags']}"[:MAX_MESSAGE]
    return _SILENT.get(item["type"], str(item["msg"]))[:MAX_MESSAGE]
