"""The ledger: an SQLite file that says what the segments hold and where, with nothing that cannot be rebuilt from them.

segments ─ rows ─ Batch ─ commit ─→ ledger.sqlite ─→ Index: where is this call, is this item done, how many so far
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self

LEDGER = "ledger.sqlite"
_VERSION = 6
"""Of the tables. A ledger of another version is made again from the segments."""
_ROWS = 512  # in one statement: Python's interpreter lock is fought for once per statement, not once per row
_SCHEMA = """
BEGIN;
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments(name TEXT PRIMARY KEY, number INTEGER NOT NULL, committed INTEGER NOT NULL) WITHOUT ROWID;
-- A key of more than 16 bytes is of money that was spent on no answer.
CREATE TABLE calls(key BLOB PRIMARY KEY, segment INTEGER, offset INTEGER, length INTEGER, cost REAL) WITHOUT ROWID;
CREATE TABLE items(
    id TEXT PRIMARY KEY, skill TEXT, seed TEXT, records INTEGER, accepted INTEGER, dropped INTEGER,
    segment INTEGER, offset INTEGER, length INTEGER
) WITHOUT ROWID;
CREATE TABLE failures(
    item TEXT PRIMARY KEY, skill TEXT, seed TEXT, stage TEXT, error TEXT, message TEXT, attempts INTEGER, at REAL
) WITHOUT ROWID;
CREATE TABLE pieces(key BLOB PRIMARY KEY, found BLOB) WITHOUT ROWID;
CREATE TABLE totals(
    skill TEXT PRIMARY KEY, items INTEGER, records INTEGER, accepted INTEGER, dropped INTEGER
) WITHOUT ROWID;
CREATE TABLE call_total(calls INTEGER, bought INTEGER, cost REAL);
INSERT INTO call_total VALUES (0, 0, 0);
CREATE TRIGGER call_added AFTER INSERT ON calls BEGIN
    UPDATE call_total SET
    calls = calls + (length(new.key) <= 16),
    bought = bought + (length(new.key) <= 16 AND new.cost IS NOT NULL),
    cost = cost + ifnull(new.cost, 0);
END;
CREATE TRIGGER call_again AFTER UPDATE ON calls BEGIN
    UPDATE call_total SET
    bought = bought + (length(new.key) <= 16 AND new.cost IS NOT NULL),
    cost = cost + ifnull(new.cost, 0);
END;
CREATE TRIGGER call_removed AFTER DELETE ON calls BEGIN
    UPDATE call_total SET
    calls = calls - (length(old.key) <= 16),
    bought = bought - (length(old.key) <= 16 AND old.cost IS NOT NULL),
    cost = cost - ifnull(old.cost, 0);
END;
CREATE TRIGGER item_added AFTER INSERT ON items BEGIN
    INSERT INTO totals VALUES (new.skill, 1, new.records, new.accepted, new.dropped) ON CONFLICT (skill) DO UPDATE
    SET items = items + 1, records = records + new.records, accepted = accepted + new.accepted,
    dropped = dropped + new.dropped;
END;
CREATE TRIGGER item_removed AFTER DELETE ON items BEGIN
    UPDATE totals SET items = items - 1, records = records - old.records, accepted = accepted - old.accepted,
    dropped = dropped - old.dropped WHERE skill = old.skill;
END;
INSERT INTO meta VALUES ('run', '{run}');
PRAGMA user_version = {version};
COMMIT;
"""


class CallRow(NamedTuple):
    """Where a model's reply lies, and what it cost in USD; None for one that another run bought."""

    key: bytes
    segment: int
    offset: int
    length: int
    cost: float | None


class ItemRow(NamedTuple):
    """Where a finished work item lies, and how many records, accepted ones and dropped drafts it made."""

    id: str
    skill: str
    seed: str
    records: int
    accepted: int
    dropped: int
    segment: int
    offset: int
    length: int


def counts_of(records: Sequence[Mapping[str, Any]], dropped: Sequence[Any]) -> tuple[int, int, int]:
    """How many records, those of them that passed every check, and dropped drafts."""
    return len(records), sum(bool(record.get("accepted")) for record in records), len(dropped)


class PieceRow(NamedTuple):
    """What was found of a piece of a seed document, so that it need not be judged again; nothing else depends on it."""

    key: bytes
    found: bytes


class Failure(NamedTuple):
    """The last failure of a work item; `at` is in seconds since 1970."""

    item: str
    skill: str
    seed: str
    stage: str
    error: str
    message: str
    attempts: int
    at: float


_INSERT = {
    # The later call wins: one whose frame was damaged is bought again. The first outcome of an item wins.
    CallRow: (
        "INSERT INTO main.calls VALUES {} ON CONFLICT (key) DO UPDATE SET "
        "segment = excluded.segment, offset = excluded.offset, length = excluded.length, cost = excluded.cost"
    ),
    ItemRow: "INSERT INTO main.items VALUES {} ON CONFLICT (id) DO NOTHING",
    PieceRow: "INSERT INTO main.pieces VALUES {} ON CONFLICT (key) DO NOTHING",
    Failure: (
        "INSERT INTO main.failures VALUES {} ON CONFLICT (item) DO UPDATE SET stage = excluded.stage, "
        "error = excluded.error, message = excluded.message, attempts = excluded.attempts, at = excluded.at "
        "WHERE excluded.attempts >= attempts"
    ),
}


