"""What keys are given is what the contract's operations ask for."""

import json

import pytest

from impl.tokens.scopes import ADMIN_SCOPES, REGISTRY_SCOPES
from tools.contract import ROOT, operations

DOCUMENT = json.loads((ROOT / "generated" / "openapi.json").read_text())


@pytest.mark.parametrize(
    ("scheme", "given"), [("AdminKey", ADMIN_SCOPES), ("RegistryKey", REGISTRY_SCOPES)]
)
def test_a_key_may_do_all_that_the_contract_has_for_it(scheme: str, given: frozenset[str]) -> None:
    needs = [need for operation in operations(DOCUMENT) for need in operation.spec["security"]]
    demanded = {scope for need in needs for scope in need.get(scheme, ())}
    assert demanded
    assert demanded <= given
