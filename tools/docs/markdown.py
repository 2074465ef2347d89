"""How values look in a document."""

import json
import re
from collections.abc import Iterable, Sequence


def code(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def listed(values: Iterable[object], none: str = "") -> str:
    return ", ".join(code(value) for value in values) or none


def line(text: str) -> str:
    """One line of running text."""
    return re.sub(r"\s+", " ", text).strip()


def sentence(text: str) -> str:
    """With a capital, and without the full stop that another one will set."""
    return text[:1].upper() + text[1:].rstrip(".")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, without the columns in which no row says anything."""
    whole = [[line(cell).replace("|", "\\|") for cell in row] for row in rows]
    kept = [index for index in range(len(head)) if index == 0 or any(row[index] for row in whole)]
    lines = [[head[index] for index in kept], ["---"] * len(kept)]
    lines += [[row[index] for index in kept] for row in whole]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def anchor(heading: str) -> str:
    """The fragment under which a heading of one word is found."""
    return re.sub(r"[^a-z0-9_-]", "", heading.lower())
