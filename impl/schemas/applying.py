"""Rules that ask other subschemas, about the same value or about what is in it."""

from collections.abc import Iterator, Mapping, Sequence

from impl.schemas.run import JSON, Node, Rule, Run, Seen
from impl.schemas.scalars import Pattern


def all_of(nodes: Sequence[Node]) -> Rule:
    """`allOf`, and `$ref`, which is one of one."""

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        good = True
        for node in nodes:
            if not node.fits(value, run, seen):
                good = False
                if run.quiet:
                    return False
        return good

    return rule


def any_of(nodes: Sequence[Node]) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        good = False
        for node in nodes:
            good = node.may_fit(value, run, seen) or good
            if good and seen is None:
                return True
        return good or run.fault("anyOf")

    return rule


def one_of_them(nodes: Sequence[Node]) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        fitting = 0
        for node in nodes:
            fitting += node.may_fit(value, run, seen)
            if fitting > 1:
                break
        return fitting == 1 or run.fault("oneOf")

    return rule


def none_of(node: Node) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        return not node.may_fit(value, run, run.seen()) or run.fault("not")

    return rule


def conditional(condition: Node, then: Node | None, otherwise: Node | None) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        node = then if condition.may_fit(value, run, seen) else otherwise
        return node is None or node.fits(value, run, seen)

    return rule


def dependent(by_name: Mapping[str, Node]) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, dict):
            return True
        run.spend(len(by_name))
        asked = [node for name, node in by_name.items() if name in value]
        return _all_hold(node.fits(value, run, seen) for node in asked)

    return rule


def members(
    named: Mapping[str, Node], by_pattern: Sequence[tuple[Pattern, Node]], rest: Node | None
) -> Rule:
    """`properties`, `patternProperties` and `additionalProperties`: each needs the others."""

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, dict):
            return True
        good = True
        for name, item in value.items():
            run.spend()
            nodes = [named[name]] if name in named else []
            nodes += [node for pattern, node in by_pattern if pattern.found(name, run)]
            if not nodes and rest is not None:
                nodes = [rest]
            if nodes and seen is not None:
                seen.names.add(name)
            for node in nodes:
                good = node.below(name, item, run) and good
            if run.quiet and not good:
                return False
        return good

    return rule


def items(prefix: Sequence[Node], rest: Node | None) -> Rule:
    """`prefixItems` and `items`."""

    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, list):
            return True
        good = True
        for index, item in enumerate(value):
            node = prefix[index] if index < len(prefix) else rest
            if node is None:
                break
            if seen is not None:
                seen.items.add(index)
            good = node.below(index, item, run) and good
            if run.quiet and not good:
                return False
        return good

    return rule


def containing(node: Node, least: float, most: float | None) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, list):
            return True
        found = 0
        for index, item in enumerate(value):
            if node.may_fit(item, run, run.seen()):
                found += 1
                if seen is not None:
                    seen.items.add(index)
        return (found >= least and (most is None or found <= most)) or run.fault("contains")

    return rule


def names(node: Node) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, dict):
            return True
        return all(node.may_fit(name, run, run.seen()) for name in value) or run.fault(
            "propertyNames"
        )

    return rule


def unevaluated_members(node: Node) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, dict) or seen is None:
            return True
        left = [name for name in value if name not in seen.names]
        seen.names.update(left)
        return _all_hold(node.below(name, value[name], run) for name in left)

    return rule


def unevaluated_items(node: Node) -> Rule:
    def rule(value: JSON, run: Run, seen: Seen | None) -> bool:
        if not isinstance(value, list) or seen is None:
            return True
        left = [index for index in range(len(value)) if index not in seen.items]
        seen.items.update(left)
        return _all_hold(node.below(index, value[index], run) for index in left)

    return rule


def _all_hold(results: Iterator[bool]) -> bool:
    """Asks all, so that each tells its own faults."""
    good = True
    for each in results:
        good = each and good
    return good
