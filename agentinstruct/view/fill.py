"""The index of a run, filled: what is new in its segments becomes rows, words and columns.

`python -m agentinstruct.view.fill FOLDER RUN FILE` does so until its standard input ends. A process of its own, so that
pages are as quick while a large run is read as afterwards.
"""

import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import chain
from pathlib import Path
from select import select
from typing import Any

from agentinstruct.run.folder import failed_by
from agentinstruct.run.segment import Frame, SegmentReader
from agentinstruct.tools.prices import Price, price_table
from agentinstruct.view.columns import COLUMNS, number_of, packed
from agentinstruct.view.index import connected, segments_of
from agentinstruct.view.rows import Kinds, prices_in, rows_of

SITTING_S = 2.0
"""How long rows are gathered before they are to be seen: words of many rows are entered at less cost than of few."""
PAUSE_S = 1.0
_CHUNK = 500
_SETTINGS = """
PRAGMA cache_size = -65536;
PRAGMA wal_autocheckpoint = 8192;
PRAGMA busy_timeout = 0;
"""


class Filler:
    """Writes an index. One thread at a time; while one process writes, those of other viewers leave it to that one."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, prices: Mapping[str, Price]) -> None:
        connection.executescript(_SETTINGS)
        self._folder = folder
        self._connection = connection
        self._price = prices_in(prices)
        self._segments = SegmentReader(folder)
        self._cells: dict[Kinds, int] = {}
        self._rows = 0
        self._columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}

    def fill(self, seconds: float = SITTING_S) -> int:
        """Take in what is new, for about so long; how many frames that was. None where another viewer is at it."""
        try:
            with self._connection as connection:
                connection.execute("BEGIN IMMEDIATE")
                return self._taken_in(seconds)
        except sqlite3.OperationalError as error:
            if failed_by(error, sqlite3.SQLITE_BUSY):
                return 0
            raise

    def _taken_in(self, seconds: float) -> int:
        sizes = {path.name: path.stat().st_size for path in segments_of(self._folder)}
        frames = self._frames()
        if (first := next(frames, None)) is None:  # what follows the last frame is not whole yet, or never
            seen = [(size, name, size) for name, size in sizes.items()]
            self._connection.executemany("UPDATE segments SET seen = ? WHERE name = ? AND seen != ?", seen)
            return 0
        # Another viewer may have written since: numbers go on from what is there.
        kinds = self._connection.execute("SELECT * FROM cells")
        self._cells = {Kinds(*row[1:]): row[0] for row in kinds}
        self._rows = self._connection.execute("SELECT ifnull(max(n), 0) FROM rows").fetchone()[0]
        return self._sitting(chain((first,), frames), time.monotonic() + seconds)

    def _sitting(self, frames: Iterator[tuple[int, Frame]], until: float) -> int:
        begun, ends, chunk, count = self._rows + 1, dict[int, int](), list[tuple[Any, ...]](), 0
        for number, frame in frames:
            count += 1
            ends[number] = frame.offset + frame.length
            if self._is_new(frame.value):
                chunk += ((read, number, frame.offset, frame.length) for read in rows_of(frame.value, self._price))
            if len(chunk) >= _CHUNK:
                self._enter(chunk)
                chunk = []
                if time.monotonic() > until:
                    break
        self._enter(chunk)
        self._connection.executemany("UPDATE segments SET read = ? WHERE number = ?", [(e, n) for n, e in ends.items()])
        if self._rows >= begun:
            self._keep_columns(begun)
        return count

    def _frames(self) -> Iterator[tuple[int, Frame]]:
        for path in segments_of(self._folder):
            self._connection.execute("INSERT OR IGNORE INTO segments(name, read, seen) VALUES (?, 0, 0)", (path.name,))
            found = self._connection.execute(
                "SELECT number, read FROM segments WHERE name = ?", (path.name,)
            ).fetchone()
            for frame in self._segments.scan(path.name, found[1]):
                yield found[0], frame

    def _is_new(self, value: Mapping[str, Any]) -> bool:
        """Whether a frame is the first outcome of its item: later ones do not count in a run either."""
        if "item" not in value:
            return False
        done = self._connection.execute("INSERT OR IGNORE INTO items VALUES (?)", (value["item"],))
        return done.rowcount == 1

    def _enter(self, chunk: list[tuple[Any, ...]]) -> None:
        rows, words = [], []
        for n, (read, *at) in enumerate(chunk, self._rows + 1):
            cell = self._cell(read.kinds)
            rows.append((n, cell, *at, *read[1:-1]))
            words.append((n, read.words))
            for name, value in zip(COLUMNS, (cell, read.cost, number_of(read.id), number_of(read.parent)), strict=True):
                self._columns[name].append(value)
        self._rows += len(chunk)
        self._connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._connection.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", words)

    def _cell(self, kinds: Kinds) -> int:
        if (known := self._cells.get(kinds)) is not None:
            return known
        number = self._cells[kinds] = len(self._cells)
        self._connection.execute("INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, *kinds))
        return number

    def _keep_columns(self, first: int) -> None:
        pieces = [packed(name, values) for name, values in self._columns.items()]
        self._connection.execute("INSERT INTO columns VALUES (?, ?, ?, ?, ?)", (first, *pieces))
        for values in self._columns.values():
            values.clear()

    def close(self) -> None:
        """Close all files."""
        self._segments.close()
        self._connection.close()


def main(folder: Path, run: str, place: Path) -> None:
    """Fill until standard input ends."""
    try:
        with closing(Filler(folder, connected(place, run), price_table())) as filler:
            while not select([sys.stdin], [], [], 0 if filler.fill() else PAUSE_S)[0]:
                pass
    except sqlite3.Error as error:
        sys.exit(f"{place}: {error}. What is read is shown; start again to read on.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
