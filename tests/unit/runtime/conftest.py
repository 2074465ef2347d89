"""A service of its own for each test."""

import pytest

from tests.unit.runtime.service import Service, stored


@pytest.fixture
def service() -> Service:
    made = Service()
    made.handlers.outcome = stored()
    return made
