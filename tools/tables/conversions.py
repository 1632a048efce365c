"""A value told in another unit than the data's: 3,200 ms as 3.2 seconds, 28 litres a minute as 1,680 an hour."""

import re
from collections.abc import Iterator

from agentinstruct.tools.tables.table import Column
from agentinstruct.tools.tables.view import Candidate

_UNITS = (
    (r"\bms\b|_ms\b|milliseconds?", r"seconds?\b|s\b", 1e-3),
    (r"\bs\b|_s\b|\bsec(?:ond)?s?\b", r"minutes?\b", 1 / 60),
    (r"\bmin(?:ute)?s?\b", r"hours?\b", 1 / 60),
    (r"\bh\b|\bhours?\b", r"days?\b", 1 / 24),
    (r"\bh\b|\bhours?\b", r"minutes?\b", 60.0),
    (r"\bmonths?\b", r"years?\b", 1 / 12),
    (r"\bkm\b|kilomet", r"m\b|met(?:re|er)s?\b", 1e3),
    (r"\bm\b|\bmet(?:re|er)s?\b", r"km\b|kilomet", 1e-3),
    (r"\bcm\b", r"m\b|met(?:re|er)s?\b", 1e-2),
    (r"\bmm\b", r"cm\b|centimet", 0.1),
    (r"\bkg\b|kilogram", r"tonnes?\b|t\b", 1e-3),
    (r"\bg\b|\bgrams?\b", r"kg\b|kilograms?\b", 1e-3),
    (r"\bMB\b", r"GB\b|gigabytes?\b", 1e-3),
)
"""What the data is in, what the number is told in, and the factor between them."""


def converted(value: float, how: str, column: Column, place: int, text: str) -> Iterator[Candidate]:
    """The value in the other units it may be told in; each must be followed by that unit."""
    held = f"{column.name} {column.unit}"
    for unit, told, factor in _UNITS:
        if re.search(unit, held):
            yield Candidate(value * factor, f"{how}, converted", "converted", told, place)
    if re.search(r"(?:per|a|/) ?min", held) and "hour" in text:
        yield Candidate(value * 60, f"{how}, for an hour", "hourly", "hour", place)
