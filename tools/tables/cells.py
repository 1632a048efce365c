"""What a cell holds: a number with its unit, a date, a text, or nothing."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.tables.table import Column, Table, TableError, Value

_MISSING = frozenset(
    (
        *("", "-", "--", "?", ".", "n/a", "na", "n.a.", "null", "none", "nan", "unknown", "missing", "not available"),
        *("no data", "not recorded", "not reported", "not known", "…", "...", "tbd", "not measured"),
    )
)
_NUMBER = re.compile(
    r"(?P<lead>[~≈<>]?\s*)(?P<money>[$€£¥]|USD |EUR |GBP )?\s*(?P<sign>[-−+(])?(?P<money2>[$€£¥])?"
    r"(?P<digits>\d{1,3}(?:[,\u00a0\u202f' ]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)\)?"
    r"\s*(?P<unit>%|[^\W\d_][^\d,;:|]{0,24}|°[CF])?\s*\*?"
)
_HEADED = re.compile(r"(?:\(|\[|,\s)\s*(?P<unit>[^()\[\]]{1,30})[)\]]?\s*$|\s(?P<sign>[%$€£])$")
_DATE = re.compile(
    r"\d{4}-\d{2}(?:-\d{2})?(?:[T ]\d{2}:\d{2}(?::\d{2})?Z?)?|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}:\d{2}(?::\d{2})?"
    r"|(?:\d{1,2} )?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?(?: \d{1,2},?)?(?: \d{4})?"
    r"|Q[1-4](?: \d{4})?|\d{4}[ -]?Q[1-4]|FY\d{2,4}|\d{4}[/–-]\d{2,4}",
    re.IGNORECASE,
)
_YEARS = re.compile(r"\b(?:year|date|period|season|since|founded|built|opened|established|time)\b", re.IGNORECASE)
SCALES = {"thousand": 1e3, "k": 1e3, "million": 1e6, "millions": 1e6, "m": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9}
SCALES |= {"thousands": 1e3, "billions": 1e9, "trillion": 1e12}


def number_in(cell: Any) -> tuple[float, str] | None:
    """A cell's number and unit; None when it is something else."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return float(cell), ""
    match = _NUMBER.fullmatch(str(cell).strip())
    if not match:
        return None
    value = float(re.sub(r"[,\u00a0\u202f' ]", "", match["digits"]))
    unit = (match["unit"] or "").strip(" *.")
    if len(unit.split()) > 3:
        return None
    money = match["money"] or match["money2"] or ""
    return (-value if match["sign"] in ("-", "−", "(") else value), f"{money.strip()} {unit}".strip()


def missing(cell: Any) -> bool:
    """Whether a cell says that there is no value."""
    return cell is None or fold(str(cell)).strip("() *—–") in _MISSING


def column_of(name: str, cells: Sequence[Any]) -> tuple[Column, tuple[Value, ...]]:
    """A column and its values: numbers if every cell that holds anything holds one, in one unit."""
    name = name.strip()
    held = [cell for cell in cells if not missing(cell)]
    read = [number_in(cell) for cell in held]
    units = Counter(found[1] for found in read if found)
    headed = _HEADED.search(name)
    unit = (headed["unit"] or headed["sign"]).strip() if headed else ""
    if held and all(read) and len(units) <= 1:
        if _YEARS.search(name) and all(found and found[0] % 1 == 0 and 1000 <= found[0] <= 2200 for found in read):
            return Column(name, "date"), _texts(cells)
        values = tuple(None if missing(cell) else (number_in(cell) or (0.0, ""))[0] for cell in cells)
        return Column(name, "number", next(iter(units)) or unit), values
    dates = held and all(_DATE.fullmatch(str(cell).strip()) for cell in held)
    return Column(name, "date" if dates else "text"), _texts(cells)


def _texts(cells: Sequence[Any]) -> tuple[Value, ...]:
    return tuple(None if missing(cell) else str(cell).strip() for cell in cells)


def scale_of(unit: str) -> float:
    """What a unit such as `USD millions` multiplies by; 1 for most."""
    words = re.findall(r"[a-z]+", unit.casefold())
    return next((SCALES[word] for word in words if word in SCALES and (len(word) > 2 or len(words) > 1)), 1.0)


def typed(title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """A table of cells as written, its columns typed by what all their cells are."""
    if not names or len({fold(name) for name in names}) < len(names):
        raise TableError("the columns have no names, or two of them the same")
    width = len(names)
    if not rows or any(len(row) != width for row in rows):
        raise TableError(f"{len(rows)} rows, and not each has {width} cells")
    columns, values = zip(*(column_of(name, [row[i] for row in rows]) for i, name in enumerate(names)), strict=True)
    written = tuple(tuple("" if cell is None else str(cell).strip() for cell in row) for row in rows)
    return Table(title.strip(), tuple(columns), tuple(zip(*values, strict=True)), written)
