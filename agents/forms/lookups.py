"""Questions over a table that the program draws and answers, before a writer words them.

An operation is a query with gaps and what it asks for with the same gaps; columns and rows of the data fill them.
A wording can be read back into its query, which is how the scripted solver works.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType

from agentinstruct.tools.tables import Data, Table, TableError, ask

_TRIES = 60


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of question: how it is computed, what it asks for, and in which unit its answer is."""

    query: str
    asks: str
    unit: str = "own"
    """own: the column's; percent; none: a plain number or a name."""
    decimals: int = 1


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "value": Operation("value('{c}', '{r}')", "{c} of {r}"),
        "largest": Operation("which_largest('{c}')", "the row with the largest {c}", "none"),
        "smallest": Operation("which_smallest('{c}')", "the row with the smallest {c}", "none"),
        "rows": Operation("rows('{w}')", "the number of rows with {w}", "none", 0),
        "total": Operation("total('{c}')", "the total of {c} over all rows"),
        "average": Operation("average('{c}')", "the average of {c} over the rows that have a value"),
        "difference": Operation("value('{c}', '{r}') - value('{c}', '{s}')", "{c} of {r} minus {c} of {s}"),
        "rank": Operation(
            "rank('{c}', '{r}')", "the place of {r} when the rows are ordered by {c}, largest first", "none", 0
        ),
        "share": Operation(
            "value('{c}', '{r}') / total('{c}') * 100", "the share of {r} in the total of {c}, in per cent", "percent"
        ),
        "change": Operation(
            "(value('{c}', '{r}') - value('{c}', '{s}')) / value('{c}', '{s}') * 100",
            "the change of {c} from {s} to {r}, in per cent of {s}",
            "percent",
        ),
        "ratio": Operation(
            "value('{c}', '{r}') / value('{c}', '{s}')", "how many times {c} of {s} {c} of {r} is", "none", 2
        ),
        "spread": Operation("largest('{c}') - smallest('{c}')", "the largest {c} minus the smallest"),
        "above_average": Operation(
            "value('{c}', '{r}') - average('{c}')",
            "{c} of {r} minus the average of {c} over the rows that have a value",
        ),
        "rest": Operation(
            "total('{c}') - value('{c}', '{r}') - value('{c}', '{s}')", "the total of {c} without {r} and {s}"
        ),
        "leader_of_two": Operation("value('{d}', which_largest('{c}'))", "{d} of the row with the largest {c}"),
        "filtered_average": Operation("average('{c}', '{w}')", "the average of {c} over the rows with {w}"),
        "share_of_some": Operation(
            "total('{c}', '{w}') / total('{c}') * 100",
            "the share of the rows with {w} in the total of {c}, in per cent",
            "percent",
        ),
        "two_shares": Operation(
            "(value('{c}', '{r}') - value('{c}', '{s}')) / total('{c}') * 100",
            "the share of {r} minus the share of {s} in the total of {c}, in percentage points",
            "points",
        ),
    }
)
SIMPLE = ("value", "largest", "smallest", "rows", "total", "average", "difference", "rank")
DERIVED = ("share", "change", "ratio", "spread", "above_average", "leader_of_two", "filtered_average")
_SUMS = frozenset(("total", "share", "rest", "share_of_some", "two_shares"))
_MEANS = frozenset(("average", "above_average", "filtered_average"))
_INTENSIVE = re.compile(
    r"/|\bper\b|°|rate|ratio|index|average|mean\b|median|temperature|density|speed|price|score|grade|level|age\b|albedo",
    re.IGNORECASE,
)
"""Quantities of which a sum says nothing: two temperatures or two prices do not add up to one."""
HARD = ("rest", "share_of_some", "two_shares")


@dataclass(frozen=True, slots=True)
class Core:
    """A question that has been answered: what it asks for, how it is computed, and what that comes to."""

    operation: str
    query: str
    asks: str
    answer: str
    unit: str


def sampled(data: Data, operations: Sequence[str], draw: Random) -> Core | None:
    """A question of one of these kinds that the data answers; None when it answers none."""
    for _ in range(_TRIES):
        table, name = draw.choice(data.sources), draw.choice(list(operations))
        gaps = _gaps(table, draw)
        if gaps and (core := _core(name, gaps, table, data)):
            return core
    return None


