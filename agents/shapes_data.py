"""Shapes of structured passages: a transform fills in cells, the program writes them in a notation and reads them back.

So a passage of data always parses, has the width it claims, and comes in many notations without a model's slips in
any of them. Which notation a table gets is drawn from its content: the same reply is always written the same way.
"""

import json
from collections.abc import Sequence
from itertools import zip_longest
from random import Random
from typing import ClassVar

from pydantic import Field

from agentinstruct.agents.notations import NOTATIONS, record
from agentinstruct.agents.records import Frozen
from agentinstruct.agents.replies import Reshaped
from agentinstruct.tools.tables import Data, Table, TableError, read
from agentinstruct.tools.tables.cells import missing, number_in

Row = tuple[str, ...]
_LEAST_ROWS, _MOST_ROWS, _MOST_COLUMNS = 3, 40, 10
_TITLE = "What the data is about, in a few words."
_NAMES = "What each column is called, with its unit in brackets if its cells are numbers with one."
_CELLS = "One list of cells for each row, as many as there are columns; an empty string where there is no value."


class Grid(Frozen):
    """Cells under headings."""

    title: str = Field(description=_TITLE)
    columns: Row = Field(description=_NAMES)
    rows: tuple[Row, ...] = Field(description=_CELLS)


class Structured(Reshaped):
    """A shape whose passage is data: it must be readable as the tables it was written from."""

    least_rows: ClassVar[int] = _LEAST_ROWS

    def unfit(self) -> str:
        """What is wrong with the cells, or with the data they make."""
        fault = self._uneven() or self._unread()
        return f"{fault}. Put the cells right; the source stays suitable." if fault else ""

    def _unread(self) -> str:
        try:
            data = read(self.passage_text)
        except TableError as error:
            return str(error)
        return self._poor(data)

    def _uneven(self) -> str:
        return ""

    def _poor(self, data: Data) -> str:
        """Why there is too little to write about."""
        table = max(data.tables, key=lambda one: len(one.rows))
        if len(table.rows) < self.least_rows:
            return f"the data has {len(table.rows)} rows; {self.least_rows} are needed"
        if len(table.rows) > _MOST_ROWS or any(len(one.columns) > _MOST_COLUMNS for one in data.tables):
            return f"at most {_MOST_ROWS} rows and {_MOST_COLUMNS} columns"
        if not any(True for one in data.tables for _ in one.measured):
            return "no column holds numbers; every cell of such a column must be a number or empty"
        return (
            ""
            if table.names or len(table.rows) == 1
            else "no column tells the rows apart: give each row a name of its own"
        )


class Tabled(Structured):
    """One table, as comma- or semicolon-separated lines, in Markdown or in HTML."""

    title: str = Field(description=_TITLE)
    columns: Row = Field(description=_NAMES)
    rows: tuple[Row, ...] = Field(description=_CELLS)
    notations: ClassVar[tuple[str, ...]] = ("csv", "semicolons", "markdown", "html")

    @property
    def passage_text(self) -> str:
        """The table in the notation that its content draws."""
        notation = Random(f"{self.title}/{self.rows}").choice(self.notations)
        return NOTATIONS[notation](self.title, self.columns, self.rows)

    def _uneven(self) -> str:
        return uneven(self.columns, self.rows)


class Records(Tabled):
    """The same as JSON: a title and a list of records."""

    notations: ClassVar[tuple[str, ...]] = ("json",)


class Series(Tabled):
    """Values over time: the first column is the time, in order."""

    least_rows: ClassVar[int] = 5
    notations: ClassVar[tuple[str, ...]] = ("csv", "markdown", "json", "html")

    def _poor(self, data: Data) -> str:
        kind = data.tables[0].columns[0].kind
        return super()._poor(data) or (
            "" if kind == "date" else "the first column must hold dates: 2019, 2021-03, 2021-03-05, Q2 2020"
        )


class Chart(Tabled):
    """What a chart would show, as a specification with its values."""

    mark: str = Field(description="bar, line, area, point or pie.")

    @property
    def passage_text(self) -> str:
        """The specification."""
        if len(self.columns) < 2:
            return ""
        kinds = [
            "quantitative" if all(number_in(row[i]) or missing(row[i]) for row in self.rows) else "nominal"
            for i in (0, 1)
        ]
        encoding = {axis: {"field": self.columns[i], "type": kinds[i]} for i, axis in enumerate("xy")}
        values = [record(self.columns, row) for row in self.rows]
        return json.dumps(
            {
                "title": self.title,
                "mark": self.mark.strip().split(" ")[0],
                "encoding": encoding,
                "data": {"values": values},
            },
            ensure_ascii=False,
            indent=1,
        )


def uneven(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Why cells are no table: columns without names of their own, a row of another width."""
    names = [name.strip().casefold() for name in columns]
    if len(columns) < 2 or not all(names) or len(set(names)) < len(names):
        return "at least two columns, each with a name of its own"
    wrong = next((row for row in rows if len(row) != len(columns)), None)
    if wrong is None:
        return ""
    cells = ", ".join(f"{name}: {cell}" for name, cell in zip_longest(columns, wrong, fillvalue="(nothing)"))
    return f"{len(columns)} columns, but this row has {len(wrong)} cells, so they fall out of step ({cells[:300]})"


def tables_of(text: str) -> tuple[Table, ...]:
    """The tables of a passage of data; none where it holds none."""
    try:
        return read(text).sources
    except TableError:
        return ()