@dataclass(slots=True)
class Batch:
    """Rows on their way into the ledger.

    `ends` says up to where they cover each segment, by its number; whom `told` lists is called once they are in.
    """

    calls: dict[bytes, CallRow] = field(default_factory=dict)
    items: dict[str, ItemRow] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    pieces: list[PieceRow] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    ends: dict[int, int] = field(default_factory=dict)
    size: int = 0
    told: list[Callable[[], object]] = field(default_factory=list)
    again: list[CallRow] = field(default_factory=list)
    """Of replies that were bought more than once: the earlier rows, which cost something too."""

    def enter(self, row: CallRow) -> None:
        """Take in the row of a reply, beside one of the same reply."""
        before = self.calls.get(row.key)
        if before and (before.segment, before.offset) != (row.segment, row.offset):
            self.again.append(before)
        self.calls[row.key] = row

    def merge(self, other: "Batch") -> None:
        """Take in the rows of another."""
        self.again += other.again
        for row in other.calls.values():
            self.enter(row)
        self.items = other.items | self.items  # the first outcome wins
        self.failures.update(other.failures)
        self.pieces += other.pieces
        self.ends.update(other.ends)
        self.size += other.size
        self.told += other.told


class Segment(NamedTuple):
    """A segment as the ledger knows it: its rows cover the first `committed` bytes."""

    name: str
    number: int
    committed: int


class Ledger:
    """The writing connection. One thread at a time; errors are `sqlite3.Error`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    @classmethod
    def create(cls, path: Path | None, run: str) -> Self:
        """A new ledger in an empty file that exists, or a temporary one that vanishes when closed."""
        ledger = cls(connect(str(path or "")))
        ledger._tune()
        ledger.connection.executescript(_SCHEMA.replace("{run}", run).replace("{version}", str(_VERSION)))
        return ledger

    @classmethod
    def open(cls, path: Path, run: str) -> Self:
        """An existing ledger. Raises `sqlite3.DatabaseError` if it is damaged or of another run."""
        ledger = cls(connect(str(path)))
        try:
            if owner(ledger.connection) != run:
                raise sqlite3.DatabaseError("a ledger of another run")
            if ledger.connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("a damaged ledger")
            ledger._tune()
        except sqlite3.Error:
            ledger.connection.close()
            raise
        return ledger

    def _tune(self) -> None:
        # NORMAL: a power cut may undo the last commits, which the segments then supply again.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -2048"):
            self.connection.execute(f"PRAGMA {pragma}")

    def segments(self) -> dict[str, Segment]:
        """What is known of each segment, by name."""
        rows = self.connection.execute("SELECT name, number, committed FROM main.segments")
        return {row[0]: Segment(*row) for row in rows}

    def segment(self, name: str) -> Segment:
        """The segment of that name, entered if it is new."""
        self.connection.execute(
            "INSERT INTO main.segments SELECT ?, 1 + ifnull(max(number), 0), 0 FROM main.segments WHERE true "
            "ON CONFLICT (name) DO NOTHING",
            (name,),
        )
        return self.segments()[name]

    def commit(self, batch: Batch) -> None:
        """Enters all rows of a batch, or none."""
        with self.connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            for item in batch.forgotten:
                connection.execute("DELETE FROM main.items WHERE id = ?", (item,))
            self._insert(batch.again)
            self._insert(batch.calls.values())
            self._insert(batch.items.values())
            self._insert(batch.failures.values())
            self._insert(batch.pieces)
            for number, end in batch.ends.items():
                connection.execute(
                    "UPDATE main.segments SET committed = max(committed, ?) WHERE number = ?", (end, number)
                )

    def _insert(self, rows: Collection[CallRow | ItemRow | Failure | PieceRow]) -> None:
        waiting: Any = iter(rows)
        while chunk := list(islice(waiting, _ROWS)):
            one = f"({','.join('?' * len(chunk[0]))})"
            statement = _INSERT[type(chunk[0])].replace("{}", ",".join([one] * len(chunk)))
            self.connection.execute(statement, [value for row in chunk for value in row])

    def forget_segment(self, number: int) -> None:
        """Takes out every row that points into a segment."""
        with self.connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM main.calls WHERE segment = ?", (number,))
            connection.execute("DELETE FROM main.items WHERE segment = ?", (number,))
            connection.execute("UPDATE main.segments SET committed = 0 WHERE number = ?", (number,))

    def close(self) -> None:
        """Folds the write-ahead log in and closes, so that readers need no file but the ledger."""
        # It fails while a reader is at it or when the disk is full: the log then stays and is used from where it is.
        with suppress(sqlite3.Error):
            self.connection.execute("PRAGMA journal_mode = DELETE")
        self.connection.close()


def connect(address: str) -> sqlite3.Connection:
    """A connection in autocommit mode; `address` may be a SQLite URI."""
    return sqlite3.connect(
        address, timeout=10, isolation_level=None, check_same_thread=False, cached_statements=32, uri=True
    )


def owner(connection: sqlite3.Connection) -> str:
    """Id of the run a ledger belongs to. Raises `sqlite3.DatabaseError` if it is no ledger."""
    # Asked for first: to SQLite a missing table is not a fault of the file, to us it is.
    tables = connection.execute("SELECT count(*) FROM main.sqlite_master WHERE name = 'meta'").fetchone()
    row = tables[0] and connection.execute("SELECT value FROM main.meta WHERE key = 'run'").fetchone()
    if not row:
        raise sqlite3.DatabaseError("not a ledger")
    if connection.execute("PRAGMA main.user_version").fetchone() != (_VERSION,):
        raise sqlite3.DatabaseError("a ledger of another version")
    return str(row[0])
