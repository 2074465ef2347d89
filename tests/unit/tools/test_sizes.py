"""The bound on a body's values never refuses what the contract takes."""

from tools.bundler import bundle
from tools.contract import Json
from tools.sizes import FREE_FORM, most_values

DOCUMENT: Json = {"components": {"schemas": {"Name": {"type": "string"}}}}
NAME = {"$ref": "#/components/schemas/Name"}


def test_a_value_weighs_one_and_what_holds_values_two() -> None:
    assert most_values(DOCUMENT, NAME) == 1
    names = {"type": "array", "maxItems": 5, "items": NAME}
    assert most_values(DOCUMENT, names) == 7
    closed = {"type": "object", "properties": {"a": names, "b": NAME}}
    assert most_values(DOCUMENT, closed | {"additionalProperties": False}) == 10
    mapped = {"type": "object", "additionalProperties": names, "maxProperties": 3}
    assert most_values(DOCUMENT, mapped) == 23


def test_of_alternatives_the_larger_one_counts() -> None:
    names = {"type": "array", "maxItems": 5, "items": NAME}
    assert most_values(DOCUMENT, {"anyOf": [NAME, names, {"type": "null"}]}) == 7
    assert most_values(DOCUMENT, {"oneOf": [names, NAME]}) == 7


def test_what_is_left_open_is_granted_plenty() -> None:
    assert most_values(DOCUMENT, {}) == FREE_FORM
    assert most_values(DOCUMENT, {"type": "object", "properties": {}}) == 2 + FREE_FORM


def test_a_registration_may_name_every_example_of_every_intent() -> None:
    document = bundle("openapi.yaml")
    schema = document["components"]["schemas"]["PluginRegistrationRequestV1"]
    assert most_values(document, schema) > 200 * 200
