"""How the scripted model edits data: another row, or a value less, in the notation that the data is in."""

import json
import re
from collections.abc import Sequence
from typing import Any

from agentinstruct.agents.notations import NOTATIONS
from agentinstruct.tools.tables import Data, Table

_LOG_TIME = re.compile(r"\d{4}-\d{2}-\d{2} (\d{2})")


def grown(data: Data) -> str:
    """The data with one more row, line or entry."""
    return _edited(data, more=True)


def holed(data: Data) -> str:
    """The data with one value less."""
    return _edited(data, more=False)


def _edited(data: Data, *, more: bool) -> str:
    lines = data.text.splitlines()
    if data.text.lstrip().startswith("{"):
        return _json(data, more=more)
    if _LOG_TIME.match(lines[0]):
        later = _LOG_TIME.sub(lambda m: m[0][:-2] + "11", lines[-1], count=1)
        return "\n".join([*lines, later] if more else [re.sub(r" \S+=\S+$", "", lines[0]), *lines[1:]])
    if re.fullmatch(r"[^|]+ \| [^|]+ \| [^|]+", lines[0]):
        lost = next(i for i, line in enumerate(lines) if re.search(r"\| \d", line))
        added = [f"Addition | {line.split(' | ', 1)[1]}" for line in lines[:3]]
        return "\n".join([*lines, *added] if more else [*lines[:lost], *lines[lost + 1 :]])
    if len(data.tables[0].rows) == 1:
        lost = next(i for i, line in enumerate(lines) if re.search(r": \d", line))
        poorer = [f"{line.split(':')[0]}: unknown" if i == lost else line for i, line in enumerate(lines)]
        return "\n".join([*lines, "Addition: 7 items"] if more else poorer)
    return _tables(data, more=more)


def _tables(data: Data, *, more: bool) -> str:
    """Tables in their own notation, the first that holds numbers changed; what stands before them stays."""
    first = next(table for table in data.tables if list(table.measured))
    opening = data.text.split("\n\n", 1)[0]
    preface = [] if opening.startswith((data.tables[0].title or "<", "<")) else [opening]
    parts = [
        _drawn(table, _changed(table, more=more) if table is first else table.written, data) for table in data.tables
    ]
    return "\n\n".join([*preface, *parts])


def _drawn(table: Table, rows: Sequence[Sequence[str]], data: Data) -> str:
    mark = data.text.splitlines()[1] if "\n" in data.text else ""
    names = {"html": "<table" in data.text, "markdown": "| ---" in data.text, "semicolons": ";" in mark}
    notation = next((name for name, held in names.items() if held), "csv")
    return NOTATIONS[notation](table.title, [column.name for column in table.columns], rows)


def _json(data: Data, *, more: bool) -> str:
    value: dict[str, Any] = json.loads(data.text)
    table = data.tables[0]
    names = [column.name for column in table.columns]
    rows = _changed(table, more=more)
    if "records" in value:
        return NOTATIONS["json"](table.title, names, rows)
    new: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
    numbers = {table.columns[i].name for i in table.measured}
    for row in new:
        row.update({name: _number(row[name]) for name in numbers})
    value["data"]["values"] = new
    return json.dumps(value, ensure_ascii=False, indent=1)


def _number(cell: Any) -> float | None:
    return float(cell) if re.fullmatch(r"[\d.]+", str(cell)) else None


def _changed(table: Table, *, more: bool) -> list[list[str]]:
    rows = [list(written) for written in table.written]
    if more:
        return [*rows, [_added(table, column) for column in range(len(table.columns))]]
    column = list(table.measured)[-1]
    full = [r for r, row in enumerate(table.rows) if row[column] is not None]
    rows[full[0]][column] = "n/a"
    return rows


def _added(table: Table, column: int) -> str:
    cells = [written[column] for written in table.written if written[column]]
    if column != table.label:
        return cells[0] if cells else "n/a"
    year = re.match(r"(\d{4})(.*)", cells[0])
    return f"{int(year[1]) + 3}{year[2]}" if year else "Addition"
