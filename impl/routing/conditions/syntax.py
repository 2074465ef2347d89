"""The tree of a checked expression, read from what the library serializes: cel/expr/syntax.proto.

The library shows no tree of its own. Only what the bounds need is read: protobuf's wire format is
older than this project, and a field that is not known here is passed over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

# Fields of the messages, by their numbers.
ANY_VALUE, CHECKED_EXPR = 2, 4
CONSTANT, NAME, SELECT, CALL, LIST, STRUCT, LOOP = 3, 4, 5, 6, 7, 8, 9
# The fields of each kind that hold expressions; for an entry of a STRUCT one level deeper.
CHILDREN = {SELECT: {1}, CALL: {1, 3}, LIST: {1}, LOOP: {2, 4, 5, 6, 7}, STRUCT: {3, 4}}
STRUCT_ENTRIES = 2
LOOP_RANGE, LOOP_STEPS = 2, {5, 6}


@dataclass(frozen=True, slots=True)
class Node:
    """`name` is of the variable, the member or the function. `children` are by their fields."""

    kind: int
    name: str = ""
    children: list[tuple[int, "Node"]] = field(default_factory=list)

    def of(self, fields: set[int]) -> "list[Node]":
        return [node for number, node in self.children if number in fields]


def tree(serialized: bytes) -> Node:
    """Of a google.protobuf.Any that holds a CheckedExpr."""
    checked = dict(_fields(serialized))[ANY_VALUE]
    return _node(dict(_fields(checked))[CHECKED_EXPR])


def _node(data: bytes) -> Node:
    for kind, value in _fields(data):
        if kind in CHILDREN:
            return _parent(kind, value)
        if kind == NAME:
            return Node(kind, _text(dict(_fields(value))[1]))
        if kind == CONSTANT:
            return Node(kind)
    return Node(0)


def _parent(kind: int, data: bytes) -> Node:
    name, children = "", []
    for number, value in _fields(data):
        if kind == STRUCT and number == STRUCT_ENTRIES:
            entry = [(at, part) for at, part in _fields(value) if at in CHILDREN[kind]]
            children += [(at, _node(part)) for at, part in entry]
        elif number in CHILDREN[kind]:
            children.append((number, _node(value)))
        elif number == 2 and kind in {SELECT, CALL}:
            name = _text(value)
    return Node(kind, name, children)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields that hold bytes; numbers are passed over."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire_type = key >> 3, key & 7
        if wire_type == 2:
            length, at = _varint(data, at)
            yield number, data[at : at + length]
            at += length
        elif wire_type == 0:
            _, at = _varint(data, at)
        else:
            at += 8 if wire_type == 1 else 4


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
