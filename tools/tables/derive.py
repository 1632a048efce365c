"""What follows from a table for one sentence: the values of what it names, and what its words say was worked out.

A difference needs a word such as `more` or `rose`, a sum a word such as `total`; its operands are cells of the rows the
sentence names, or extremes and ends where it speaks of these. Without this almost any number would follow from any table.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import combinations
from statistics import fmean, median

from agentinstruct.tools.tables.cells import scale_of
from agentinstruct.tools.tables.scope import Index, Scope
from agentinstruct.tools.tables.table import Table

_CUES = {
    "difference": r"more|less|fewer|high|low|above|below|ahead|behind|gap|differ|margin|r[oi]se|risen|increas|gr[eo]w|gain|add"
    r"|up\b|fall|fell|drop|declin|decreas|los[te]|down|shr[aiu]nk|long|short|old|young|fast|slow|between|than|lead|led|exceed|over\b"
    r"|chang|swing|apart|later|earlier|after|extra|remain|left|point|beat|trail|climb|jump|slip|slid|recover|surg|dip|cut|narrow|wid",
    "sum": r"total|sum\b|sums\b|together|combin|overall|in all|altogether|all\b|both|plus|amount|add|across|join|aggregat|entire|whole",
    "mean": r"averag|mean\b|typical|per\b|each",
    "median": r"median|middle|midpoint",
    "ratio": r"times|ratio|twice|doubl|tripl|fold|per\b|each|to one|for every|as (?:many|much|large|big|high|long)|half|halv|third|quarter|fifth",
    "extreme": r"(?!(?:\w*thwest|forest|interest|request|harvest|guest|invest|modest|suggest|protest)\b)\w{3,}est\b|peak|top|bottom"
    r"|best|worst|most|least|leader|lead|maxim|minim|first|last|rang|spread|extrem|record|fewest|only",
    "ends": r"since|from|start|beg[aiu]n|end|final|period|overall|through|during|over the|across|first|last|by\b|rang|initial|latest|then",
    "count": r"above|over|below|under|more|less|at least|exceed|fewer|miss|report|record|no\b|none|without|blank|gap|empty|reach|top\b|rose|fell",
    "time": r"year|month|week|day|decade|hour|minute|second|period|quarter|later|after|span|within|run",
}
CUES = {name: re.compile(rf"\b(?:{words})", re.IGNORECASE) for name, words in _CUES.items()}
MAX_OPERANDS = 14


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that follows from the data, and how."""

    value: float
    how: str
    kind: str
    """cell, sum, mean, difference, ratio, change (per cent), share (per cent), count, time …"""
    unit: str = ""
    column: int = -1
    """The column it is of; -1 where it is of several or of none."""


@dataclass(frozen=True)
class View:
    """One table as one sentence sees it."""

    index: Index
    here: Scope
    before: Scope
    text: str
    stated: tuple[float, ...] = field(default=())
    """Limits that this sentence or the request states (`more than 40`), as thresholds of counts."""

    @property
    def table(self) -> Table:
        """The table itself."""
        return self.index.table

    def says(self, cue: str) -> bool:
        """Whether the sentence has a word of this kind."""
        return bool(CUES[cue].search(self.text))

    @property
    def near(self) -> frozenset[int]:
        """The rows named here, else those of a group named here, else those named in the sentence before."""
        groups = frozenset(row for rows in self.here.groups for row in rows)
        return self.here.rows or groups or self.before.rows


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
    yield from _counts(view)
    yield from _times(view)


def _cells(view: View) -> Iterator[Candidate]:
    table = view.table
    own = view.here.rows or frozenset(row for rows in view.here.groups for row in rows)
    rows = own or range(len(table.rows))
    extremes = _extreme_rows(table) if view.says("extreme") else frozenset()
    for row in [*rows, *(extremes - set(rows))]:
        for column in table.measured:
            value = table.rows[row][column]
            if isinstance(value, float):
                yield from _stated(value, f"{table.columns[column].name} of {table.name(row)}", table, column)


def _stated(value: float, how: str, table: Table, column: int) -> Iterator[Candidate]:
    """A cell as it is, in full where its unit is a multiple, and as a percentage where the column holds shares of one."""
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
    rows = dict.fromkeys(named if len(named) > 1 else [*named, *(r for r in sorted(view.near | view.before.rows) if r in values)])
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
        found += [(fmean(own), "the group's mean") for g in view.here.groups if len(own := [values[r] for r in g if r in values]) > 1]
    if view.says("sum") or re.search(r"%|percent|per cent|share|half|third|quarter", view.text):
        found.append((sum(values.values()), "the total"))
    return found


def _across(view: View) -> Iterator[Candidate]:
    """Cells of one row under columns of one unit, such as years side by side."""
    table = view.table
    columns = [c for c in table.measured if not view.here.columns or c in view.here.columns][:MAX_OPERANDS]
    rows = sorted(view.near) or range(1 if len(table.rows) == 1 else 0)
    for row in list(rows)[:MAX_OPERANDS]:
        units: dict[str, list[Operand]] = {}
        for column in columns:
            if isinstance(value := table.rows[row][column], float):
                units.setdefault(table.columns[column].unit, []).append((value, table.columns[column].name))
        if re.search(r"\bper\b|\beach\b|\bevery\b", view.text):
            cells = [(table.rows[row][c], table.columns[c].name) for c in list(table.measured)[:MAX_OPERANDS]]
            yield from _rates([(value, name) for value, name in cells if isinstance(value, float)])
        for unit, operands in units.items():
            yield from _pairs(operands, view, unit, -1)
            if len(operands) > 2 and view.says("sum"):
                yield from _both(sum(value for value, _ in operands), f"sum across {table.name(row)}", "sum", unit, -1)
            if len(operands) > 1 and view.says("mean"):
                yield from _both(fmean(value for value, _ in operands), f"mean across {table.name(row)}", "mean", unit, -1)


