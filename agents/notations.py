"""Cells written down: separated lines, Markdown, HTML, JSON."""

import csv
import json
from collections.abc import Callable, Sequence
from html import escape
from io import StringIO

from agentinstruct.tools.tables.cells import missing, number_in


def line(text: str) -> str:
    """Text on one line."""
    return " ".join(text.split())


def _separated(mark: str) -> Callable[[str, Sequence[str], Sequence[Sequence[str]]], str]:
    def write(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        out = StringIO()
        writer = csv.writer(out, delimiter=mark, lineterminator="\n")
        writer.writerows([line(cell) for cell in row] for row in (columns, *rows))
        return f"{line(title)}\n{out.getvalue()}".strip()

    return write


def markdown(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown under its title."""

    def drawn(cells: Sequence[str]) -> str:
        return f"| {' | '.join(line(cell).replace('|', '/') for cell in cells)} |"

    return "\n".join([line(title), "", drawn(columns), drawn(["---"] * len(columns)), *map(drawn, rows)])


def _html(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def drawn(tag: str, cells: Sequence[str]) -> str:
        return f"  <tr>{''.join(f'<{tag}>{escape(line(cell))}</{tag}>' for cell in cells)}</tr>"

    head = f"<table>\n  <caption>{escape(line(title))}</caption>"
    return "\n".join([head, drawn("th", columns), *(drawn("td", row) for row in rows), "</table>"])


def _json(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    records = ",\n  ".join(json.dumps(record(columns, row), ensure_ascii=False) for row in rows)
    return f'{{"title": {json.dumps(line(title), ensure_ascii=False)},\n "records": [\n  {records}\n ]}}'


def record(columns: Sequence[str], row: Sequence[str]) -> dict[str, str | float | int | None]:
    """A row by the names of its columns."""
    return {line(name): _scalar(cell) for name, cell in zip(columns, row, strict=False)}


def _scalar(cell: str) -> str | float | int | None:
    """A cell as JSON has it: a bare number is a number, nothing is null."""
    if missing(cell):
        return None
    found = number_in(cell)
    if found is None or found[1]:
        return line(cell)
    return int(found[0]) if found[0] % 1 == 0 else found[0]


NOTATIONS: dict[str, Callable[[str, Sequence[str], Sequence[Sequence[str]]], str]] = {
    "csv": _separated(","),
    "semicolons": _separated(";"),
    "markdown": markdown,
    "html": _html,
    "json": _json,
}
