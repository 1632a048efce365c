"""The functions an expression of `calculate` may call; every size is limited."""

import math
import statistics
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

MAX_LENGTH = 5_000


class CalculateError(ValueError):
    """An expression that cannot be read, is not allowed, is too large, or has no value."""


def number(value: Any) -> int | float:
    """The value, if it is a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CalculateError(f"{value!r} is not a number.")
    return value


def _numbers(*values: Any) -> list[int | float]:
    """Numbers given one by one or as one list."""
    items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    return [number(item) for item in items]


def _items(value: Any) -> list[Any]:
    if not isinstance(value, str | list):
        raise CalculateError(f"{value!r} is neither a list nor a text.")
    return list(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _round(value: Any, digits: Any = 0) -> int | float:
    if not isinstance(digits, int) or abs(digits) > 12:
        raise CalculateError("round takes a number of digits between -12 and 12.")
    rounded = round(number(value), digits)
    return int(rounded) if digits <= 0 else rounded


def _replace(text: Any, old: Any, new: Any) -> str:
    if _text(text).count(_text(old)) * len(_text(new)) > MAX_LENGTH:
        raise CalculateError("The text grows too long.")
    return _text(text).replace(_text(old), _text(new))


def _join(separator: Any, items: Any) -> str:
    return _text(separator).join(_text(item) for item in _items(items))


def _split(text: Any, separator: Any = None) -> list[str]:
    return _text(text).split(None if separator is None else _text(separator))


def _contains(whole: Any, part: Any) -> bool:
    return part in whole if isinstance(whole, list) else _text(part).lower() in _text(whole).lower()


def _count(whole: Any, part: Any = None) -> int:
    if part is None:
        return len(_items(whole))
    return whole.count(part) if isinstance(whole, list) else _text(whole).count(_text(part))


def _unique(items: Any) -> list[Any]:
    kept: list[Any] = []
    for item in _items(items):
        if item not in kept:
            kept.append(item)
    return kept


def _reverse(value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else _items(value)[::-1]


def _dot(left: Any, right: Any) -> int | float:
    return sum(a * b for a, b in zip(_numbers(left), _numbers(right), strict=True))


def _add_days(day: Any, days: Any) -> str:
    return (date.fromisoformat(_text(day)) + timedelta(days=number(days))).isoformat()


def _days_between(first: Any, second: Any) -> int:
    return (date.fromisoformat(_text(second)) - date.fromisoformat(_text(first))).days


FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "abs": lambda value: abs(number(value)),
        "round": _round,
        "floor": lambda value: math.floor(number(value)),
        "ceil": lambda value: math.ceil(number(value)),
        "sqrt": lambda value: math.sqrt(number(value)),
        "min": lambda *values: min(_numbers(*values)),
        "max": lambda *values: max(_numbers(*values)),
        "sum": lambda *values: sum(_numbers(*values)),
        "mean": lambda *values: sum(_numbers(*values)) / len(_numbers(*values)),
        "median": lambda *values: statistics.median(_numbers(*values)),
        "dot": _dot,
        "int": lambda value: int(value),
        "float": lambda value: float(value),
        "str": _text,
        "len": lambda value: len(_items(value)),
        "count": _count,
        "sorted": lambda items: sorted(_items(items)),
        "reverse": _reverse,
        "unique": _unique,
        "first": lambda items: _items(items)[0],
        "last": lambda items: _items(items)[-1],
        "upper": lambda text: _text(text).upper(),
        "lower": lambda text: _text(text).lower(),
        "title": lambda text: _text(text).title(),
        "strip": lambda text: _text(text).strip(),
        "concat": lambda *parts: "".join(_text(part) for part in parts),
        "join": _join,
        "split": _split,
        "replace": _replace,
        "contains": _contains,
        "startswith": lambda text, start: _text(text).startswith(_text(start)),
        "endswith": lambda text, end: _text(text).endswith(_text(end)),
        "add_days": _add_days,
        "days_between": _days_between,
    }
)
