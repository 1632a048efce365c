"""What can be counted about a table, and how long it is from one of its dates to another."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import combinations, pairwise
from statistics import fmean

from agentinstruct.tools.tables.view import MAX_OPERANDS, Candidate, View


def counts(view: View) -> Iterator[Candidate]:
    """How many rows, columns and groups there are, and rows that pass a threshold that the sentence states."""
    table = view.table
    yield Candidate(len(table.rows), "number of rows", "count")
    if re.search(
        r"column|measure|figure|attribute|categor|indicator|field|propert|variable|way", view.text, re.IGNORECASE
    ):
        yield Candidate(len(table.columns), "number of columns", "count")
        yield Candidate(len(list(table.measured)), "number of columns of numbers", "count")
    if len(view.here.rows) > 1:
        yield Candidate(len(view.here.rows), "rows named here", "count", "spelt")
    for i, column in enumerate(table.columns):
        distinct = len({row[i] for row in table.rows if row[i] is not None})
        if column.kind == "text" and distinct < len(table.rows):
            yield Candidate(distinct, f"different values of {column.name}", "count")
    for (place, text), rows in table.groups.items():
        if frozenset(rows) in view.here.groups or view.says("count"):
            yield Candidate(len(rows), f"rows with {table.columns[place].name} {text}", "count")
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
        steps = [b - a for a, b in pairwise(values)]
        if re.search(r"rose|fell|ris|fall|increas|declin|drop|gr[eo]w", view.text):
            yield Candidate(sum(step > 0 for step in steps), f"rises of {name}", "count")
            yield Candidate(sum(step < 0 for step in steps), f"falls of {name}", "count")


def times(view: View) -> Iterator[Candidate]:
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
            months = (
                years * 12
                if known[b].month == known[a].month
                else abs(years * 12 - abs(known[b].month - known[a].month))
            )
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
    numbers = [
        int(part) if part else fallback for part, fallback in zip(parts.groups(), (0, 1, 1, 0, 0, 0), strict=True)
    ]
    try:
        return datetime.combine(date(*numbers[:3]), datetime.min.time()).replace(
            hour=numbers[3], minute=numbers[4], second=numbers[5]
        )
    except ValueError:
        return None
