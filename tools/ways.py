"""What may be done in few places only, each of which says why. Judged by the syntax tree: names are
resolved by a file's imports, whatever they are called there.
"""

import ast
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tools.contract import ROOT

SCANNED = ("generated", "impl", "migrations")
# They hide what is imported; where that is a literal it is judged like an import.
DYNAMIC = frozenset({"__import__", "builtins.__import__", "importlib.import_module"})
HIDING = frozenset({"eval", "exec"})
BUILT_IN = DYNAMIC | HIDING
NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Way:
    """In `place`, a file or a folder, these names are used, for this reason."""

    place: str
    names: tuple[str, ...]
    reason: str

    def covers(self, place: str) -> bool:
        return place.startswith(self.place) if self.place.endswith("/") else place == self.place


@dataclass(frozen=True, slots=True)
class Rule:
    """`told` completes `FILE:LINE: NAME …`; the first of `ways` that fits a use counts."""

    told: str
    ways: tuple[Way, ...]
    elsewhere: tuple[str, ...] = ()  # where it does not hold
    modules: frozenset[str] = NONE  # to import one is to use it
    names: dict[str, frozenset[str]] = field(default_factory=dict)  # of a package, wherever in it
    methods: frozenset[str] = NONE  # whatever variable holds their object
    calls: frozenset[str] = NONE  # the same, where they are called
    known: frozenset[str] | None = None  # packages besides those of `names`; None: any will do
    hiding: bool = False  # whether to hide what is used is a use


@dataclass(frozen=True, slots=True)
class Use:
    name: str
    line: int


def findings(rule: Rule, root: Path = ROOT) -> list[str]:
    """Uses that no way covers, and ways that nothing needs any more."""
    found: list[str] = []
    needed: set[tuple[str, str]] = set()
    for path in sorted(path for folder in SCANNED for path in (root / folder).rglob("*.py")):
        place = path.relative_to(root).as_posix()
        if place.startswith(rule.elsewhere):
            continue
        for use in uses(rule, path.read_text(encoding="utf-8")):
            ways = (way for way in rule.ways if way.covers(place) and use.name in way.names)
            way = next(ways, None)
            if way is None:
                found.append(f"{place}:{use.line}: {use.name} {rule.told}")
            else:
                needed.add((way.place, use.name))
    unneeded = [
        f"{way.place}: the exception for {name} is needed no more"
        for way in rule.ways
        for name in way.names
        if (way.place, name) not in needed
    ]
    return [*found, *unneeded]


def uses(rule: Rule, source: str) -> list[Use]:
    """Of one file, in the order of its lines."""
    visitor = _Visitor(rule)
    visitor.visit(ast.parse(source))
    return sorted(visitor.uses, key=lambda use: use.line)


@dataclass
class _Visitor(ast.NodeVisitor):
    rule: Rule
    uses: list[Use] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of the file, to what they stand for

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imported(alias.name, node)
            top = alias.name.partition(".")[0]
            self.names[alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level:  # of the file's own package
            return
        module = node.module or ""
        self._imported(module, node)
        for alias in node.names:
            whole = f"{module}.{alias.name}"
            self.names[alias.asname or alias.name] = whole
            hides = alias.name == "*" and module.partition(".")[0] in self.rule.names
            if whole in self.rule.modules or hides:
                self._use(whole, node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        whole = self._resolved(node)
        name = None if whole is None else self._named(whole)
        if name is not None:
            self._use(name, node)
            return
        if node.attr in self.rule.methods:
            self._use(node.attr, node)
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        whole = self._resolved(node)
        name = None if whole is None else self._named(whole)
        if name is not None:
            self._use(name, node)

    def visit_Call(self, node: ast.Call) -> None:
        called = node.func
        last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
        if last in self.rule.calls:
            self._use(last, node)
        literal = node.args[0] if node.args and self._resolved(called) in DYNAMIC else None
        if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
            self._imported(literal.value, node)
        else:
            self.generic_visit(node)

    # An annotation does nothing.
    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        pass

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, node.args, *node.body):
            self.visit(part)

    def _imported(self, module: str, node: ast.AST) -> None:
        parts = module.split(".")
        heads = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        for name in sorted(heads & self.rule.modules):
            self._use(name, node)
        known = self.rule.known
        if known is None or heads & self.rule.modules:
            return
        if parts[0] not in {*known, *self.rule.names, *SCANNED, *sys.stdlib_module_names}:
            self._use(f"{parts[0]}, of which nobody says what it does,", node)

    def _use(self, name: str, node: ast.AST) -> None:
        self.uses.append(Use(name, getattr(node, "lineno", 0)))

    def _resolved(self, node: ast.expr) -> str | None:
        """`a.b.c` as what it stands for; None for what is no chain of known names."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id if node.id in BUILT_IN else None)
        if isinstance(node, ast.Attribute):
            head = self._resolved(node.value)
            return None if head is None else f"{head}.{node.attr}"
        return None

    def _named(self, whole: str) -> str | None:
        """How a way names it; None for what the rule does not speak of.

        Whatever module of its package it is taken from: aiohttp.client.ClientSession too.
        """
        if whole in self.rule.modules or (self.rule.hiding and whole in BUILT_IN):
            return whole
        top, _, rest = whole.partition(".")
        last = rest.rpartition(".")[2]
        return f"{top}.{last}" if last in self.rule.names.get(top, NONE) else None
