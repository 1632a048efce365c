"""Small expressions worked out safely: an interpreter of our own over a few kinds of `ast` nodes.

Text that a model wrote is parsed, never run: no attribute, no comprehension, no call but to the functions
in `FUNCTIONS`, and a limit on every size. Values are JSON's: numbers, strings, booleans, null, lists, objects.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any, cast

from agentinstruct.tools.calculate_functions import FUNCTIONS, MAX_LENGTH, CalculateError, number

__all__ = ["CalculateError", "check_expression", "evaluate"]

MAX_SOURCE = 1_000
MAX_NODES = 250
MAX_DEPTH = 25
MAX_EXPONENT = 64
MAX_NUMBER = 10**60

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_CONSTANTS: Mapping[str, Any] = MappingProxyType({"true": True, "false": False, "null": None})


def evaluate(expression: str, names: Mapping[str, Any] = _NOTHING) -> Any:
    """The value of an expression, with the names it may use; raises CalculateError and nothing else."""
    tree = _parse(expression)
    try:
        return _value(tree, names)
    except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        if isinstance(error, CalculateError):
            raise
        raise CalculateError(f"{expression!r} has no value: {error}") from error


def check_expression(expression: str, names: Collection[str] = ()) -> None:
    """Raise CalculateError where an expression is malformed or uses what is not there; works out nothing."""
    for node in ast.walk(_parse(expression)):
        if isinstance(node, ast.Call):
            _function(node)
        elif isinstance(node, ast.Name) and node.id not in {*names, *_CONSTANTS, *FUNCTIONS}:
            raise CalculateError(f"{expression!r} uses {node.id!r}, which is not one of {sorted(names)}.")


def _parse(expression: str) -> ast.expr:
    if len(expression) > MAX_SOURCE:
        raise CalculateError(f"The expression has {len(expression)} characters; {MAX_SOURCE} are allowed.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CalculateError(f"{expression!r} is not an expression: {error}") from error
    _measure(tree)
    return tree


def _measure(tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    total = depth = 0
    while level:
        total, depth = total + len(level), depth + 1
        if total > MAX_NODES or depth > MAX_DEPTH:
            raise CalculateError("The expression is too large: use fewer or less deeply nested terms.")
        for node in level:
            if not isinstance(node, _ALLOWED):
                raise CalculateError(f"{type(node).__name__} is not allowed in an expression.")
        level = [child for node in level for child in ast.iter_child_nodes(node)]


def _value(node: ast.AST, names: Mapping[str, Any]) -> Any:
    return _limited(_NODES[type(node)](node, names))


def _limited(value: Any, depth: int = 0) -> Any:
    """The value itself, if it is JSON's and small."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        if not abs(value) <= MAX_NUMBER:  # also catches not-a-number
            raise CalculateError("A number grows too large.")
        return value
    if not isinstance(value, str | list | dict) or len(value) > MAX_LENGTH or depth > MAX_DEPTH:
        raise CalculateError("A value is of no JSON type, too long or too deeply nested.")
    if not isinstance(value, str):
        for part in value.values() if isinstance(value, dict) else value:
            _limited(part, depth + 1)
    return value


def _constant(node: ast.Constant, names: Mapping[str, Any]) -> Any:
    return node.value


def _name(node: ast.Name, names: Mapping[str, Any]) -> Any:
    if node.id in names:
        return names[node.id]
    if node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    raise CalculateError(f"{node.id!r} is not one of {sorted(names)}.")


def _list(node: ast.List | ast.Tuple, names: Mapping[str, Any]) -> list[Any]:
    return [_value(item, names) for item in node.elts]


def _unary(node: ast.UnaryOp, names: Mapping[str, Any]) -> Any:
    value = _value(node.operand, names)
    if isinstance(node.op, ast.Not):
        return not value
    return -number(value) if isinstance(node.op, ast.USub) else number(value)


def _binary(node: ast.BinOp, names: Mapping[str, Any]) -> Any:
    left, right = _value(node.left, names), _value(node.right, names)
    if isinstance(node.op, ast.Add) and isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(node.op, ast.Add) and isinstance(left, list) and isinstance(right, list):
        return left + right
    if isinstance(node.op, ast.Pow):
        return _power(left, right)
    return _OPERATORS[type(node.op)](number(left), number(right))


def _power(base: Any, exponent: Any) -> int | float:
    if abs(number(exponent)) > MAX_EXPONENT:
        raise CalculateError(f"The exponent {exponent} is over {MAX_EXPONENT}.")
    result = number(base) ** exponent
    if isinstance(result, complex):
        raise CalculateError("A root of a negative number has no real value.")
    return cast("int | float", result)


def _boolean(node: ast.BoolOp, names: Mapping[str, Any]) -> Any:
    wanted = isinstance(node.op, ast.Or)
    value: Any = None
    for part in node.values:
        value = _value(part, names)
        if bool(value) is wanted:
            break
    return value


def _compare(node: ast.Compare, names: Mapping[str, Any]) -> bool:
    left = _value(node.left, names)
    for sign, part in zip(node.ops, node.comparators, strict=True):
        right = _value(part, names)
        if not _COMPARISONS[type(sign)](left, right):
            return False
        left = right
    return True


def _choose(node: ast.IfExp, names: Mapping[str, Any]) -> Any:
    return _value(node.body if _value(node.test, names) else node.orelse, names)


def _index(node: ast.Subscript, names: Mapping[str, Any]) -> Any:
    return _value(node.value, names)[_value(node.slice, names)]


def _call(node: ast.Call, names: Mapping[str, Any]) -> Any:
    return _function(node)(*(_value(argument, names) for argument in node.args))


def _function(node: ast.Call) -> Callable[..., Any]:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
        raise CalculateError(f"Only these functions may be called, without keywords: {', '.join(FUNCTIONS)}.")
    return FUNCTIONS[node.func.id]


_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
}

_NODES: Mapping[type[ast.AST], Callable[[Any, Mapping[str, Any]], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: _list,
    ast.Tuple: _list,
    ast.UnaryOp: _unary,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choose,
    ast.Subscript: _index,
    ast.Call: _call,
}

_ALLOWED = (
    *_NODES,
    *_OPERATORS,
    *_COMPARISONS,
    *(ast.Pow, ast.USub, ast.UAdd, ast.Not, ast.And, ast.Or, ast.Load, ast.keyword),
)
