"""What can be asked of a run's rows quickly: an SQLite file beside them, made from the segments, thrown away at will.

segments ─ frames ─→ rows (one record or drop each) ─→ words (full text) · columns, cells (for filters and counts)

A row says where its frame lies; texts are read from the frame. What was read is remembered by segment, so the file
grows with a live run. It is written by `fill.py`.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agentinstruct.run.folder import failed_by, open_file
from agentinstruct.run.segment import SegmentReader
from agentinstruct.view.columns import Columns, number_of
from agentinstruct.view.rows import Row

NAME = "view.sqlite"
VERSION = 5
_SCHEMA = """
CREATE TABLE meta(run TEXT, version INTEGER);
CREATE TABLE segments(
    number INTEGER PRIMARY KEY, name TEXT UNIQUE, read INTEGER NOT NULL, seen INTEGER NOT NULL
);
CREATE TABLE items(id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE rows(
    n INTEGER PRIMARY KEY, cell INTEGER, segment INTEGER, offset INTEGER, length INTEGER, place INTEGER,
    id TEXT, parent TEXT, source TEXT, cost REAL, tokens INTEGER, head TEXT
);
CREATE TABLE cells(
    number INTEGER PRIMARY KEY, state TEXT, skill TEXT, category TEXT, transform TEXT, goal TEXT, depth INTEGER,
    reason TEXT
);
CREATE TABLE columns(first INTEGER PRIMARY KEY, cell BLOB, cost BLOB, id BLOB, parent BLOB);
CREATE VIRTUAL TABLE words USING fts5(
    text, content = '', detail = none, columnsize = 0, tokenize = "unicode61 remove_diacritics 2"
);
INSERT INTO words(words, rank) VALUES('hashsize', 67108864)
"""
_CHILDREN = 50


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the index is."""

    rows: int
    read: int
    size: int
    """Bytes of the segments, of which `read` are in the index."""


def connected(place: Path, run: str) -> sqlite3.Connection:
    """The index in that file, made anew if it is missing, damaged or another run's. Raises `OSError`."""
    for last in (False, True):
        try:
            os.close(open_file(place, os.O_RDWR | os.O_CREAT))  # SQLite would follow a symlink
            connection = sqlite3.connect(place, isolation_level=None, check_same_thread=False, timeout=30)
            if _made(connection, run):
                return connection
            connection.close()
        except sqlite3.DatabaseError as error:
            if last or failed_by(error, sqlite3.SQLITE_BUSY):
                raise
        for ending in ("", "-wal", "-shm", "-journal"):
            place.with_name(place.name + ending).unlink(missing_ok=True)
    raise AssertionError("unreachable: what was just made is this run's")


class ViewIndex:
    """The index of one run, to be asked. One thread at a time."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.connection = connection
        self.columns = Columns()
        self._segments = SegmentReader(folder)

    def reading(self) -> Reading:
        """How far it is, with what was added by now."""
        self.columns.load(self.connection)
        read = self.connection.execute("SELECT ifnull(sum(max(read, seen)), 0) FROM segments").fetchone()[0]
        return Reading(self.columns.rows, read, sum(path.stat().st_size for path in segments_of(self.folder)))

    def load(self, row: Row) -> dict[str, Any]:
        """The whole record or drop. Raises `DamagedFrame`."""
        frame = self._frame(row)
        found: dict[str, Any] = frame["records"][row.place] if row.place >= 0 else frame["dropped"][-1 - row.place]
        return found

    def record_beside(self, row: Row) -> dict[str, Any]:
        """A record of the same work item, so of the same seed; empty where none was made. Raises `DamagedFrame`."""
        return next(iter(self._frame(row)["records"]), {})

    def _frame(self, row: Row) -> dict[str, Any]:
        name = self.connection.execute("SELECT name FROM segments WHERE number = ?", (row.segment,)).fetchone()[0]
        return self._segments.load(name, row.offset, row.length)

    def rows(self, numbers: Sequence[int]) -> list[Row]:
        """The rows of these numbers, in the same order; those that there are."""
        known = [n for n in numbers if 0 < n <= self.columns.rows]
        marks = ", ".join("?" * len(known))
        found = self.connection.execute(f"SELECT * FROM rows WHERE n IN ({marks})", known)  # noqa: S608 - of fixed parts
        rows = {row[0]: Row(*row, *self.columns.cells[row[1]]) for row in found}
        return [rows[n] for n in known]

    def row(self, n: int) -> Row | None:
        """The row of that number."""
        return next(iter(self.rows([n])), None)

    def by_id(self, known: str) -> Row | None:
        """The row of a record or draft; a record before a drop of the same id."""
        found = [row for row in self.rows(self._named("id", known)) if row.id == known]
        return min(found, key=lambda row: row.place < 0, default=None)

    def children(self, known: str) -> list[Row]:
        """What was refined from it."""
        return [row for row in self.rows(self._named("parent", known)[:_CHILDREN]) if row.parent == known]

    def _named(self, column: str, known: str) -> list[int]:
        found: list[int] = (1 + (self.columns[column] == number_of(known)).nonzero()[0]).tolist()
        return found

    def close(self) -> None:
        """Close all files."""
        self._segments.close()
        self.connection.close()


def segments_of(folder: Path) -> Iterable[Path]:
    """The segments that hold outcomes."""
    return sorted(folder.glob("items-*.seg"))


def _made(connection: sqlite3.Connection, run: str) -> bool:
    """Whether this is an index of the run, or has just become one."""
    connection.execute("PRAGMA synchronous = OFF")
    if _is_empty(connection):
        connection.execute("PRAGMA page_size = 8192")
        _log_ahead(connection)
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if _is_empty(connection):  # not made by another viewer meanwhile
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute("INSERT INTO meta VALUES (?, ?)", (run, VERSION))
    return bool(connection.execute("SELECT * FROM meta").fetchone() == (run, VERSION))


def _log_ahead(connection: sqlite3.Connection) -> None:
    """Let readers read while somebody writes. SQLite does not wait for another process that sets this, too."""
    for left in reversed(range(200)):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not left or not failed_by(error, sqlite3.SQLITE_BUSY):
                raise
            time.sleep(0.02)
        else:
            return


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
