"""Programs that differ from a given one in one small wrong thing: what tests worth their name find out.

[mutant.what for mutant in mutants("def add(a, b):\\n    return a + b", Random(0))]
["line 2: a + b becomes a - b", "line 2: return a + b becomes return None"]
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATE: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
Change = Callable[[ast.AST], ast.AST | None]
"""The changed node, or None where there is nothing to change in this way."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program with one wrong thing in it, and what that is."""

    code: str
    what: str


def mutants(code: str, draw: Random, count: int = 8) -> tuple[Mutant, ...]:
    """Up to `count` mutants of Python code, of different kinds where possible; none for other code."""
    try:
        tree = ast.parse(code)
        original = ast.unparse(tree)
        copy.deepcopy(tree)  # what is nested too deep to be copied cannot be changed either
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    kinds = [list(_places(tree, change)) for change in CHANGES]
    for kind in kinds:
        draw.shuffle(kind)
    draw.shuffle(kinds)
    mixed = [kind[i] for i in range(max(map(len, kinds), default=0)) for kind in kinds if i < len(kind)]
    distinct: dict[str, Mutant] = {}
    for place, change in mixed:
        if len(distinct) < count and (mutant := _mutant(tree, place, change)).code != original:
            distinct.setdefault(mutant.code, mutant)
    return tuple(distinct.values())


def _places(tree: ast.Module, change: Change) -> Iterator[tuple[int, Change]]:
    """Where a change can be made: tried on a copy of the one node, since most cannot be changed in a given way."""
    skipped = _untouched(tree)
    for place, node in enumerate(ast.walk(tree)):
        if id(node) not in skipped and change(copy.deepcopy(node)) is not None:
            yield place, change


def _mutant(tree: ast.Module, place: int, change: Change) -> Mutant:
    twin = copy.deepcopy(tree)
    target = list(ast.walk(twin))[place]
    before = " ".join(ast.unparse(target).split())
    changed = change(target)
    assert changed is not None, "a place where it could be made"
    _Put(target, changed).visit(twin)
    after = " ".join(ast.unparse(changed).split())
    line = getattr(target, "lineno", 0)
    return Mutant(ast.unparse(ast.fix_missing_locations(twin)), f"line {line}: {before[:60]} becomes {after[:60]}")


def _untouched(tree: ast.Module) -> set[int]:
    """Docstrings, annotations, decorators and `if __name__` blocks: to change them changes nothing that is tested."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)):
            body = node.body[:1]
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                found |= _ids(body[0])
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            found |= _ids(part) if isinstance(part, ast.AST) else set()
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            found |= _ids(node)
        if isinstance(node, ast.Assert):
            found |= _ids(node)
    return found


def _ids(node: ast.AST) -> set[int]:
    return {id(part) for part in ast.walk(node)}


class _Put(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self._new if node is self._old else self.generic_visit(node)


def _compare(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Compare) or type(node.ops[0]) not in _COMPARE:
        return None
    node.ops[0] = _COMPARE[type(node.ops[0])]()
    return node


def _turn(node: ast.AST) -> ast.AST | None:
    """A comparison the other way round."""
    turned = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
    if not isinstance(node, ast.Compare) or type(node.ops[0]) not in turned:
        return None
    node.ops[0] = turned[type(node.ops[0])]()
    return node


def _operator(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, (ast.BinOp, ast.AugAssign)) or type(node.op) not in _OPERATE:
        return None
    if isinstance(node, ast.BinOp) and _is_text(node.left):  # "…%s" % x and "=" * 10 are about looks
        return None
    node.op = _OPERATE[type(node.op)]()
    return node


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _constant(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Constant) or isinstance(node.value, (str, bytes)) or node.value in (None, ...):
        return None
    return ast.Constant(not node.value if isinstance(node.value, bool) else node.value + 1)


def _word(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not node.value:
        return None
    return ast.Constant(f"{node.value}x")


def _logic(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.BoolOp):
        return None
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return node


def _negation(node: ast.AST) -> ast.AST | None:
    return node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) else None


def _branch(node: ast.AST) -> ast.AST | None:
    """A branch that is never taken."""
    if not isinstance(node, (ast.If, ast.IfExp)) or isinstance(node.test, ast.Constant):
        return None
    node.test = ast.Constant(False)
    return node


def _result(node: ast.AST) -> ast.AST | None:
    empty = isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) and node.value.value is None
    return ast.Return(ast.Constant(None)) if isinstance(node, ast.Return) and node.value and not empty else None


def _edge(node: ast.AST) -> ast.AST | None:
    """An index or a bound of a slice, off by one."""
    if isinstance(node, ast.Slice) and (node.lower or node.upper):
        side = "upper" if node.upper else "lower"
        setattr(node, side, ast.BinOp(getattr(node, side), ast.Add(), ast.Constant(1)))
        return node
    is_range = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"
    if is_range and isinstance(node, ast.Call) and node.args:
        last = min(len(node.args), 2) - 1
        node.args[last] = ast.BinOp(node.args[last], ast.Sub(), ast.Constant(1))
        return node
    return None


def _order(node: ast.AST) -> ast.AST | None:
    """max for min, any for all."""
    other = {"max": "min", "min": "max", "any": "all", "all": "any", "sorted": "list", "sum": "len"}
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in other:
        return None
    if node.func.id in ("sorted", "sum") and (len(node.args) != 1 or node.keywords):
        return None
    node.func = ast.Name(other[node.func.id], ast.Load())
    return node


def _step(node: ast.AST) -> ast.AST | None:
    """A statement left out: an augmented assignment, or a call for what it does."""
    dropped = isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    return ast.Pass() if dropped else None


CHANGES: tuple[Change, ...] = (
    _compare,
    _turn,
    _operator,
    _constant,
    _word,
    _logic,
    _negation,
    _branch,
    _result,
    _edge,
    _order,
    _step,
)
