"""What follows from a table for one sentence: the values of what it names, and what its words say was worked out.

A difference needs a word such as `more` or `rose`, a sum a word such as `total`; its operands are cells of the rows the
sentence names, or extremes and ends where it speaks of these. Without this almost any number follows from any table.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from statistics import fmean, median

from agentinstruct.tools.tables.cells import scale_of
from agentinstruct.tools.tables.conversions import converted
from agentinstruct.tools.tables.counts import counts, times
from agentinstruct.tools.tables.table import Table
from agentinstruct.tools.tables.view import MAX_OPERANDS, Candidate, View


def candidates(view: View) -> Iterator[Candidate]:
    """All that follows from a table for a sentence, plain cells first."""
    yield from _cells(view)
    for column in view.table.measured:
        yield from _aggregates(view, column, range(len(view.table.rows)), "all rows")
        for group in view.here.groups:
            yield from _aggregates(view, column, group, "the group")
        if len(view.near) > 1:
            yield from _aggregates(view, column, view.near, "the rows named")
        yield from _pairs(_operands(view, column), view, view.table.columns[column].unit, column)
    yield from _across(view)
    yield from counts(view)
    yield from times(view)


def _cells(view: View) -> Iterator[Candidate]:
    table = view.table
    own = view.here.rows or frozenset(row for rows in view.here.groups for row in rows)
    rows = own or range(len(table.rows))
    extremes = _extreme_rows(table) if view.says("extreme") else frozenset()
    for row in [*rows, *(extremes - set(rows))]:
        for column in table.measured:
            value = table.rows[row][column]
            if isinstance(value, float):
                of = f"{table.columns[column].name} of {table.name(row)}"
                yield from _stated(value, of, table, column)
                yield from converted(value, of, table.columns[column], column, view.text)


def _stated(value: float, how: str, table: Table, column: int) -> Iterator[Candidate]:
    """A cell as it is, in full where its unit is a multiple, and as a percentage where a column holds shares of one."""
    unit = table.columns[column].unit
    yield from _both(value, how, "cell", unit, column)
    if all(0 <= other <= 1 for other in table.numbers(column)):
        yield Candidate(value * 100, f"{how} as a percentage", "share", "%", column)


def _extreme_rows(table: Table) -> frozenset[int]:
    found = set()
    for column in table.measured:
        values = [(value, r) for r, row in enumerate(table.rows) if isinstance(value := row[column], float)]
        if values:
            found |= {min(values)[1], max(values)[1]}
    return frozenset(found)


def _aggregates(view: View, column: int, rows: Iterable[int], of: str) -> Iterator[Candidate]:
    table, name = view.table, f"{view.table.columns[column].name} of {of}"
    values = [value for row in rows if isinstance(value := table.rows[row][column], float)]
    if len(values) < 2:
        return
    unit = table.columns[column].unit
    if view.says("sum"):
        yield from _both(sum(values), f"total {name}", "sum", unit, column)
    if view.says("mean"):
        yield from _both(fmean(values), f"mean {name}", "mean", unit, column)
    if view.says("median"):
        yield from _both(median(values), f"median {name}", "median", unit, column)
    whole = sum(table.numbers(column))
    if of != "all rows" and whole and min(table.numbers(column)) >= 0:
        yield Candidate(sum(values) / whole * 100, f"{name} as a share of all", "share", "%", column)


def _both(value: float, how: str, kind: str, unit: str, column: int) -> Iterator[Candidate]:
    """A value as the data has it, and in full where its unit is a multiple."""
    yield Candidate(value, how, kind, unit, column)
    if (scale := scale_of(unit)) != 1:
        yield Candidate(value * scale, how, kind, unit, column)


Operand = tuple[float, str]


def _operands(view: View, column: int) -> list[Operand]:
    """The values of a column that the sentence can compare."""
    table = view.table
    if view.here.columns and column not in view.here.columns:
        return []
    values = {r: v for r, row in enumerate(table.rows) if isinstance(v := row[column], float)}
    if len(values) < 2:
        return []
    named = [r for r in sorted(view.here.rows) if r in values]
    rows = dict.fromkeys(
        named if len(named) > 1 else [*named, *(r for r in sorted(view.near | view.before.rows) if r in values)]
    )
    if len(named) < 2 and (view.says("extreme") or not rows):
        rows |= dict.fromkeys((min(values, key=lambda r: values[r]), max(values, key=lambda r: values[r])))
    if len(named) < 2 and (view.says("ends") or not rows):
        rows |= dict.fromkeys((min(values), max(values)))
    if len(named) == 1:
        rows |= dict.fromkeys(r for r in (named[0] - 1, named[0] + 1) if r in values and view.says("difference"))
    found = [(values[r], table.name(r)) for r in rows][:MAX_OPERANDS]
    found += [(sum(values[r] for r in g if r in values), "the group") for g in view.here.groups if len(g) > 1]
    if view.says("mean"):
        found.append((fmean(values.values()), "the mean"))
        found += [
            (fmean(own), "the group's mean")
            for g in view.here.groups
            if len(own := [values[r] for r in g if r in values]) > 1
        ]
    if view.says("sum") or re.search(r"%|percent|per cent|share|half|third|quarter", view.text):
        found.append((sum(values.values()), "the total"))
    return found


def _across(view: View) -> Iterator[Candidate]:
    """Cells of one row under columns of one unit, such as years side by side."""
    table = view.table
    columns = [c for c in table.measured if not view.here.columns or c in view.here.columns][:MAX_OPERANDS]
    all_rows = len(table.rows) == 1 or len(view.here.columns) > 1
    rows = sorted(view.near) or (range(len(table.rows)) if all_rows else ())
    for row in list(rows)[:MAX_OPERANDS]:
        units: dict[str, list[Operand]] = {}
        for column in columns:
            if isinstance(value := table.rows[row][column], float):
                units.setdefault(table.columns[column].unit, []).append((value, table.columns[column].name))
        if re.search(r"\bper\b|\beach\b|\bevery\b", view.text):
            yield from _rates(table, row)
        for unit, operands in units.items():
            yield from _pairs(operands, view, unit, -1)
            if len(operands) > 2 and view.says("sum"):
                yield from _both(sum(value for value, _ in operands), f"sum across {table.name(row)}", "sum", unit, -1)
            if len(operands) > 1 and view.says("mean"):
                yield from _both(
                    fmean(value for value, _ in operands), f"mean across {table.name(row)}", "mean", unit, -1
                )


def _rates(table: Table, row: int) -> Iterator[Candidate]:
    """So much of one thing for each of another, in one row, each in full."""
    cells = [(table.rows[row][c], table.columns[c]) for c in list(table.measured)[:MAX_OPERANDS]]
    full = [(value * scale_of(c.unit), c.name) for value, c in cells if isinstance(value, float)]
    for (a, first), (b, second) in combinations(full, 2):
        for x, y, how in ((a, b, f"{first} per {second}"), (b, a, f"{second} per {first}")):
            if y:
                yield Candidate(x / y, how, "rate")


_MADE = frozenset(("the total", "the mean", "the group", "the group's mean"))
_OF = re.compile(
    r"(?:%|per ?cent|half|third|quarter|share|proportion|portion) of\b|as (?:much|many|large|high|big|long)|share",
    re.IGNORECASE,
)


def _pairs(operands: Sequence[Operand], view: View, unit: str, column: int) -> Iterator[Candidate]:
    for first, second in combinations(operands, 2):
        made = {first[1], second[1]} & _MADE
        if "the total" not in made and view.says("difference"):
            yield from _both(abs(first[0] - second[0]), f"{first[1]} − {second[1]}", "difference", unit, column)
        if not made and view.says("sum"):
            yield from _both(first[0] + second[0], f"{first[1]} + {second[1]}", "sum", unit, column)
        for (x, one), (y, other) in ((first, second), (second, first)):
            if y and one != "the total":
                yield from _compared(x, y, f"{one} ÷ {other}", other in ("the total", "the group"), view)


def _compared(x: float, y: float, how: str, whole: bool, view: View) -> Iterator[Candidate]:
    """One value against another: so many times, so many per cent of it, so many per cent more than it."""
    yield Candidate(x / y, how, "ratio")
    if whole or _OF.search(view.text):
        yield Candidate(x / y * 100, f"{how} in per cent", "share", "%")
    if not whole and view.says("difference"):
        yield Candidate((x - y) / y * 100, f"{how} − 1 in per cent", "change", "%")
