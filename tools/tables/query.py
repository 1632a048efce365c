"""Small questions about tables: `ask("value('Visitors', 'North') / total('Visitors') * 100", data)`.

The functions below read the tables, everything else is arithmetic of `calculate`. What a question comes to is so
computed from the data and never taken from whoever wrote the question.
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from agentinstruct.tools.calculate import CalculateError, evaluate
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.tables.cells import number_in
from agentinstruct.tools.tables.read import Data
from agentinstruct.tools.tables.table import Table, TableError

MAX_QUERY = 600
MAX_CALLS = 12
_CONDITION = re.compile(r"\s*(?P<column>.+?)\s*(?P<op><=|>=|!=|==|=|<|>|\bis missing\b|\bcontains\b)\s*(?P<value>.*)")


def ask(query: str, data: Data) -> float | str:
    """What an expression over the data comes to: a number or a text; raises TableError and nothing else."""
    from pyarrow import ArrowException  # a quarter of a second, which only runs over tables need

    tree = _parsed(query)
    calls = _Calls(data)
    try:
        expression = ast.unparse(calls.visit(tree))
        value = calls.found[expression] if expression in calls.found else evaluate(expression, calls.found)
    except (CalculateError, ArrowException, RecursionError) as error:
        raise TableError(f"{query!r} has no value: {error}") from error
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TableError(f"{query!r} gives neither a number nor a name")
    return value if isinstance(value, str) else float(value)


def calls_in(query: str) -> int:
    """How many times an expression looks something up."""
    return sum(
        isinstance(node, ast.Call) and getattr(node.func, "id", "") in _LOOKUPS for node in ast.walk(_parsed(query))
    )


def chosen(table: Table, conditions: str) -> tuple[int, ...]:
    """The rows for which conditions hold, such as `Region = North and Visitors > 20`; all rows when there are none."""
    tests = [part for part in re.split(r"\s+and\s+", conditions.strip()) if part]
    return tuple(r for r in range(len(table.rows)) if all(_holds(table, r, test) for test in tests))


def _parsed(query: str) -> ast.expr:
    if len(query) > MAX_QUERY:
        raise TableError(f"the expression has {len(query)} characters; {MAX_QUERY} are allowed")
    try:
        tree = ast.parse(query.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TableError(f"{query!r} is no expression: {error}") from error
    if sum(1 for _ in ast.walk(tree)) > 200:
        raise TableError("the expression is too large")
    return tree


class _Calls(ast.NodeTransformer):
    """Puts names in the place of look-ups, and keeps what these come to."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.found: dict[str, Any] = {}

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A look-up becomes a name; calls of other functions are `calculate`'s."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _LOOKUPS:
            return self.generic_visit(node)
        if len(self.found) >= MAX_CALLS or node.keywords:
            raise TableError(f"too many look-ups, or one with keywords: {ast.unparse(node)}")
        if not all(isinstance(a, ast.Constant) and isinstance(a.value, str | int | float) for a in node.args):
            raise TableError(f"{name} takes names in quotes only: {ast.unparse(node)}")
        arguments = [str(a.value) for a in node.args if isinstance(a, ast.Constant)]
        key = f"looked_up_{len(self.found)}"
        self.found[key] = _looked_up(name, arguments, self.data)
        return ast.Name(key, ast.Load())


def _looked_up(name: str, arguments: Sequence[str], data: Data) -> Any:
    """The value from the first table that has what is asked for."""
    problem: TableError | None = None
    for table in data.sources:
        try:
            return _LOOKUPS[name](table, *arguments)
        except TableError as error:
            problem = problem or error
        except TypeError as error:
            raise TableError(f"{name} takes other arguments: {error}") from error
    raise problem or TableError("there is no table")


def _holds(table: Table, row: int, test: str) -> bool:
    match = _CONDITION.fullmatch(test)
    if not match:
        raise TableError(f"{test!r} is no condition such as `Region = North` or `Visitors > 20`")
    value, op = table.rows[row][table.column(match["column"].strip("'\"`"))], match["op"]
    wanted = match["value"].strip().strip("'\"")
    if op == "is missing" or value is None:
        return op == "is missing" and value is None
    if op == "contains":
        return fold(wanted) in fold(str(value))
    number = number_in(wanted)
    if isinstance(value, float) and number:
        return bool(_COMPARED[op](value, number[0]))
    return bool(_COMPARED[op](fold(str(value)), fold(wanted)))


_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "=": lambda a, b: a == b,
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
)


def _row(table: Table, name: str) -> int:
    rows = [r for r, known in enumerate(table.names) if fold(known) == fold(name)]
    if not rows and len(table.rows) == 1:
        return 0
    if len(rows) != 1:
        raise TableError(f"no row {name!r}; there are {', '.join(table.names) or 'rows without names'}")
    return rows[0]


def _computed(function: str, column: Any, *given: float) -> Any:
    """What one of pyarrow's functions makes of a column."""
    import pyarrow.compute

    return getattr(pyarrow.compute, function)(column, *given)


def _column(table: Table, column: str, conditions: str) -> Any:
    import pyarrow as pa

    rows = chosen(table, conditions)
    found = table.arrow().column(table.column(column)).take(pa.array(rows, pa.int64()))
    if table.columns[table.column(column)].kind != "number":
        raise TableError(f"{column!r} holds no numbers")
    if len(found) == found.null_count:
        raise TableError(f"{column!r} has no value where {conditions or 'asked'}")
    return found


def _value(table: Table, column: str, row: str = "") -> Any:
    value = table.rows[_row(table, row)][table.column(column)]
    if value is None:
        raise TableError(f"{column} of {row or 'this record'} is missing in the data")
    return value


def _total(table: Table, column: str, where: str = "") -> float:
    return float(_computed("sum", _column(table, column, where)).as_py())


def _average(table: Table, column: str, where: str = "") -> float:
    return float(_computed("mean", _column(table, column, where)).as_py())


def _median(table: Table, column: str, where: str = "") -> float:
    return float(_computed("quantile", _column(table, column, where), 0.5)[0].as_py())


def _largest(table: Table, column: str, where: str = "") -> float:
    return float(_computed("max", _column(table, column, where)).as_py())


def _smallest(table: Table, column: str, where: str = "") -> float:
    return float(_computed("min", _column(table, column, where)).as_py())


def _count(table: Table, where: str = "") -> float:
    return float(len(chosen(table, where)))


def _missing(table: Table, column: str) -> float:
    at = table.column(column)
    return float(sum(row[at] is None for row in table.rows))


def _which(table: Table, column: str, where: str, best: float) -> str:
    """The only row with this value; a tie has no answer."""
    at = table.column(column)
    rows = [r for r in chosen(table, where) if table.rows[r][at] == best]
    if len(rows) != 1 or not table.names:
        raise TableError(f"{len(rows)} rows have {column} {best:g}; one with a name is needed")
    return table.name(rows[0])


def _rank(table: Table, column: str, row: str) -> float:
    """1 for the largest."""
    value = _value(table, column, row)
    return float(1 + sum(other > value for other in table.numbers(table.column(column))))


_LOOKUPS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "value": _value,
        "total": _total,
        "average": _average,
        "middle": _median,
        "largest": _largest,
        "smallest": _smallest,
        "spread": lambda table, column, where="": _largest(table, column, where) - _smallest(table, column, where),
        "rows": _count,
        "missing": _missing,
        "which_largest": lambda table, column, where="": _which(table, column, where, _largest(table, column, where)),
        "which_smallest": lambda table, column, where="": _which(table, column, where, _smallest(table, column, where)),
        "rank": _rank,
    }
)
