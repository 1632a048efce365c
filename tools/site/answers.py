"""Answers that follow from rows: a question is worked out by the program, and a reply compared with what it gives."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agentinstruct.tools.quotes import contains, fold, numbers, same_number, stated_number
from agentinstruct.tools.site.spec import Query, Where

Row = Mapping[str, Any]
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)


class QueryError(ValueError):
    """A question that the rows do not answer, or not in one way."""


def as_number(cell: Any) -> float | None:
    """The number a cell states, alone or with a unit such as `12.50 EUR`."""
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int | float):
        return float(cell)
    found = numbers(str(cell))
    return found[0] if len(found) == 1 else None


def matches(where: Where, row: Row) -> bool:
    """Whether a row is as a condition says."""
    cell, wanted = row.get(where.field), where.value
    if where.match in ("at_least", "at_most"):
        have, limit = as_number(cell), as_number(wanted)
        if have is None or limit is None:
            return False
        return have >= limit if where.match == "at_least" else have <= limit
    if where.match == "contains":
        return fold(str(wanted)) in fold(str(cell))
    return (_plain(cell) == _plain(wanted)) is (where.match == "equals")


def chosen(query: Query, rows: Iterable[Row]) -> list[Row]:
    """The rows a question is about. Raises QueryError where the best is not one."""
    found = [row for row in rows if all(matches(where, row) for where in query.where)]
    if not query.best or not found:
        return found
    measured = [(amount, row) for row in found if (amount := as_number(row.get(query.by))) is not None]
    if not measured:
        raise QueryError(f"no row has a number in {query.by!r}")
    edge = (max if query.best == "highest" else min)(amount for amount, _ in measured)
    best = [row for amount, row in measured if amount == edge]
    if len(best) > 1:
        raise QueryError(f"{len(best)} rows are {query.best} by {query.by!r}")
    return best


def result(query: Query, rows: Iterable[Row]) -> Any:
    """What a question comes to: a value, a number, a list or records. Raises QueryError."""
    found = chosen(query, rows)
    if query.give == "count":
        return len(found)
    if not found:
        raise QueryError("no row is as the question says")
    if not query.fields or any(field not in found[0] for field in query.fields):
        raise QueryError(f"the question gives fields that are not there: {query.fields}")
    if query.give == "records":
        return [{field: row[field] for field in query.fields} for row in found]
    return _of_one_field(query, [row[query.fields[0]] for row in found])


def _of_one_field(query: Query, cells: Sequence[Any]) -> Any:
    if query.give == "list":
        return list(cells)
    if query.give == "value":
        if len({_plain(cell) for cell in cells}) > 1:
            raise QueryError(f"{len(cells)} rows answer a question for one value")
        return cells[0]
    amounts = [as_number(cell) for cell in cells]
    if any(amount is None for amount in amounts):
        raise QueryError(f"{query.fields[0]!r} does not hold a number in every row")
    total = sum(amount for amount in amounts if amount is not None)
    return _tidy(total if query.give == "sum" else total / len(amounts))


def _tidy(number: float) -> int | float:
    number = round(number, 4)
    return int(number) if number == int(number) else number


def agrees(key: Any, answer: str, others: Iterable[Any] = ()) -> bool:
    """Whether an answer gives the key, and none of the other values in its place.

    Records must come as JSON that says just that; a list names all its members and no other value; of a single value
    the first that is named counts.
    """
    if isinstance(key, list):
        return _records(key, answer) if key and isinstance(key[0], dict) else _list(key, answer, others)
    amount = as_number(key)
    if amount is not None and not isinstance(key, str):
        said = stated_number(answer)
        return said is not None and same_number(said, amount)
    named = _named([key, *others], answer)
    return bool(named) and named[0] == _plain(key)


def _named(values: Iterable[Any], answer: str) -> list[str]:
    """Which of some values an answer names, in the order of their places; a value inside a longer one is not one."""
    said, found = fold(answer), {}
    for plain in sorted({_plain(value) for value in values} - {""}, key=len, reverse=True):
        place = re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", said)
        if place:
            found[plain] = place.start()
            said = said.replace(plain, "\0" * len(plain))
    return sorted(found, key=lambda plain: found[plain])


def _list(key: Sequence[Any], answer: str, others: Iterable[Any]) -> bool:
    return set(_named([*key, *others], answer)) == {_plain(value) for value in key}


def _records(key: Sequence[Mapping[str, Any]], answer: str) -> bool:
    said = _json(answer)
    if isinstance(said, dict):
        lists = [value for value in said.values() if isinstance(value, list)]
        said = lists[0] if len(said) == 1 and lists else [said]
    if not isinstance(said, list) or not all(isinstance(record, dict) for record in said):
        return False
    return sorted(map(_record, said)) == sorted(map(_record, key))


def _record(record: Mapping[str, Any]) -> str:
    return repr(sorted((fold(name.replace("_", " ")), _plain(value)) for name, value in record.items()))


def _json(answer: str) -> Any:
    fenced = _FENCE.search(answer)
    for text in (answer, fenced[1] if fenced else ""):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    return None


def _plain(cell: Any) -> str:
    """A cell as comparisons see it: 7, 7.0 and "7" are one; nothing is a dash."""
    if cell is None:
        return "–"
    text = fold(str(cell)).strip(" .")
    try:
        return f"{float(text):g}" if re.fullmatch(r"-?\d+(?:\.\d+)?", text) else text
    except ValueError:
        return text


def states(text: str, answer: str) -> bool:
    """Whether an answer gives a figure as it stands on a page."""
    amount = as_number(text)
    if contains(answer, text):
        return True
    said = stated_number(answer)
    return amount is not None and said is not None and same_number(said, amount)
