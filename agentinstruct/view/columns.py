"""What filters, orders and counts need of every row, as columns in memory: 24 bytes a row, whatever its texts.

A row's kinds are one number, its cell. A filter is a set of cells, so it costs one look-up a row; counts of every kind
are sums over cells, of which a run has few.
"""

import sqlite3
from array import array
from collections.abc import Mapping
from typing import Any

import numpy
from numpy.typing import NDArray

from agentinstruct.agents.records import content_number
from agentinstruct.view.rows import KINDS, Kinds

Array = NDArray[Any]
COLUMNS: Mapping[str, Any] = {
    "cell": numpy.uint32,
    "cost": numpy.float32,
    "id": numpy.uint64,
    "parent": numpy.uint64,
}


def number_of(name: str) -> int:
    """An id as a column holds it; 0 for none."""
    return content_number(name) if name else 0


def packed(name: str, values: list[Any]) -> bytes:
    """Values of a column as the index keeps them."""
    return numpy.array(values, COLUMNS[name]).tobytes()


class Columns:
    """The columns of a run's index, as far as they were loaded. Row n stands at n - 1."""

    def __init__(self) -> None:
        self.rows = 0
        self.cells: list[Kinds] = []
        self._held: dict[str, Array] = {name: numpy.empty(0, kind) for name, kind in COLUMNS.items()}
        self._values: dict[str, dict[str, int]] = {kind: {} for kind in KINDS}
        self._codes = {kind: array("I") for kind in KINDS}

    def load(self, connection: sqlite3.Connection) -> None:
        """Take in what the index has that is new."""
        ask = "SELECT cell, cost, id, parent FROM columns WHERE first > ? ORDER BY first"
        new = connection.execute(ask, (self.rows,))
        for pieces in new.fetchall():
            self._append(
                {name: numpy.frombuffer(piece, COLUMNS[name]) for name, piece in zip(COLUMNS, pieces, strict=True)}
            )
        ask = "SELECT * FROM cells WHERE number >= ? ORDER BY number"
        for _, *kinds in connection.execute(ask, (len(self.cells),)):
            self.cells.append(Kinds(*kinds))
            for kind, value in zip(KINDS, kinds, strict=True):
                known = self._values[kind]
                self._codes[kind].append(known.setdefault(str(value), len(known)))

    def __getitem__(self, name: str) -> Array:
        """A column."""
        return self._held[name][: self.rows]

    def where(self, kinds: Mapping[str, str]) -> Array:
        """For each cell whether it is of these kinds."""
        wanted = numpy.ones(len(self.cells), bool)
        for kind, value in kinds.items():
            wanted &= self._coded(kind) == self._values[kind].get(value, len(self.cells))
        return wanted

    def counted(self, rows: Array | None) -> Array:
        """How many of these rows, or of all, each cell has."""
        cells = self["cell"] if rows is None else self["cell"][rows]
        return numpy.bincount(cells, minlength=len(self.cells))

    def by(self, kind: str, counts: Array) -> dict[str, int]:
        """Counts of cells as counts of one kind's values, most first; none of which there are none."""
        sums = numpy.bincount(self._coded(kind), counts, len(self._values[kind])).astype(int).tolist()
        found = [(value, count) for value, count in zip(self._values[kind], sums, strict=True) if count]
        return dict(sorted(found, key=lambda one: (-one[1], one[0])))

    def _coded(self, kind: str) -> Array:
        return numpy.array(self._codes[kind], numpy.uint32)

    def _append(self, pieces: Mapping[str, Array]) -> None:
        begun, self.rows = self.rows, self.rows + len(pieces["cell"])
        for name, piece in pieces.items():
            if self.rows > len(self._held[name]):
                self._held[name] = numpy.resize(self._held[name], max(2 * begun, self.rows))
            self._held[name][begun : self.rows] = piece
