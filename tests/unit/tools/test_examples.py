"""An example that its schema refuses is found, wherever it stands."""

from pathlib import Path

import pytest

from tests.unit.tools.conftest import Edit
from tools.examples import findings

BODY = "paths/users.yaml"


def test_every_example_fits() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (BODY, "telegram_id: 814", "telegram_id: 0", "0 is less than the minimum"),
        (BODY, "telegram_id: 814", "telegram: 814", "Additional properties"),
        (BODY, "locale: en,", "locale: '??',", "is not valid under any"),
        (BODY, "user_id: 0b9f6a52-", "user_id: zb9f6a52-", "does not match"),
        ("paths/dialog.yaml", "'2026-11-22T10", "'2026-13-22T10", "is not a 'date-time'"),
        ("paths/dialog.yaml", "'2026-11-22T10:15:30.123456Z'", "'2026-11-22 10:15:30.123'",
         "is not a 'date-time'"),
        ("schemas/Locale.yaml", "[en]", "[english_us]", "does not match"),
        ("schemas/RegexConditionV1.yaml", "'(?i)^/weather\\b'", "''", "should be non-empty"),
        ("parameters/Limit.yaml", "required: false", "required: false\nexample: 0", "minimum"),
        ("parameters/Limit.yaml", "default: 50", "default: 500", "greater than the maximum"),
        ("schemas/UserUpsertV1.yaml", "default: {}", "default: 5", "is not of type 'object'"),
        ("responses/NotFound.yaml", "status: 404", "status: 403", "status is not that of"),
        ("responses/NotFound.yaml", "title: No", "title: Not", "title is not that of"),
    ],
)  # fmt: skip
def test_one_that_does_not_is_told(  # noqa: PLR0917  # its fixtures and parameters
    contract: Path, edit: Edit, name: str, old: str, new: str, said: str
) -> None:
    edit(name, old, new)
    assert any(finding.startswith(name) and said in finding for finding in findings(contract)), (
        findings(contract)
    )


def test_nothing_is_fetched(contract: Path, edit: Edit) -> None:
    edit("schemas/Line.yaml", "type: string\n", "$ref: '#/gone'\n")
    with pytest.raises(Exception, match="gone"):
        findings(contract)