def _rates(operands: Sequence[Operand]) -> Iterator[Candidate]:
    """So much of one thing for each of another, in one row."""
    for (a, first), (b, second) in combinations(operands, 2):
        for x, y, how in ((a, b, f"{first} per {second}"), (b, a, f"{second} per {first}")):
            if y:
                yield Candidate(x / y, how, "rate")


_MADE = frozenset(("the total", "the mean", "the group", "the group's mean"))
_OF = re.compile(r"(?:%|per ?cent|half|third|quarter|share|proportion|portion) of\b|as (?:much|many|large|high|big|long)|share", re.IGNORECASE)


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


def _counts(view: View) -> Iterator[Candidate]:
    """How many rows, columns and groups there are, and rows that pass a threshold that the sentence states."""
    table = view.table
    yield Candidate(len(table.rows), "number of rows", "count")
    if re.search(r"column|measure|figure|attribute|categor|indicator|field|propert|variable|way", view.text, re.IGNORECASE):
        yield Candidate(len(table.columns), "number of columns", "count")
        yield Candidate(len(list(table.measured)), "number of columns of numbers", "count")
    if len(view.here.rows) > 1:
        yield Candidate(len(view.here.rows), "rows named here", "count", "spelt")
    for i, column in enumerate(table.columns):
        distinct = len({row[i] for row in table.rows if row[i] is not None})
        if column.kind == "text" and distinct < len(table.rows):
            yield Candidate(distinct, f"different values of {column.name}", "count")
    for (column, text), rows in table.groups.items():
        if frozenset(rows) in view.here.groups or view.says("count"):
            yield Candidate(len(rows), f"rows with {table.columns[column].name} {text}", "count")
            yield Candidate(len(rows) / len(table.rows) * 100, f"share of rows with {text}", "share", "%")
    if view.says("count"):
        yield from _passing(view)


def _passing(view: View) -> Iterator[Candidate]:
    table = view.table
    if gaps := len(list(table.gaps)):
        yield Candidate(gaps, "missing values", "count")
    for column in table.measured:
        name, values = table.columns[column].name, table.numbers(column)
        yield Candidate(len(values), f"rows with a value of {name}", "count")
        yield Candidate(len(table.rows) - len(values), f"rows without a value of {name}", "count")
        limits = [*view.stated, *([fmean(values)] if values and view.says("mean") else [])]
        for limit in limits[:6]:
            yield Candidate(sum(v > limit for v in values), f"{name} above {limit:g}", "count")
            yield Candidate(sum(v < limit for v in values), f"{name} below {limit:g}", "count")
        steps = [b - a for a, b in zip(values, values[1:], strict=False)]
        if re.search(r"rose|fell|ris|fall|increas|declin|drop|gr[eo]w", view.text):
            yield Candidate(sum(step > 0 for step in steps), f"rises of {name}", "count")
            yield Candidate(sum(step < 0 for step in steps), f"falls of {name}", "count")


def _times(view: View) -> Iterator[Candidate]:
    """How long from one date to another, among those of the rows named, else from the first to the last."""
    if not view.says("time"):
        return
    for i, column in enumerate(view.table.columns):
        if column.kind != "date":
            continue
        known = {r: when for r, row in enumerate(view.table.rows) if (when := moment(str(row[i] or "")))}
        rows = [r for r in sorted(view.near) if r in known]
        rows = rows if len(rows) > 1 else [*rows, *([min(known), max(known)] if known else [])]
        for a, b in combinations(rows[:MAX_OPERANDS], 2):
            gap = abs((known[b] - known[a]).total_seconds())
            years = abs(known[b].year - known[a].year)
            months = years * 12 if known[b].month == known[a].month else abs(years * 12 - abs(known[b].month - known[a].month))
            how = f"from {view.table.rows[a][i]} to {view.table.rows[b][i]}"
            sizes = {"year": years, "month": months, "week": gap / 604800, "day": gap / 86400, "hour": gap / 3600}
            for unit, size in (*sizes.items(), ("decade", years / 10), ("minute", gap / 60), ("second", gap)):
                yield Candidate(size, how, "time", unit)
            for unit, size in (("year", years + 1), ("month", months + 1)):
                yield Candidate(size, f"{how}, both counted", "time", unit)


def moment(text: str) -> datetime | None:
    """When a date cell is; only years, months, days and timestamps written from the year down are read."""
    parts = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?.*)?", text.strip())
    if not parts:
        return None
    numbers = [int(part) if part else fallback for part, fallback in zip(parts.groups(), (0, 1, 1, 0, 0, 0), strict=True)]
    try:
        return datetime.combine(date(*numbers[:3]), datetime.min.time()).replace(hour=numbers[3], minute=numbers[4], second=numbers[5])
    except ValueError:
        return None
