"""Shapes of structured passages: a transform fills in cells, the program writes them in a notation and reads them back.

So a passage of data always parses, has the width it claims, and comes in many notations without a model's slips in
any of them. Which notation a table gets is drawn from its content: the same reply is always written the same way.
"""

import csv
import json
from collections.abc import Callable, Sequence
from html import escape
from io import StringIO
from random import Random
from typing import ClassVar

from pydantic import Field

from agentinstruct.agents.records import Frozen
from agentinstruct.agents.replies import Reshaped
from agentinstruct.tools.tables import Data, Table, TableError, joined, read
from agentinstruct.tools.tables.cells import missing, number_in

Row = tuple[str, ...]
_LEAST_ROWS, _MOST_ROWS, _MOST_COLUMNS = 3, 40, 10
_NAMES = "What each column is called, with its unit in brackets if its cells are numbers with one."
_CELLS = "One list of cells for each row, as many as there are columns; an empty string where there is no value."


class Grid(Frozen):
    """Cells under headings."""

    title: str = Field(description="What the data is about, in a few words.")
    columns: Row = Field(description=_NAMES)
    rows: tuple[Row, ...] = Field(description=_CELLS)


class Structured(Reshaped):
    """A shape whose passage is data: it must be readable as the tables it was written from."""

    least_rows: ClassVar[int] = _LEAST_ROWS

    def unfit(self) -> str:
        """What is wrong with the cells, or with the data they make."""
        if fault := self._uneven():
            return fault
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
        return "" if table.names or len(table.rows) == 1 else "no column tells the rows apart: give each row a name of its own"


class Tabled(Structured):
    """One table, as comma- or semicolon-separated lines, in Markdown or in HTML."""

    title: str = Grid.model_fields["title"]
    columns: Row = Field(description=_NAMES)
    rows: tuple[Row, ...] = Field(description=_CELLS)
    notations: ClassVar[tuple[str, ...]] = ("csv", "semicolons", "markdown", "html")

    @property
    def passage_text(self) -> str:
        """The table in the notation that its content draws."""
        notation = Random(f"{self.title}/{self.rows}").choice(self.notations)
        return NOTATIONS[notation](self.title, self.columns, self.rows)

    def _uneven(self) -> str:
        return _uneven(self.columns, self.rows)


class Records(Tabled):
    """The same as JSON: a title and a list of records."""

    notations: ClassVar[tuple[str, ...]] = ("json",)


class Series(Tabled):
    """Values over time: the first column is the time, in order."""

    least_rows: ClassVar[int] = 5
    notations: ClassVar[tuple[str, ...]] = ("csv", "markdown", "json", "html")

    def _poor(self, data: Data) -> str:
        kind = data.tables[0].columns[0].kind
        return super()._poor(data) or ("" if kind == "date" else "the first column must hold dates: 2019, 2021-03, 2021-03-05, Q2 2020")


class Chart(Tabled):
    """What a chart would show, as a specification with its values."""

    mark: str = Field(description="bar, line, area, point or pie.")

    @property
    def passage_text(self) -> str:
        """The specification."""
        if len(self.columns) < 2:
            return ""
        kinds = ["quantitative" if all(number_in(row[i]) or missing(row[i]) for row in self.rows) else "nominal" for i in (0, 1)]
        encoding = {axis: {"field": self.columns[i], "type": kinds[i]} for i, axis in enumerate("xy")}
        values = [_record(self.columns, row) for row in self.rows]
        return json.dumps(
            {"title": self.title, "mark": self.mark.strip().split(" ")[0], "encoding": encoding, "data": {"values": values}},
            ensure_ascii=False,
            indent=1,
        )


class Entry(Frozen):
    """A line of a box."""

    key: str
    value: str = Field(description="With its unit, such as 45 m; empty where it is not known.")


class Boxed(Structured):
    """One thing and its attributes, as lines of key and value."""

    least_rows: ClassVar[int] = 1
    title: str = Field(description="The name of the thing.")
    entries: tuple[Entry, ...]

    @property
    def passage_text(self) -> str:
        """The box; its first line is the name."""
        lines = [f"Name: {_line(self.title)}", *(f"{_line(e.key).replace(':', '')}: {_line(e.value) or 'unknown'}" for e in self.entries)]
        return "\n".join(lines)

    def _poor(self, data: Data) -> str:
        table = data.tables[0]
        few = len(self.entries) < 6 or len(list(table.measured)) < 2
        return "at least six attributes, two of them numbers, each by itself with its unit" if few else ""


class Triple(Frozen):
    """One fact."""

    subject: str
    predicate: str = Field(description="A relation or attribute in one to three words.")
    object: str = Field(description="A name, or one number with its unit.")


class Triples(Structured):
    """Facts as subject, predicate and object."""

    least_rows: ClassVar[int] = 2
    facts: tuple[Triple, ...]

    @property
    def passage_text(self) -> str:
        """One fact to a line."""
        parts = [[_line(part).replace("|", "/") for part in (f.subject, f.predicate, f.object)] for f in self.facts]
        return "\n".join(" | ".join(fact) for fact in parts)

    def _poor(self, data: Data) -> str:
        return super()._poor(data) or ("" if len(self.facts) >= 6 else "at least six facts")


