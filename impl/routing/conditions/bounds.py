"""What an expression may cost, known before it ever runs.

Nothing in it grows: `+`, `map` and `filter` are not of the language. So its time is the number of
its parts, each as often as the loop around it turns.
"""

from impl.routing.conditions.syntax import (
    CALL,
    LIST,
    LOOP,
    LOOP_RANGE,
    LOOP_STEPS,
    NAME,
    SELECT,
    Node,
)

# In microseconds of the worst message on two busy cores: texts of 4,096 characters of one to four
# bytes, needles of 256 that fit to their last character. Most messages cost a hundredth.
EACH_PART = 1
EVALUATION = 5
READS_TEXT = {"contains": 150, "startsWith": 5, "endsWith": 5, "size": 20, "_==_": 5, "_!=_": 5}
# Of a condition, and of all conditions of a plugin together.
MAX_COST = 5_000
MOST_LOOPED = 20  # metadata has 20 members at most, attachments are 10

MEMBERS = {
    "payload": {"type", "text", "attachments"},
    "dialog": {"is_new", "last_plugin", "seconds_since_last"},
}


class NestedLoopError(ValueError):
    """A loop within a loop."""


class UnknownMemberError(ValueError):
    """A member that no message has."""


def cost(node: Node, *, looped: bool = False) -> int:
    """Microseconds at most. Raises NestedLoopError, UnknownMemberError."""
    if node.kind == SELECT:
        _check_member(node)
    own = READS_TEXT.get(node.name, EACH_PART) if node.kind == CALL else EACH_PART
    if node.kind != LOOP:
        return own + sum(cost(child, looped=looped) for _, child in node.children)
    if looped:
        raise NestedLoopError
    (over,) = node.of({LOOP_RANGE})
    turns = len(over.children) if over.kind == LIST else MOST_LOOPED
    steps = sum(cost(child, looped=True) for child in node.of(LOOP_STEPS))
    return own + cost(over, looped=True) + turns * steps


def _check_member(node: Node) -> None:
    ((_, of),) = node.children
    if of.kind == NAME and node.name not in MEMBERS.get(of.name, {node.name}):
        raise UnknownMemberError
