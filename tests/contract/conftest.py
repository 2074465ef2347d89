"""What these tests need of pytest itself."""

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """A name of its own for each operation's test: with pytest 9.2 schemathesis gives all of them
    one, and a suite that runs in several processes takes them for the same."""
    operation = getattr(item, "operation_label", None)
    if operation is not None:
        item._id = item._id.with_params(operation)
