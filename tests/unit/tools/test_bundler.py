"""Many files make one document."""

import json
from pathlib import Path

import pytest

from tests.unit.tools.conftest import Edit
from tools.bundler import COMPONENTS, error_codes, load
from tools.contract import ContractError, deref, operations, walk

HTTP = ["openapi.yaml", "plugin.openapi.yaml"]
ALL = [*HTTP, "events.asyncapi.yaml"]


@pytest.mark.parametrize("name", ALL)
def test_a_bundle_refers_only_to_itself(name: str) -> None:
    document = load(name).document
    references = [node["$ref"] for _, node in walk(document) if isinstance(node.get("$ref"), str)]
    assert references
    for reference in references:
        assert deref(document, {"$ref": reference})


@pytest.mark.parametrize("name", ALL)
def test_its_components_stand_in_order(name: str) -> None:
    components = load(name).document["components"]
    for kind in set(COMPONENTS) & set(components):
        assert list(components[kind]) == sorted(components[kind])


def test_a_bundle_is_json_and_equal_each_time() -> None:
    first, second = (json.dumps(load("openapi.yaml").document) for _ in range(2))
    assert first == second


def test_the_error_codes_are_listed_in_the_schema() -> None:
    schema = load("openapi.yaml").document["components"]["schemas"]["ErrorCode"]
    assert schema["examples"] == list(error_codes())
    assert "`message_in_flight` (409)" in schema["description"]
    assert "enum" not in schema  # a new code must not break those who read the old ones


def test_a_discriminator_names_components() -> None:
    payload = load("openapi.yaml").document["components"]["schemas"]["MessagePayloadV1"]
    assert payload["discriminator"]["mapping"]["text"] == "#/components/schemas/TextPayloadV1"


def test_keywords_beside_a_reference_stay() -> None:
    schema = load("openapi.yaml").document["components"]["schemas"]["DialogMessageCreateV1"]
    assert schema["properties"]["metadata"] == {
        "$ref": "#/components/schemas/MetadataV1",
        "default": {},
    }


def test_a_schema_may_refer_to_itself(contract: Path, edit: Edit) -> None:
    edit("schemas/HealthV1.yaml", "properties:\n", "properties:\n  of: {$ref: HealthV1.yaml}\n")
    schemas = load("openapi.yaml", contract).document["components"]["schemas"]
    assert schemas["HealthV1"]["properties"]["of"] == {"$ref": "#/components/schemas/HealthV1"}


def test_a_missing_file_is_named(contract: Path, edit: Edit) -> None:
    edit("schemas/HealthV1.yaml", "SemanticVersion.yaml", "Gone.yaml")
    with pytest.raises(ContractError, match=r"Gone\.yaml: no such file; .*HealthV1\.yaml refers"):
        load("openapi.yaml", contract)


def test_a_file_that_is_no_yaml_is_named(contract: Path, edit: Edit) -> None:
    edit("schemas/HealthV1.yaml", "properties:\n", "properties: [\n")
    with pytest.raises(ContractError, match=r"HealthV1\.yaml: not YAML: .* at line \d+"):
        load("openapi.yaml", contract)


@pytest.mark.parametrize("name", HTTP)
def test_every_operation_is_found(name: str) -> None:
    bundle = load(name)
    ids = [operation.id for operation in operations(bundle.document)]
    assert len(ids) == len(set(ids)) >= 3
    assert all(bundle.place(("paths", op.path)) for op in operations(bundle.document))
