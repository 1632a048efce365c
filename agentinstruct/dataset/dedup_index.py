"""The records that others are compared with: one SQLite file that is extended, never rewritten, and holds no text.

    block    some hundred records as columns: hash of the text, of the id, of the short key, rank
    band     one MinHash band of a block
    record   id, sketches of text, context and response, and the vector if there is one
    removed  which records are not in the dataset, and why: twin, method, similarity

What a sitting adds is one transaction, written when its twins are found: a kill leaves the index as it was.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.shingles import BANDS, ROWS, SHINGLE, U64, Array

COLUMNS = ("exact", "name", "key", "rank")
VERSION = f"3 {SHINGLE}-{BANDS}x{ROWS}"
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE source (no INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE block (no INTEGER PRIMARY KEY, source INTEGER, exact BLOB, name BLOB, key BLOB, rank BLOB);
CREATE TABLE band (band INTEGER, block INTEGER, keys BLOB);
CREATE INDEX band_block ON band (band, block);
CREATE TABLE record (
    no INTEGER PRIMARY KEY, id TEXT, source INTEGER, sketch BLOB, context BLOB, response BLOB, vector BLOB
);
CREATE TABLE removed (no INTEGER PRIMARY KEY, twin INTEGER, method TEXT, similarity REAL);
"""


class Sketches(NamedTuple):
    """What is kept of a record to say how alike it is to another."""

    text: bytes
    context: bytes
    response: bytes
    """Its own: in the sketch of the text, a long prompt leaves no room for a short response."""


@dataclass(frozen=True, slots=True)
class Block:
    """Records as columns, each as long as `ids`."""

    ids: Sequence[str]
    columns: dict[str, Array]
    bands: Array
    sketches: Sequence[Sketches]

    def only(self, wanted: Array) -> "Block":
        """Those that are wanted."""
        if wanted.all():
            return self
        return Block(
            list(compress(self.ids, wanted)),
            {name: column[wanted] for name, column in self.columns.items()},
            self.bands[:, wanted],
            list(compress(self.sketches, wanted)),
        )


@dataclass(frozen=True, slots=True)
class Removed:
    """Why a record is not in the dataset."""

    number: int
    twin: int
    method: str
    similarity: float


