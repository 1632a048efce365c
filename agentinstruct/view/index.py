"""What can be asked of a run's rows quickly: an SQLite file beside them, made from the segments, thrown away at will.

segments ─ frames ─→ rows (one record or drop each) ─→ words (full text) · cube (how many of each kind)

A row says where its frame lies; texts are read from the frame. What was read is remembered by segment, so the file
grows with a live run.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from agentinstruct.dataset.spending import spent_on
from agentinstruct.run.folder import open_file
from agentinstruct.run.segment import Frame, SegmentReader
from agentinstruct.tools.prices import Price, price_of

NAME = "view.sqlite"
VERSION = 3
BATCH = 2000
SHOWN = 240
"""Characters of a row's first user turn that lists show."""
KINDS = ("state", "skill", "category", "transform", "goal", "depth", "reason")
"""What rows are counted by."""
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE meta(run TEXT, version INTEGER);
CREATE TABLE segments(
    number INTEGER PRIMARY KEY, name TEXT UNIQUE, read INTEGER NOT NULL, seen INTEGER NOT NULL
);
CREATE TABLE items(id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE rows(
    n INTEGER PRIMARY KEY, segment INTEGER, offset INTEGER, length INTEGER, place INTEGER,
    state TEXT, skill TEXT, category TEXT, transform TEXT, goal TEXT, depth INTEGER, reason TEXT,
    id TEXT, parent TEXT, source TEXT, cost REAL, tokens INTEGER, head TEXT
);
CREATE INDEX by_id ON rows(id);
CREATE INDEX by_parent ON rows(parent) WHERE parent != '';
CREATE INDEX by_kind ON rows(skill, category, state);
CREATE INDEX by_state ON rows(state, reason);
CREATE INDEX by_cost ON rows(cost);
CREATE TABLE cube(
    state TEXT, skill TEXT, category TEXT, transform TEXT, goal TEXT, depth INTEGER, reason TEXT,
    count INTEGER, PRIMARY KEY (state, skill, category, transform, goal, depth, reason)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5(
    text, content = '', detail = none, columnsize = 0, tokenize = "unicode61 remove_diacritics 2"
);
"""
_COUNTED = "INSERT INTO cube VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1"


class Row(NamedTuple):
    """A record or a drop as lists show it."""

    n: int
    segment: int
    offset: int
    length: int
    place: int
    """Which of its item's records it is; below zero, which of the drops: -1 is the first."""
    state: str
    """accepted; failed, a record kept with a check that failed; or dropped."""
    skill: str
    category: str
    transform: str
    goal: str
    depth: int
    reason: str
    """What it failed by: a check, or `stage: reason`."""
    id: str
    parent: str
    source: str
    cost: float
    tokens: int
    head: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the index is."""

    rows: int
    read: int
    size: int
    """Bytes of the segments, of which `read` are in the index."""


class ViewIndex:
    """The index of one run. One thread at a time; several may be open on one file."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, prices: Mapping[str, Price]) -> None:
        self.folder = folder
        self.connection = connection
        self._prices = prices
        self._segments = SegmentReader(folder)

    @classmethod
    def open(cls, folder: Path, run: str, prices: Mapping[str, Price], place: Path) -> "ViewIndex":
        """The index in that file, made anew if it is missing, damaged or another run's. Raises `OSError`."""
        for last in (False, True):
            try:
                os.close(open_file(place, os.O_RDWR | os.O_CREAT))  # SQLite would follow a symlink
                connection = sqlite3.connect(place, isolation_level=None, check_same_thread=False, timeout=30)
                if _made(connection, run):
                    return cls(folder, connection, prices)
                connection.close()
            except sqlite3.DatabaseError:
                if last:
                    raise
            for ending in ("", "-wal", "-shm", "-journal"):
                place.with_name(place.name + ending).unlink(missing_ok=True)
        raise AssertionError("unreachable: what was just made is this run's")

    def update(self, most: int = BATCH) -> int:
        """Take in up to so many frames that are new; how many rows they gave."""
        sizes = {path.name: path.stat().st_size for path in _paths(self.folder)}
        frames = list(_take(self._frames(), most))
        if not frames:  # what follows the last frame is not whole yet, or never
            self.connection.executemany(
                "UPDATE segments SET seen = ? WHERE name = ? AND seen != ?", [(s, n, s) for n, s in sizes.items()]
            )
            return 0
        with self.connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            last = connection.execute("SELECT ifnull(max(n), 0) FROM rows").fetchone()[0]
            rows: list[tuple[Row, str]] = []
            for number, frame in frames:
                if self._is_new(frame.value):
                    rows += self._rows(number, frame, last + len(rows))
            self._enter(rows)
            ends = {number: frame.offset + frame.length for number, frame in frames}
            connection.executemany("UPDATE segments SET read = ? WHERE number = ?", [(e, n) for n, e in ends.items()])
        return len(rows)

    def reading(self) -> Reading:
        """How far it is."""
        rows = self.connection.execute("SELECT ifnull(sum(count), 0) FROM cube").fetchone()[0]
        read = self.connection.execute("SELECT ifnull(sum(max(read, seen)), 0) FROM segments").fetchone()[0]
        return Reading(rows, read, sum(path.stat().st_size for path in _paths(self.folder)))

    def load(self, row: Row) -> dict[str, Any]:
        """The whole record or drop. Raises `DamagedFrame`."""
        name = self.connection.execute("SELECT name FROM segments WHERE number = ?", (row.segment,)).fetchone()[0]
        frame = self._segments.load(name, row.offset, row.length)
        found: dict[str, Any] = frame["records"][row.place] if row.place >= 0 else frame["dropped"][-1 - row.place]
        return found

    def row(self, n: int) -> Row | None:
        """The row of that number."""
        return _one(self.connection.execute("SELECT * FROM rows WHERE n = ?", (n,))) if 0 < n < 2**63 else None

    def by_id(self, known: str) -> Row | None:
        """The row of a record or draft; a record before a drop of the same id."""
        return _one(self.connection.execute("SELECT * FROM rows WHERE id = ? ORDER BY place < 0 LIMIT 1", (known,)))

    def children(self, known: str) -> list[Row]:
        """What was refined from it."""
        return [Row(*row) for row in self.connection.execute("SELECT * FROM rows WHERE parent = ? LIMIT 50", (known,))]

    def close(self) -> None:
        """Close all files."""
        self._segments.close()
        self.connection.close()

    def _frames(self) -> Iterator[tuple[int, Frame]]:
        for path in _paths(self.folder):
            number, read = self._segment(path.name)
            for frame in self._segments.scan(path.name, read):
                yield number, frame

    def _segment(self, name: str) -> tuple[int, int]:
        self.connection.execute("INSERT OR IGNORE INTO segments(name, read, seen) VALUES (?, 0, 0)", (name,))
        number, read = self.connection.execute("SELECT number, read FROM segments WHERE name = ?", (name,)).fetchone()
        return number, read

    def _is_new(self, value: Mapping[str, Any]) -> bool:
        """Whether a frame is the first outcome of its item: later ones do not count in a run either."""
        if "item" not in value:
            return False
        done = self.connection.execute("INSERT OR IGNORE INTO items VALUES (?)", (value["item"],))
        return done.rowcount == 1

    def _rows(self, number: int, frame: Frame, last: int) -> Iterator[tuple[Row, str]]:
        value = frame.value
        found = [(place, one) for place, one in enumerate(value["records"])]
        found += [(-1 - place, one) for place, one in enumerate(value["dropped"])]
        for n, (place, one) in enumerate(found, last + 1):
            tokens, cost = self._spent(one)
            at = (n, number, frame.offset, frame.length, place)
            words = _words(one)
            head = " ".join(_head(one).split())[:SHOWN]
            yield Row._make((*at, *_kinds(one), *_names(one, value["item"], place), cost, tokens, head)), words

    def _spent(self, one: Mapping[str, Any]) -> tuple[int, float]:
        spent = spent_on([one])
        cost = sum(each.cost(price_of(model, self._prices)) or 0.0 for (_, model), each in spent.items())
        return sum(each.read + each.written for each in spent.values()), cost

    def _enter(self, rows: Iterable[tuple[Row, str]]) -> None:
        listed = list(rows)
        marks = ", ".join("?" * len(Row._fields))
        self.connection.executemany(f"INSERT INTO rows VALUES ({marks})", [row for row, _ in listed])  # noqa: S608
        self.connection.executemany(
            "INSERT INTO words(rowid, text) VALUES (?, ?)", [(row.n, words) for row, words in listed]
        )
        self.connection.executemany(_COUNTED, [[getattr(row, kind) for kind in KINDS] for row, _ in listed])


def _kinds(one: Mapping[str, Any]) -> tuple[str, str, str, str, str, int, str]:
    if "messages" not in one:
        reason = f"{one['stage'].partition('/')[0]}: {one['reason']}"
        goal = one["stage"].partition("/")[2]
        return "dropped", one["skill"], one["category"], one["transform"], goal, int(bool(one["parent"])), reason
    failed = next((verdict["check"] for verdict in one["verdicts"] if not verdict["passed"]), "")
    state = "accepted" if one["accepted"] else "failed"
    return state, one["skill"], one["category"], one["transform"], one["goal"], one["depth"], failed


def _names(one: Mapping[str, Any], item: str, place: int) -> tuple[str, str, str]:
    """Its id, which a drop that never became a draft gets from its place, its parent's, its source."""
    return one.get("id") or one.get("draft_id") or f"{item}{place}", one["parent"], one["source"]


def _head(one: Mapping[str, Any]) -> str:
    spoken = (turn["content"] for turn in one.get("messages", ()) if turn["role"] == "user")
    return next(spoken, "") or one.get("detail", "")


def _words(one: Mapping[str, Any]) -> str:
    said = [turn["content"] for turn in one.get("messages", ())]
    return "\n".join([*said, one.get("key", ""), one.get("detail", ""), one["source"], one["category"]])


def _take(frames: Iterator[tuple[int, Frame]], most: int) -> Iterator[tuple[int, Frame]]:
    for count, frame in enumerate(frames, 1):
        yield frame
        if count >= most:
            return


def _one(rows: Iterable[Any]) -> Row | None:
    found = next(iter(rows), None)
    return Row(*found) if found else None


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("items-*.seg"))


def _made(connection: sqlite3.Connection, run: str) -> bool:
    """Whether this is an index of the run, or has just become one."""
    if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
        connection.executescript(_SCHEMA)
        connection.execute("INSERT INTO meta VALUES (?, ?)", (run, VERSION))
    return bool(connection.execute("SELECT * FROM meta").fetchone() == (run, VERSION))