class LogEntry(Frozen):
    """One thing that happened."""

    time: str = Field(description="YYYY-MM-DD HH:MM:SS")
    level: str = Field(description="DEBUG, INFO, WARN or ERROR.")
    source: str = Field(description="The part that reports, in one word.")
    message: str
    measure: str = Field(description="A number that each line has, such as 320; empty where it is missing.")


class Log(Structured):
    """Lines of a log with one measure, such as a duration or a count."""

    least_rows: ClassVar[int] = 5
    measure: str = Field(description="What each line measures, in one word with its unit, such as duration_ms.")
    entries: tuple[LogEntry, ...]

    @property
    def passage_text(self) -> str:
        """One entry to a line."""
        name = "_".join(self.measure.split()) or "value"
        return "\n".join(
            f"{e.time.strip()} {e.level.strip().upper()} {'_'.join(e.source.split())}: {_line(e.message)}"
            + (f" {name}={e.measure.strip()}" if e.measure.strip() else "")
            for e in self.entries
        )


class Answers(Frozen):
    """A question of a survey with its answers."""

    question: str
    groups: Row = Field(description="Who was asked: All, or two or three groups.")
    answers: tuple[Row, ...] = Field(description="For each answer: its words, then a percentage for each group, such as 34%.")


class Survey(Structured):
    """Questions with how many per cent gave each answer."""

    title: str = Field(description="Who was asked, by whom, when.")
    asked: int = Field(description="How many people were asked.")
    questions: tuple[Answers, ...]

    @property
    def passage_text(self) -> str:
        """A table under each question."""
        parts = [f"{_line(self.title)} (n = {self.asked})"]
        for number, one in enumerate(self.questions, 1):
            parts.append(_markdown(f"Q{number}. {_line(one.question)}", ("Answer", *one.groups), one.answers))
        return "\n\n".join(parts)

    def _uneven(self) -> str:
        return next((f for q in self.questions if (f := _uneven(("Answer", *q.groups), q.answers))), "")


class Joined(Structured):
    """Two tables that share the names in one column."""

    first: Grid
    second: Grid

    @property
    def passage_text(self) -> str:
        """One table after the other."""
        notation = Random(f"{self.first.title}/{self.first.rows}").choice(("csv", "markdown"))
        return "\n\n".join(NOTATIONS[notation](g.title, g.columns, g.rows) for g in (self.first, self.second))

    def _uneven(self) -> str:
        return _uneven(self.first.columns, self.first.rows) or _uneven(self.second.columns, self.second.rows)

    def _poor(self, data: Data) -> str:
        both = joined(data.tables)
        if both is None or len(both.rows) < 2:
            return "both tables need a column of the same name with the same names in it"
        return super()._poor(data)


def _uneven(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    names = [name.strip().casefold() for name in columns]
    if len(columns) < 2 or not all(names) or len(set(names)) < len(names):
        return "at least two columns, each with a name of its own"
    wrong = next((row for row in rows if len(row) != len(columns)), None)
    return f"{len(columns)} columns, but this row has {len(wrong)} cells: {list(wrong)}" if wrong is not None else ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _separated(mark: str) -> Callable[[str, Sequence[str], Sequence[Sequence[str]]], str]:
    def write(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
        out = StringIO()
        writer = csv.writer(out, delimiter=mark, lineterminator="\n")
        writer.writerows([_line(cell) for cell in row] for row in (columns, *rows))
        return f"{_line(title)}\n{out.getvalue()}".strip()

    return write


def _markdown(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(_line(cell).replace('|', '/') for cell in cells)} |"

    return "\n".join([_line(title), "", line(columns), line(["---"] * len(columns)), *map(line, rows)])


def _html(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        return f"  <tr>{''.join(f'<{tag}>{escape(_line(cell))}</{tag}>' for cell in cells)}</tr>"

    head = f"<table>\n  <caption>{escape(_line(title))}</caption>"
    return "\n".join([head, line("th", columns), *(line("td", row) for row in rows), "</table>"])


def _json(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    records = ",\n  ".join(json.dumps(_record(columns, row), ensure_ascii=False) for row in rows)
    return f'{{"title": {json.dumps(_line(title), ensure_ascii=False)},\n "records": [\n  {records}\n ]}}'


def _record(columns: Sequence[str], row: Sequence[str]) -> dict[str, str | float | int | None]:
    return {_line(name): _scalar(cell) for name, cell in zip(columns, row, strict=False)}


def _scalar(cell: str) -> str | float | int | None:
    """A cell as JSON has it: a bare number is a number, nothing is null."""
    if missing(cell):
        return None
    found = number_in(cell)
    if found is None or found[1]:
        return _line(cell)
    return int(found[0]) if found[0] % 1 == 0 else found[0]


NOTATIONS: dict[str, Callable[[str, Sequence[str], Sequence[Sequence[str]]], str]] = {
    "csv": _separated(","),
    "semicolons": _separated(";"),
    "markdown": _markdown,
    "html": _html,
    "json": _json,
}
STRUCTURED: dict[str, type[Structured]] = {
    "table": Tabled,
    "records": Records,
    "series": Series,
    "chart": Chart,
    "box": Boxed,
    "triples": Triples,
    "log": Log,
    "survey": Survey,
    "joined": Joined,
}


def tables_of(text: str) -> tuple[Table, ...]:
    """The tables of a passage of data; none where it holds none."""
    try:
        return read(text).sources
    except TableError:
        return ()
