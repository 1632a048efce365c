"""Expressions read into typed terms, once for every engine: an engine is an algebra that makes its own values.

A term is a sort with a value of the engine's. Source is parsed by `ast` and walked over a whitelist of nodes;
what is not on it, does not type or is too large raises ProblemError.
"""

import ast
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from agentinstruct.tools.solver.algebra import Algebra, Term
from agentinstruct.tools.solver.functions import FUNCTIONS, compared, number_of, truth_of
from agentinstruct.tools.solver.problem import MAX_CLASSES, MAX_SPAN, Problem, ProblemError, Variable

MAX_SOURCE = 2_000
MAX_NODES = 400


@dataclass
class Reader:
    """Reads the expressions of one problem for one engine."""

    problem: Problem
    algebra: Algebra
    names: dict[str, Term] = field(default_factory=dict)
    symbols: list[str] = field(default_factory=list)
    regions: list[Any] = field(default_factory=list)
    """For classes: whether anything is in each combination of them."""
    _read_before: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        variables = self.problem.variables
        if len({v.name for v in variables}) < len(variables):
            raise ProblemError("two variables have one name")
        for value in dict.fromkeys(value for v in variables for value in v.values):
            self.symbols.append(value)
        self._classes([v.name for v in variables if v.kind == "class"])
        for variable in variables:
            if variable.kind != "class":
                self.names[variable.name] = self._declared(variable)

    def truth(self, source: str) -> Any:
        """A constraint or a claim as a truth value of the engine; read once."""
        if source not in self._read_before:
            self._read_before[source] = truth_of(self.term(source), source)
        return self._read_before[source]

    def term(self, source: str) -> Term:
        """Any expression."""
        return self._read(parsed(source))

    def domains(self) -> list[Any]:
        """What holds by declaration: a name is one of its values."""
        kept = []
        for variable in self.problem.variables:
            if variable.kind == "name":
                value = self.names[variable.name].value
                codes = [self.algebra.number(self.symbols.index(v)) for v in variable.values]
                kept.append(self.algebra.either([self.algebra.compare("==", value, code) for code in codes]))
        return kept

    def _classes(self, names: Sequence[str]) -> None:
        if len(names) > MAX_CLASSES:
            raise ProblemError(f"{len(names)} classes; {MAX_CLASSES} are allowed")
        count = 1 << len(names)
        self.regions = [self.algebra.flag(f"#{i}") for i in range(count)] if names else []
        for position, name in enumerate(names):
            inside = frozenset(i for i in range(count) if i >> position & 1)
            self.names[name] = Term("class", inside)

    def _declared(self, variable: Variable) -> Term:
        if variable.kind == "bool":
            return Term("bool", self.algebra.flag(variable.name))
        if variable.kind == "name":
            if not variable.values or len(set(variable.values)) < len(variable.values):
                raise ProblemError(f"{variable.name}: a name needs distinct values")
            codes = [self.symbols.index(value) for value in variable.values]
            return Term("name", self.algebra.variable(variable.name, min(codes), max(codes)))
        if not 0 <= variable.high - variable.low <= MAX_SPAN or abs(variable.low) > MAX_SPAN:
            raise ProblemError(f"{variable.name}: low to high is empty or wider than {MAX_SPAN}")
        return Term("int", self.algebra.variable(variable.name, variable.low, variable.high))

    def _read(self, node: ast.AST) -> Term:
        return _NODES[type(node)](self, node)

    def constant(self, node: ast.Constant) -> Term:
        """A number, a truth value or a quoted name."""
        if isinstance(node.value, bool):
            return Term("bool", self.algebra.truth(node.value))
        if isinstance(node.value, int) and abs(node.value) <= MAX_SPAN**2:
            return Term("int", self.algebra.number(node.value))
        if isinstance(node.value, str):
            return self._symbol(node.value)
        raise ProblemError(f"{node.value!r} is no whole number, truth value or name")

    def _symbol(self, value: str) -> Term:
        if value not in self.symbols:
            raise ProblemError(f"{value!r} is a value of no variable")
        return Term("name", self.algebra.number(self.symbols.index(value)))

    def named(self, node: ast.Name) -> Term:
        """A variable, or a value written without quotes."""
        if node.id in ("true", "false"):
            return Term("bool", self.algebra.truth(node.id == "true"))
        return self.names[node.id] if node.id in self.names else self._symbol(node.id)

    def unary(self, node: ast.UnaryOp) -> Term:
        """`not` of a truth value or a class; minus of a number."""
        part = self._read(node.operand)
        if isinstance(node.op, ast.USub):
            return Term("int", self.algebra.arithmetic("-", self.algebra.number(0), number_of(part)))
        if part.sort == "class":
            return Term("class", frozenset(range(len(self.regions))) - part.value)
        return Term("bool", self.algebra.deny(truth_of(part)))

    def binary(self, node: ast.BinOp) -> Term:
        """Whole-number arithmetic."""
        left, right = number_of(self._read(node.left)), number_of(self._read(node.right))
        sign = _SIGNS[type(node.op)]
        divisor = node.right.value if isinstance(node.right, ast.Constant) else 0
        if sign in ("//", "%") and not (isinstance(divisor, int) and divisor > 0):
            raise ProblemError(f"{sign} needs a positive number on its right")
        return Term("int", self.algebra.arithmetic(sign, left, right))

    def boolean(self, node: ast.BoolOp) -> Term:
        """`and`, `or` of truth values or of classes."""
        parts, both = [self._read(part) for part in node.values], isinstance(node.op, ast.And)
        if all(part.sort == "class" for part in parts):
            sets = [part.value for part in parts]
            return Term("class", reduce(lambda a, b: a & b if both else a | b, sets))
        truths = [truth_of(part) for part in parts]
        return Term("bool", self.algebra.every(truths) if both else self.algebra.either(truths))

    def comparison(self, node: ast.Compare) -> Term:
        """One comparison or a chain of them."""
        terms = [self._read(part) for part in (node.left, *node.comparators)]
        steps = zip(terms, node.ops, terms[1:], strict=False)
        return Term("bool", self.algebra.every([compared(self, a, _COMPARED[type(op)], b) for a, op, b in steps]))

    def conditional(self, node: ast.IfExp) -> Term:
        """`a if test else b`."""
        yes, no = self._read(node.body), self._read(node.orelse)
        if yes.sort != no.sort or yes.sort == "class":
            raise ProblemError("both branches of `if … else` must be of one sort")
        return Term(yes.sort, self.algebra.choose(truth_of(self._read(node.test)), yes.value, no.value))

    def call(self, node: ast.Call) -> Term:
        """One of the functions below."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS or node.keywords:
            raise ProblemError(f"only these functions are known: {', '.join(FUNCTIONS)}")
        least, work = FUNCTIONS[name]
        if len(node.args) < least:
            raise ProblemError(f"{name} needs at least {least} arguments")
        return work(self, [self._read(argument) for argument in node.args])


def parsed(source: str) -> ast.expr:
    """The syntax tree of an expression that uses only what is allowed."""
    if len(source) > MAX_SOURCE:
        raise ProblemError(f"an expression of {len(source)} characters; {MAX_SOURCE} are allowed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ProblemError(f"{source[:80]!r} is not an expression: {error}") from error
    nodes = list(ast.walk(tree))
    if len(nodes) > MAX_NODES:
        raise ProblemError(f"{source[:80]!r} is too large")
    if strange := next((node for node in nodes if not isinstance(node, _ALLOWED)), None):
        raise ProblemError(f"{source[:80]!r}: {type(strange).__name__} is not part of the language")
    return tree


_SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%"}
_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_NODES: dict[type[ast.AST], Callable[[Reader, Any], Term]] = {
    ast.Constant: Reader.constant,
    ast.Name: Reader.named,
    ast.UnaryOp: Reader.unary,
    ast.BinOp: Reader.binary,
    ast.BoolOp: Reader.boolean,
    ast.Compare: Reader.comparison,
    ast.IfExp: Reader.conditional,
    ast.Call: Reader.call,
}
_ALLOWED = (*_NODES, *_SIGNS, *_COMPARED, ast.USub, ast.Not, ast.And, ast.Or, ast.Load)
