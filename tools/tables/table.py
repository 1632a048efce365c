"""A typed table: columns with kind and unit, rows of values, and None wherever the data has no value."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from agentinstruct.tools.quotes import fold

Kind = Literal["number", "text", "date"]
Value = float | str | None
"""Dates are kept as they are written."""


class TableError(ValueError):
    """Text that is no table, or a question that its table cannot answer."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called, what it holds, and the unit its numbers are in."""

    name: str
    kind: Kind = "text"
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under columns; `written` has each cell as it stands in the data."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    written: tuple[tuple[str, ...], ...] = ()

    def column(self, name: str) -> int:
        """The position of a column by its name, its name without unit, or the only one that begins so."""
        wanted = fold(name)
        names = [fold(column.name) for column in self.columns]
        if wanted in names:
            return names.index(wanted)
        found = [i for i, known in enumerate(names) if known.startswith(wanted) and wanted]
        if len(found) != 1:
            raise TableError(f"no column {name!r}; there are {', '.join(c.name for c in self.columns)}")
        return found[0]

    @cached_property
    def label(self) -> int | None:
        """The column that tells rows apart: the first text or date column without repeats or gaps."""
        for i, column in enumerate(self.columns):
            values = [fold(str(row[i])) for row in self.rows if row[i] is not None]
            if column.kind != "number" and len(set(values)) == len(self.rows):
                return i
        return None

    def name(self, row: int) -> str:
        """What a row is called."""
        return f"row {row + 1}" if self.label is None else str(self.rows[row][self.label])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What the rows are called; empty where nothing tells them apart."""
        return () if self.label is None else tuple(self.name(row) for row in range(len(self.rows)))

    def numbers(self, column: int) -> list[float]:
        """The numbers of a column, gaps left out."""
        return [value for row in self.rows if isinstance(value := row[column], float)]

    @property
    def measured(self) -> Iterator[int]:
        """The columns of numbers."""
        return (i for i, column in enumerate(self.columns) if column.kind == "number")

    @property
    def gaps(self) -> Iterator[tuple[int, int]]:
        """Row and column of each cell without a value."""
        return ((r, c) for r, row in enumerate(self.rows) for c, value in enumerate(row) if value is None)

    @cached_property
    def groups(self) -> dict[tuple[int, str], tuple[int, ...]]:
        """Rows that share a text: (column, text) → rows, where a text stands in more rows than one but not in all."""
        found: dict[tuple[int, str], list[int]] = {}
        for i, column in enumerate(self.columns):
            if column.kind == "text" and i != self.label:
                for r, row in enumerate(self.rows):
                    if row[i] is not None:
                        found.setdefault((i, str(row[i])), []).append(r)
        return {key: tuple(rows) for key, rows in found.items() if len(rows) < len(self.rows)}

    def arrow(self) -> Any:
        """The table as pyarrow has it: numbers as doubles, the rest as strings."""
        import pyarrow as pa

        kinds = {"number": pa.float64()}
        columns = [[row[i] for row in self.rows] for i in range(len(self.columns))]
        arrays = [pa.array(v, kinds.get(c.kind, pa.string())) for c, v in zip(self.columns, columns, strict=True)]
        return pa.table(arrays, names=[column.name for column in self.columns])


def joined(tables: Sequence[Table]) -> Table | None:
    """Two tables as one, by the column of names that both have; None where there is none such."""
    if len(tables) != 2:
        return None
    left, right = tables
    shared = [column.name for column in left.columns if column.kind != "number"]
    key = next((n for n in shared if fold(n) in {fold(c.name) for c in right.columns if c.kind != "number"}), "")
    if not key:
        return None
    other = right.columns[right.column(key)].name
    table = _renamed(right, left, other)
    both = left.arrow().join(table.arrow(), keys=key, right_keys=other, join_type="inner").sort_by(key)
    columns = {column.name: column for column in (*table.columns, *left.columns)}
    return Table(
        f"{left.title} with {right.title}".strip(),
        tuple(columns[name] for name in both.column_names),
        tuple(tuple(row.values()) for row in both.to_pylist()),
    )


def _renamed(table: Table, beside: Table, key: str) -> Table:
    """Columns told apart from those of the other table."""
    taken = {fold(column.name) for column in beside.columns}
    columns = [
        replace(c, name=f"{c.name} ({table.title or 'second table'})") if fold(c.name) in taken and c.name != key else c
        for c in table.columns
    ]
    return replace(table, columns=tuple(columns))
