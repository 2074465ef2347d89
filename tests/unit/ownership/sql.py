"""Finds the SQL of `impl/`, and reads of a statement whose rows it may touch.

No parser of SQL, but it knows our way of writing it: parts in parentheses, CTEs by name, parameters
by number. What it cannot prove it calls unguarded.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import impl

# The columns of a table that name the owner; of a dialog's parts none does, their dialog tells it.
OWNERS = {
    "bot_users": "bot_id",
    "dialogs": "bot_id",
    "message_keys": "",
    "messages": "",
    "notification_deliveries": "subscription_id",
    "notification_subscriptions": "bot_id",
    "plugin_calls": "plugin_id",
    "plugin_events": "plugin_id",
    "plugin_failures": "plugin_id",
    "plugins": "id",
    "tokens": "bot_id|plugin_id",
}
_TABLES = "|".join(OWNERS)
_TOUCHED = re.compile(rf"\b(?:FROM|JOIN|UPDATE|INTO|USING)\s+({_TABLES})\b")
_NAMED = re.compile(r"(?:\b(?:FROM|JOIN|UPDATE|USING)|,)\s+(\w+)\b(?:\s+AS\s+(\w+))?")
_INSERTED = re.compile(rf"\bINSERT INTO ({_TABLES})\b[\w\s]*?\[(\d+)\]")
_INSERTED_INTO = re.compile(rf"\bINSERT INTO ({_TABLES})\b")
_SET = re.compile(r"\bSET\b.*?(?=\bWHERE\b|\bFROM\b|\bRETURNING\b|$)", re.DOTALL)
_LINK = re.compile(r"(?:(\w+)\.)?\w+ = (\w+)\.\w+")
_AMONG = re.compile(r"(?:(\w+)\.)?\w+ IN \[(\d+)\]")
_STATEMENT = re.compile(r"\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\b")
_PART = re.compile(r"\[(\d+)\]")
_CTE = re.compile(r"(\w+)\s+AS\s*(?:NOT\s+)?(?:MATERIALIZED\s*)?\[(\d+)\]")


def constants() -> dict[str, str]:
    """Every text of a module that is a statement, by its name; those in tuples and dicts too."""
    found: dict[str, str] = {}
    for module in pkgutil.walk_packages(impl.__path__, "impl."):
        if ".template" in module.name or module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for key, text in _texts(name, value):
                if is_sql(text):
                    found.setdefault(f"{module.name}.{key}", text)
    return found


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    if name.startswith("__"):
        return
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(f"{name}[{key}]", each)
    elif isinstance(value, (tuple, list, set, frozenset)):
        for index, each in enumerate(value):
            yield from _texts(f"{name}[{index}]", each)


def is_sql(text: str) -> bool:
    return _STATEMENT.search(text) is not None and _TOUCHED.search(text) is not None


def made_in_functions() -> set[str]:
    """Functions that hold SQL of their own, as `module.function`: no constant tells of it."""
    root = Path(impl.__path__[0])
    found = set()
    for path in root.rglob("*.py"):
        if "template" in path.parts:
            continue
        module = "impl." + ".".join(path.relative_to(root).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                texts = "\n".join(_strings(node))
                if is_sql(texts):
                    found.add(f"{module}.{node.name}")
    return found


def _strings(node: ast.AST) -> Iterator[str]:
    docstring = ast.get_docstring(node, clean=False) if isinstance(
        node, (ast.FunctionDef, ast.AsyncFunctionDef)
    ) else None  # fmt: skip
    for each in ast.walk(node):
        if (
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and each.value != docstring
        ):
            yield each.value


@dataclass
class Part:
    """What stands between two parentheses; those within are `[n]`."""

    text: str
    parts: list["Part"] = field(repr=False)


def unguarded(sql: str) -> list[str]:
    """The tables that it touches without naming their owner, or somebody who was asked for him."""
    faults, _ = _check(_parse(sql), set(), frozenset())
    return faults


def _parse(sql: str) -> Part:
    text = re.sub(r"--[^\n]*", "", sql)
    text = re.sub(r"'[^']*'", "''", text)
    # How a holder is named that may be a bot, a plugin or nobody.
    text = re.sub(r"coalesce\(bot_id, plugin_id\) IS NOT DISTINCT FROM (?=\$)", "bot_id = ", text)
    parts: list[Part] = []
    stack: list[list[str]] = [[]]
    for piece in re.split(r"([()])", text):
        if piece == "(":
            stack.append([])
        elif piece == ")":
            inner = "".join(stack.pop())
            stack[-1].append(f"[{len(parts)}]")
            parts.append(Part(inner, parts))
        else:
            stack[-1].append(piece)
    return Part("".join(stack[0]), parts)


def _check(part: Part, ctes: set[str], outer: frozenset[str]) -> tuple[list[str], bool]:
    """The faults, and whether its rows are the owner's.

    `ctes` and `outer`: the names whose rows are his, of the statement and around this part.
    """
    faults: list[str] = []
    named = {index: name for name, index in _CTE.findall(part.text)}
    text = part.text
    for index, name in named.items():
        found, owned = _check(part.parts[int(index)], ctes, outer)
        faults += found
        if owned:
            ctes.add(name)
        text = text.replace(f"[{index}]", "")
    guarded = _guarded(text, part, ctes, outer)
    for table, alias in _NAMED.findall(text):
        if table in OWNERS and (alias or table) not in guarded:
            faults.append(table)
    faults += [
        table
        for table in _INSERTED_INTO.findall(text)
        if not _may_insert(text, part, table, guarded)
    ]
    for index in _PART.findall(text):
        faults += _check(part.parts[int(index)], ctes, frozenset(guarded | outer))[0]
    return faults, not faults and bool(guarded)


def _guarded(text: str, part: Part, ctes: set[str], outer: frozenset[str]) -> set[str]:
    """What is named in it, and whose rows are the owner's."""
    conditions = _SET.sub("", text)
    names = {alias or table: table for table, alias in _NAMED.findall(text)}
    guarded = {name for name, table in names.items() if table in ctes}
    for name, table in names.items():
        if OWNERS.get(table) and _named_owner(name, OWNERS[table], conditions):
            guarded.add(name)
    for name, index in _AMONG.findall(conditions):
        if _check(part.parts[int(index)], set(ctes), outer)[1]:
            guarded |= {name} if name else set(names)
    before = -1
    while before != len(guarded):
        before = len(guarded)
        for one, other in _LINK.findall(conditions):
            if other in guarded | outer:
                guarded |= {one} if one else set(names)
            elif one in guarded | outer:
                guarded.add(other)
    return guarded


def _named_owner(name: str, columns: str, conditions: str) -> bool:
    """In a condition of its own: what a part within it asks for bounds that part alone."""
    return (
        re.search(rf"\b(?:WHERE|AND|ON)\s+(?:{name}\.)?(?:{columns})\s*=\s*\$\d+", conditions)
        is not None
    )


def _may_insert(text: str, part: Part, table: str, guarded: set[str]) -> bool:
    """It writes the owner, or a part of what is his; a row that is there may be another's."""
    inserted = _INSERTED.search(text)
    columns = part.parts[int(inserted[2])].text if inserted else ""
    owner = OWNERS[table]
    if not guarded and not (owner and re.search(rf"\b(?:{owner})\b", columns)):
        return False
    if "DO UPDATE" not in text:
        return True
    target = re.search(r"ON CONFLICT \[(\d+)\]", text)
    return (
        target is not None
        and bool(owner)
        and re.search(rf"\b(?:{owner})\b", part.parts[int(target[1])].text) is not None
    ) or re.search(rf"\b\w+\.(?:{owner}) = excluded\.(?:{owner})\b", text) is not None
