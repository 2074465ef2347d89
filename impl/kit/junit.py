"""JUnit's XML, which every CI shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET


@dataclass(frozen=True)
class TestCase:
    """One case. `fault` is None where it held; `untried` says why it was not tried."""

    group: str
    name: str
    fault: str | None = None
    untried: str | None = None
    details: str | None = None  # of a fault


def write(path: Path, suite: str, cases: Sequence[TestCase], seconds: float) -> None:
    root = ET.Element(
        "testsuite",
        name=suite,
        tests=str(len(cases)),
        failures=str(sum(case.fault is not None for case in cases)),
        skipped=str(sum(case.untried is not None for case in cases)),
        time=f"{seconds:.1f}",
    )
    for case in cases:
        node = ET.SubElement(root, "testcase", classname=case.group, name=case.name)
        if case.fault is not None:
            ET.SubElement(node, "failure", message=_xml(case.fault)).text = _xml(case.details or "")
        if case.untried is not None:
            ET.SubElement(node, "skipped", message=_xml(case.untried))
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _xml(text: str) -> str:
    """Without what XML cannot hold: a plugin may answer anything."""
    return "".join(one if one >= " " or one in "\n\t" else "�" for one in text)