class DedupIndex:
    """Opens the index in a file, or one for this process only. Raises `RunError` when the file is no index of ours."""

    def __init__(self, path: Path | None, settings: str) -> None:
        self._path = path
        try:
            self._db = sqlite3.connect(path or "", isolation_level=None, timeout=1)
            self._db.execute("PRAGMA cache_size = -65536")
            if path is None:
                self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute("BEGIN IMMEDIATE")
            self._check(f"{VERSION} {settings}")
        except sqlite3.Error as problem:
            raise RunError(f"{path}: the index cannot be used ({problem}). Choose another file.") from problem
        self.size = int(self._db.execute("SELECT ifnull(max(no) + 1, 0) FROM record").fetchone()[0])
        self.settled = self.size
        """Records before this number are there from earlier: they stay, whatever comes."""

    def _check(self, version: str) -> None:
        if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for statement in filter(str.strip, _TABLES.split(";")):
                self._db.execute(statement)
            self._db.execute("INSERT INTO meta VALUES ('version', ?)", (version,))
        found = self._db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()[0]
        if found != version:
            raise RunError(f"{self._path}: made with other settings ({found}, not {version}). Choose another file.")

    def source(self, name: str) -> int:
        """The number of a dataset, by its name."""
        self._db.execute("INSERT OR IGNORE INTO source (name) VALUES (?)", (name,))
        return int(self._db.execute("SELECT no FROM source WHERE name = ?", (name,)).fetchone()[0])

    def add(self, block: Block, source: int) -> None:
        """Add records; they get the next numbers."""
        first, self.size = self.size, self.size + len(block.ids)
        columns = [block.columns[name].tobytes() for name in COLUMNS]
        self._db.execute("INSERT INTO block VALUES (?, ?, ?, ?, ?, ?)", (first, source, *columns))
        self._db.executemany(
            "INSERT INTO band VALUES (?, ?, ?)",
            ((number, first, keys.tobytes()) for number, keys in enumerate(block.bands)),
        )
        rows = zip(block.ids, block.sketches, strict=True)
        self._db.executemany(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, NULL)",
            ((first + at, name, source, *held) for at, (name, held) in enumerate(rows)),
        )

    def of_source(self, source: int) -> Array:
        """The numbers of the records of a dataset."""
        rows = self._db.execute("SELECT no FROM record WHERE source = ? ORDER BY no", (source,))
        return numpy.fromiter((number for (number,) in rows), numpy.int64)

    def column(self, name: str) -> Array:
        """A column of all records."""
        out = numpy.empty(self.size, U64)
        for first, piece in self.pieces(name):
            out[first : first + len(piece)] = piece
        return out

    def pieces(self, name: str) -> Iterator[tuple[int, Array]]:
        """A column piece by piece, each with the number of its first record."""
        return self._pieces(f"SELECT no, {name} FROM block ORDER BY no", ())  # noqa: S608  (one of COLUMNS)

    def band(self, number: int) -> Iterator[tuple[int, Array]]:
        """One band of all records in the same way."""
        return self._pieces("SELECT block, keys FROM band WHERE band = ? ORDER BY block", (number,))

    def _pieces(self, query: str, values: tuple[Any, ...]) -> Iterator[tuple[int, Array]]:
        for first, blob in self._db.execute(query, values):
            yield first, numpy.frombuffer(blob, U64)

    def sketches(self, number: int) -> Sketches:
        """The sketches of a record."""
        found = self._db.execute("SELECT sketch, context, response FROM record WHERE no = ?", (number,)).fetchone()
        return Sketches(*found)

    def bands(self, number: int) -> list[int]:
        """The key of a record in each band."""
        first = self._db.execute("SELECT max(no) FROM block WHERE no <= ?", (number,)).fetchone()[0]
        rows = self._db.execute("SELECT keys FROM band WHERE block = ? ORDER BY band", (first,))
        return [int(numpy.frombuffer(keys, U64)[number - first]) for (keys,) in rows]

    def named(self, number: int) -> tuple[str, str]:
        """The id of a record and the dataset that it is from."""
        query = "SELECT record.id, source.name FROM record JOIN source ON record.source = source.no WHERE record.no = ?"
        found = self._db.execute(query, (number,)).fetchone()
        return found[0], found[1]

    def embedded_by(self, embedder: str) -> None:
        """Note what makes the vectors, the first time. Raises `RunError` when those held were made otherwise."""
        if not self._db.execute("SELECT 1 FROM record WHERE vector IS NOT NULL LIMIT 1").fetchone():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('embedder', ?)", (embedder,))
        found = self._db.execute("SELECT value FROM meta WHERE name = 'embedder'").fetchone() or ("an earlier version",)
        if found[0] != embedder:
            raise RunError(
                f"{self._path}: holds vectors by {found[0]}, which those by {embedder} cannot be compared with. Give "
                "the same --embeddings, or choose another file."
            )

    def set_vectors(self, numbers: Sequence[int], vectors: Array) -> None:
        """Keep the vectors of records, in half precision."""
        rows = ((vector.astype(numpy.float16).tobytes(), no) for no, vector in zip(numbers, vectors, strict=True))
        self._db.executemany("UPDATE record SET vector = ? WHERE no = ?", rows)

    def vectors(self) -> Iterator[tuple[int, Array]]:
        """Number and vector of every record that has one and is in the dataset, in order."""
        query = (
            "SELECT no, vector FROM record WHERE vector IS NOT NULL AND no NOT IN (SELECT no FROM removed) ORDER BY no"
        )
        for number, vector in self._db.execute(query):
            yield number, numpy.frombuffer(vector, numpy.float16)

    def remove(self, gone: Iterable[Removed]) -> None:
        """Note why records are not in the dataset."""
        rows = ((one.number, one.twin, one.method, one.similarity) for one in gone)
        self._db.executemany("INSERT INTO removed VALUES (?, ?, ?, ?)", rows)

    def removed(self, number: int) -> Removed:
        """Why a record is not in the dataset."""
        query = "SELECT no, twin, method, similarity FROM removed WHERE no = ?"
        return Removed(*self._db.execute(query, (number,)).fetchone())

    def ways(self) -> Iterator[tuple[int, str]]:
        """Every record that is not in the dataset, and by which method it was found."""
        yield from self._db.execute("SELECT no, method FROM removed")

    def alive(self) -> Array:
        """For each record whether it is in the dataset."""
        alive = numpy.ones(self.size, bool)
        for (number,) in self._db.execute("SELECT no FROM removed"):
            alive[number] = False
        return alive

    def commit(self) -> None:
        """Make what was added last; the next sitting finds it settled."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close the file; what was not committed is gone."""
        self._db.close()