def _gaps(table: Table, draw: Random) -> dict[str, str]:
    columns, rows = [table.columns[i].name for i in table.measured], list(table.names)
    if not columns or (len(rows) < 2 and len(table.rows) > 1):
        return {}
    c, d = (draw.sample(columns, 2) if len(columns) > 1 else columns * 2)[:2]
    r, s = draw.sample(rows, 2) if len(rows) > 1 else (rows * 2 or [""] * 2)[:2]
    found = {"c": c, "d": d, "r": r, "s": s, "w": _condition(table, draw)}
    return {} if any("'" in part or "\\" in part for part in found.values()) else found


def _condition(table: Table, draw: Random) -> str:
    """A condition that some rows meet: a shared text, or a limit between two values."""
    groups = [f"{table.columns[column].name} = {text}" for column, text in table.groups if " and " not in text]
    limits = [
        f"{table.columns[i].name} > {limit:g}"
        for i in table.measured
        if (limit := _limit(table.numbers(i), draw)) is not None
    ]
    return draw.choice([*groups, *limits]) if groups or limits else ""


def _limit(values: Sequence[float], draw: Random) -> float | None:
    """A round number between two neighbouring values."""
    ordered = sorted(set(values))
    if len(ordered) < 3:
        return None
    at = draw.randrange(len(ordered) - 1)
    low, high = ordered[at], ordered[at + 1]
    step = 10.0
    for _ in range(12):
        limit = round(high / step) * step
        if low < limit < high:
            return limit
        step /= 10
    return None


def _core(name: str, gaps: Mapping[str, str], table: Table, data: Data) -> Core | None:
    operation = OPERATIONS[name]
    column = table.columns[table.column(gaps["c"])]
    if (gaps["r"] == gaps["s"] and "{s}" in operation.query) or _senseless(name, table, gaps["c"]):
        return None
    if ("{w}" in operation.query and not gaps["w"]) or ("{d}" in operation.query and gaps["c"] == gaps["d"]):
        return None
    query = operation.query.format(**gaps)
    if name == "leader_of_two":
        query = _nested(gaps, data) or query
    try:
        value = ask(query, data)
    except TableError:
        return None
    own = table.columns[table.column(gaps["d"])].unit if name == "leader_of_two" else column.unit
    unit = {"percent": "%", "points": "percentage points", "none": ""}.get(operation.unit, own)
    return Core(name, query, operation.asks.format(**gaps), stated(value, operation.decimals), unit)


def _senseless(operation: str, table: Table, name: str) -> bool:
    """Whether it adds up, or averages, what does not add up: percentages, shares of one, rates."""
    column = table.columns[table.column(name)]
    percent = "%" in column.unit or "percent" in column.unit
    fractions = all(0 <= value <= 1 for value in table.numbers(table.column(name)))
    intensive = percent or fractions or bool(_INTENSIVE.search(f"{column.name} {column.unit}"))
    return (operation in _SUMS and intensive) or (operation in _MEANS and percent)


def _nested(gaps: Mapping[str, str], data: Data) -> str:
    """A look-up in the row that another one finds, written out: queries take names in quotes only."""
    try:
        found = ask(f"which_largest('{gaps['c']}')", data)
    except TableError:
        return ""
    return f"value('{gaps['d']}', '{found}')"


def stated(value: float | str, decimals: int) -> str:
    """An answer as a key states it: whole numbers without a point, others rounded."""
    if isinstance(value, str):
        return value
    return f"{value:.{decimals}f}" if abs(value - round(value)) > 1e-9 and decimals else f"{round(value)}"


def reread(asked: str, data: Data) -> float | str | None:
    """What a wording made of these very operations comes to; None when it is none of them."""
    for name, operation in OPERATIONS.items():
        for gaps in _readings(operation.asks, asked):
            query = _nested(gaps, data) if name == "leader_of_two" else operation.query.format(**gaps)
            try:
                return ask(query, data)
            except (TableError, KeyError):
                continue
    return None


def _readings(asks: str, asked: str) -> Iterator[dict[str, str]]:
    """The gaps of a pattern, each found once and then the same again."""
    seen: set[str] = set()
    pattern = ""
    for part in re.split(r"(\{\w\})", asks):
        if name := re.fullmatch(r"\{(\w)\}", part):
            pattern += f"(?P={name[1]})" if name[1] in seen else f"(?P<{name[1]}>.+?)"
            seen.add(name[1])
        else:
            pattern += re.escape(part)
    if match := re.fullmatch(pattern, asked.strip()):
        yield match.groupdict()
