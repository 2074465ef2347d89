"""The documents tell the whole contract, and nothing that is not in it."""

import re
from pathlib import Path

import pytest

from impl.tables import metadata
from tests.unit.tools.conftest import Edit
from tools.bundler import bundle, error_codes
from tools.contract import ROOT, operations
from tools.docs import DOCUMENTS, write_documents
from tools.docs.degraded import OTHERWISE
from tools.docs.markdown import anchor, table
from tools.docs.shapes import bounds, kind
from tools.events import messages

DOCS = ROOT / "docs"
HTTP = [bundle("openapi.yaml"), bundle("plugin.openapi.yaml")]
EVENTS = bundle("events.asyncapi.yaml")


def headings(name: str, level: int) -> list[str]:
    text = (DOCS / "CONTRACTS" / name).read_text()
    return re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)


def test_every_part_of_the_contract_has_its_place() -> None:
    schemas = {name for document in (*HTTP, EVENTS) for name in document["components"]["schemas"]}
    assert headings("SCHEMAS.md", 2) == sorted(schemas)
    ids = [operation.id for document in HTTP for operation in operations(document)]
    assert sorted(headings("OPERATIONS.md", 3)) == sorted(ids)
    assert headings("EVENTS.md", 3) == [message.name for message in messages(EVENTS)]
    metrics = (DOCS / "CONTRACTS" / "METRICS.md").read_text()
    assert all(f"| `{metric['name']}` |" in metrics for metric in HTTP[0]["x-metrics"])
    assert headings("ERRORS.md", 2) == list(error_codes())
    assert headings("DATABASE.md", 2) == sorted(metadata.tables)


def test_each_operation_has_one_row_of_what_holds_without_redis() -> None:
    """tests/integration/degraded asks every operation of the contract, and so checks each row."""
    ids = [operation.id for operation in operations(HTTP[0])]
    table = (DOCS / "DEGRADED.md").read_text().partition("## Each operation")[2]
    assert re.findall(r"^\| \[`(\w+)`\]", table, re.MULTILINE) == ids
    assert set(OTHERWISE) <= set(ids)


def test_every_table_says_what_it_is_for() -> None:
    assert [table.name for table in metadata.tables.values() if "about" not in table.info] == []


@pytest.mark.parametrize("name", DOCUMENTS.values())
def test_every_link_leads_somewhere(name: str) -> None:
    text = re.sub(r"`[^`]*`", "", (DOCS / name).read_text())
    for target, fragment in re.findall(r"\]\(([^)#]*)(#[^)]*)?\)", text):
        path = (DOCS / name).parent / target if target else DOCS / name
        assert path.is_file(), target
        if fragment:
            found = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
            assert fragment[1:] in map(anchor, found), f"{target}{fragment}"


@pytest.mark.parametrize("name", DOCUMENTS.values())
def test_every_document_says_what_it_is_made_of(name: str) -> None:
    assert (DOCS / name).read_text().startswith("<!-- Generated from ")


@pytest.mark.parametrize(
    ("file", "old", "new", "name", "said"),
    [
        ("schemas/Text.yaml", "maxLength: 4096", "maxLength: 4095", "SCHEMAS.md", "to 4095 char"),
        ("paths/users.yaml", "users:write", "users:scribble", "OPERATIONS.md", "users:scribble"),
        ("errors.yaml", "title: Overloaded", "title: Tired", "ERRORS.md", "**503 Tired.**"),
        ("events.asyncapi.yaml", "max_length: 100000", "max_length: 2000", "EVENTS.md", "2,000"),
        ("extensions/x-emits.yaml", "that a request may", "that it may", "EXTENSIONS.md", "it may"),
        ("paths/users.yaml", "  x-emits: [user_created]\n", "", "../TRIGGERS.md",
         "to the core. | the core by itself |"),
        ("triggers.yaml", "plugin-back:",
         ("TR-000: {condition: never, action: nothing, severity: info, events: [user_created]}\n"
          "plugin-back:"),
         "../TRIGGERS.md", "| TR-000 | never | nothing | `info` | `user_created` |"),
    ],
)  # fmt: skip
def test_a_change_of_the_contract_is_told(  # noqa: PLR0917  # its fixtures and parameters
    contract: Path, edit: Edit, tmp_path: Path, file: str, old: str, new: str, name: str, said: str
) -> None:
    assert said not in (DOCS / "CONTRACTS" / name).read_text()
    edit(file, old, new)
    write_documents(tmp_path / "docs", contract)
    assert said in (tmp_path / "docs" / "CONTRACTS" / name).read_text()


def test_a_table_leaves_out_what_no_row_says() -> None:
    assert table(("A", "B", "C"), [("1", "", "x|y"), ("2", "", "")]).splitlines() == [
        "| A | C |",
        "| --- | --- |",
        r"| 1 | x\|y |",
        "| 2 |  |",
    ]


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "format": "uuid", "maxLength": 36, "minLength": 36},
         ("string, uuid", "36 characters")),
        ({"type": ["integer", "null"], "minimum": 0}, ("integer or null", "0 or more")),
        ({"type": "number", "maximum": 9}, ("number", "9 or less")),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Uuid"}, "maxItems": 3},
         ("list of [Uuid](SCHEMAS.md#uuid)", "0 to 3 items")),
        ({"type": "object", "additionalProperties": {"type": "number"}, "maxProperties": 4},
         ("object of number", "0 to 4 members")),
        ({"anyOf": [{"type": "string", "enum": ["a", "b"]}, {"type": "null"}]},
         ("string or null", "one of `a`, `b`")),
        ({"const": "text"}, ("always `text`", "")),
    ],
)  # fmt: skip
def test_a_schema_is_told_in_words(schema: dict[str, object], said: tuple[str, str]) -> None:
    assert (kind(schema), bounds(schema)) == said
