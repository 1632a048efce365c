"""Tables in JSON: a list of records, a record (nested ones by dotted names), a chart specification with its values."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agentinstruct.tools.tables.cells import typed
from agentinstruct.tools.tables.table import Table, TableError

_DEEPEST = 6
_FENCE = re.compile(
    r"\A\s*(?P<title>[^\n{\[`]*)\n*\s*(?:```(?:json)?\s*\n)?(?P<json>[{\[].*[}\]])\s*(?:```)?\s*\Z", re.DOTALL
)


def json_tables(text: str) -> list[Table]:
    """The tables of a text that is JSON, perhaps under a title; none when it is not."""
    match = _FENCE.match(text)
    if not match:
        return []
    try:
        value = json.loads(match["json"])
    except (ValueError, RecursionError):
        return []
    found = []
    for title, names, rows in _found(value, match["title"].strip("#*_ :\t")):
        try:
            found.append(typed(title, names, rows))
        except TableError:
            continue
    return found


def _found(value: Any, title: str, depth: int = 0) -> Iterator[tuple[str, list[str], list[list[Any]]]]:
    """Lists of records and, in what is left of a record, its single values as one row."""
    if depth > _DEEPEST:
        return
    if _records(value):
        yield _listed(value, title)
    elif isinstance(value, Mapping):
        heading = str(value.get("title") or value.get("name") or title)
        chart = "data" in value and ("mark" in value or "encoding" in value or "type" in value)
        single = {} if chart else dict(_single(value))
        if len(single) > 2:
            yield heading, list(single), [list(single.values())]
        for name, part in value.items():
            if isinstance(part, list | Mapping) and not (chart and name == "encoding"):
                under = (
                    heading if chart or name in ("data", "values", "rows", "records") else f"{heading} {name}".strip()
                )
                if _records(part) or (isinstance(part, Mapping) and (chart or _nests(part))):
                    yield from _found(part, under, depth + 1)


def _records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, Mapping) for part in value)


def _nests(value: Mapping[str, Any]) -> bool:
    return any(_records(part) for part in value.values())


def _single(value: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        key = f"{path}{name}"
        if isinstance(part, Mapping) and depth < _DEEPEST and not _nests(part):
            yield from _single(part, f"{key}.", depth + 1)
        elif not isinstance(part, list | Mapping):
            yield key, _cell(part)
        elif isinstance(part, list) and not _records(part) and len(part) <= 12:
            yield key, "; ".join(str(one) for one in part)


def _listed(records: Sequence[Mapping[str, Any]], title: str) -> tuple[str, list[str], list[list[Any]]]:
    flat = [dict(_single(record)) for record in records]
    names = list(dict.fromkeys(name for record in flat for name in record))
    return title, names, [[record.get(name) for name in names] for record in flat]


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
