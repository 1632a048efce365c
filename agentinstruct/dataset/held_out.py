"""The rows of a dataset's smaller parts, to be looked up by what they say: as near twins, and by runs of eight words.

    rows ─ Said (words as numbers) ─┬─ bands ────────────── twin     what `--dedup` would call one: the same test
                                    └─ runs of eight words ─ 8gram    over half of what one asks, anywhere in the other

A run that many rows have is a template's, and says nothing. Memory holds eight bytes a word of what is asked, in one
sorted array: forty bits of a run's hash, and whose it is. Texts are on disk.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple, Self

import numpy

from agentinstruct.dataset.dedup_index import Sketches
from agentinstruct.dataset.dedup_rows import same_context, similarity, sketched
from agentinstruct.dataset.rows import Parts, parts
from agentinstruct.dataset.shingles import U64, Array, Tokens, hashed, shingle
from agentinstruct.tools.quotes import fold

Method = Literal["twin", "8gram"]
SIMILAR = 0.8
"""Overlap from which two rows are twins, as in `--dedup`."""
COVERED = 0.5
RUN = 8
_COMMON = 10
"""A run that stands in more rows than these, held out or sampled, is a template's."""
_LEAST = 4
"""Words that a question must have; one of fewer than eight is a single run, so must be all that is said."""
_OWNER = U64(24)
_WHOSE = U64((1 << 24) - 1)
_SLOT = U64(37)
_BUCKET = 20
_TRIED = 30
_TABLE = """
CREATE TABLE held(
    n INTEGER PRIMARY KEY, id TEXT, key TEXT, asked TEXT, answered TEXT, text BLOB, context BLOB, response BLOB
)
"""


class Match(NamedTuple):
    """A row that repeats one that is held out."""

    row: int
    """Its place in the block."""
    held: int
    method: Method
    score: float
    """Overlap of a twin; share of the words of what is asked."""


class Kept(NamedTuple):
    """A held-out row, as it is kept on disk."""

    id: str
    key: str
    asked: str
    answered: str
    sketches: Sketches


@dataclass(frozen=True, slots=True)
class Said:
    """Rows as numbers: what each asks, context and all, and what it answers; what is compared of twins."""

    kept: list[Kept]
    texts: Tokens
    """Of each row two: asked, answered."""
    bands: Array

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """The rows, read once."""
        found = [parts(row) for row in rows]
        tokens = hashed([text for one in found for text in (one.context, one.prompt, one.response)])
        lengths = (tokens.ends - tokens.starts).reshape(-1, 3)
        shown = numpy.repeat(numpy.tile([True, False, False], len(rows)), lengths.ravel())
        said = Tokens(tokens.hashes[~shown], numpy.cumsum(lengths[:, 1:]))
        bands, sketches = sketched(said, Tokens(tokens.hashes[shown], numpy.cumsum(lengths[:, 0])))
        kept = [_kept(row, one, its) for row, one, its in zip(rows, found, sketches, strict=True)]
        return cls(kept, Tokens(tokens.hashes, tokens.ends.reshape(-1, 3)[:, 1:].ravel()), bands)


class HeldOut:
    """Rows that no other part is to repeat. Add them, call `close_up`, then ask `matches`."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute(_TABLE)
        self._ranks: list[int] = []
        self._pieces: list[Array] = []
        self._bands: list[Array] = []
        self.runs = 0

    def __len__(self) -> int:
        return len(self._ranks)

    def add(self, said: Said, ranks: Sequence[int]) -> None:
        """Take rows in; they are repeated only by rows of a lower rank."""
        first = len(self)
        marks = ((n, *one[:-1], *one.sketches) for n, one in enumerate(said.kept, first))
        self._db.executemany("INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?)", marks)
        self._ranks += ranks
        self._bands.append(said.bands)
        runs = shingle(said.texts, RUN)
        text = numpy.repeat(numpy.arange(len(runs.ends)), numpy.diff(runs.ends, prepend=0))
        lengths = said.texts.ends - said.texts.starts
        wanted = (text % 2 == 0) & (lengths >= _LEAST)[text]
        self._pieces.append(_packed(runs.hashes[wanted], first + text[wanted] // 2))
        self.runs += int(wanted.sum())

    def close_up(self, sample: Iterable[Said]) -> None:
        """Make it ready to be asked; `sample`: other rows, which tell what is common too."""
        self._runs = numpy.concatenate([*self._pieces, numpy.empty(0, U64)])
        self._pieces.clear()
        self._runs.sort()
        begins = _begins(self._runs >> _OWNER)
        counts = numpy.diff(begins, append=len(self._runs)).astype(numpy.int32)
        hashes, times = self._runs[begins] >> _OWNER, counts.copy()
        for said in sample:
            runs = shingle(said.texts, RUN).hashes >> _OWNER
            at = numpy.searchsorted(hashes, runs)
            at = at[hashes.take(at, mode="clip") == runs] if len(hashes) else at[:0]
            numpy.add.at(times, at, 1)
        self._runs = self._runs[numpy.repeat(times <= _COMMON, counts)]
        self._bits = _bits(self._runs >> _SLOT)
        bands: Any = numpy.concatenate(self._bands, 1) if self._bands else []
        self._bands.clear()
        self._orders = [numpy.argsort(band, kind="stable").astype(numpy.uint32) for band in bands]
        self._keys = [band[order] for band, order in zip(bands, self._orders, strict=True)]
        self._rank = numpy.array(self._ranks, numpy.int64)

    def matches(self, said: Said, ranks: Sequence[int]) -> Iterator[Match]:
        """The rows of a block that repeat a held-out row of a higher rank; of each the first that is found."""
        mine = numpy.array(ranks, numpy.int64)
        met = set[int]()
        for match in chain(self._twins(said, mine), self._covered(said, mine)):
            if match.row not in met:
                met.add(match.row)
                yield match

    def kept(self, number: int) -> Kept:
        """A held-out row."""
        found = self._db.execute("SELECT * FROM held WHERE n = ?", (number,)).fetchone()
        return Kept._make((*found[1:5], Sketches(*found[5:])))

    def rank(self, number: int) -> int:
        """The rank of a held-out row."""
        return self._ranks[number]

    def close(self) -> None:
        """Let the texts go."""
        self._db.close()

    def _twins(self, said: Said, ranks: Array) -> Iterator[Match]:
        for row, held in self._candidates(said.bands, ranks):
            mine, other = said.kept[row], self.kept(held)
            if mine.key and other.key and mine.key != other.key:
                continue
            if same_context(mine.sketches, other.sketches, SIMILAR):
                score = similarity(mine.sketches, other.sketches, "record")
                if score >= SIMILAR:
                    yield Match(row, held, "twin", score)

    def _candidates(self, bands: Array, ranks: Array) -> Iterator[tuple[int, int]]:
        """Rows and held-out rows that share bands: of each row those that share most."""
        pairs = [numpy.empty(0, U64)]
        for keys, order, mine in zip(self._keys, self._orders, bands, strict=True):
            left, right = (numpy.searchsorted(keys, mine, side) for side in ("left", "right"))
            row, at = _spread(left, numpy.minimum(right, left + _BUCKET))
            held = order[at]
            higher = self._rank[held] > ranks[row]
            pairs.append(row[higher].astype(U64) << U64(32) | held[higher])
        found, shared = numpy.unique(numpy.concatenate(pairs), return_counts=True)
        tried = dict[int, int]()
        for pair in found[numpy.argsort(-shared, kind="stable")].tolist():
            row, held = pair >> 32, pair & 0xFFFFFFFF
            tried[row] = tried.get(row, 0) + 1
            if tried[row] <= _TRIED:
                yield row, held

    def _covered(self, said: Said, ranks: Array) -> Iterator[Match]:
        runs = shingle(said.texts, RUN)
        slots = runs.hashes >> _SLOT
        maybe = numpy.flatnonzero(self._bits[slots >> U64(3)] >> (slots & U64(7)).astype(numpy.uint8) & 1)
        hashes = runs.hashes[maybe]
        left = numpy.searchsorted(self._runs, hashes & ~_WHOSE, "left")
        at, entry = _spread(left, numpy.searchsorted(self._runs, hashes | _WHOSE, "right"))
        row = numpy.searchsorted(runs.ends, maybe[at], "right") // 2
        owner = (self._runs[entry] & _WHOSE).astype(numpy.int64)
        higher = self._rank[owner] > ranks[row]
        pairs, counts = numpy.unique(row[higher] << 32 | owner[higher], return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            row, owner = pair >> 32, pair & 0xFFFFFFFF
            mine = runs.hashes[runs.ends[2 * row - 1] if row else 0 : runs.ends[2 * row + 1]]
            score = self._coverage(mine, owner, count)
            if score > COVERED:
                yield Match(row, owner, "8gram", score)

    def _coverage(self, runs: Array, owner: int, count: int) -> float:
        """Which share of the words of what a row asks stands in shared runs, of which there are so many."""
        tokens = hashed([self.kept(owner).asked])
        length = len(tokens.hashes)
        if RUN * count <= COVERED * length:
            return 0.0
        own = shingle(tokens, RUN).hashes
        known = _packed(own, numpy.full(len(own), owner))
        at = numpy.minimum(numpy.searchsorted(self._runs, known), len(self._runs) - 1)
        shared = numpy.flatnonzero(numpy.isin(own, runs) & (self._runs[at] == known))
        words = numpy.unique(shared[:, None] + numpy.arange(min(RUN, length)))
        return len(words) / length


def _kept(row: Mapping[str, Any], said: Parts, sketches: Sketches) -> Kept:
    asked = f"{said.context}\n{said.prompt}" if said.context else said.prompt
    return Kept(str(row.get("id", "")), fold(str(row.get("key") or "")), asked, said.response, sketches)


def _packed(hashes: Array, owner: Array) -> Array:
    return numpy.asarray(hashes & ~_WHOSE | owner.astype(U64))


def _bits(slots: Array) -> Array:
    """A bit for each of the slots, which are in order."""
    room = numpy.zeros(1 << 24, numpy.uint8)
    byte = slots >> U64(3)
    begins = _begins(byte)
    values = U64(1) << (slots & U64(7))
    if len(begins):
        room[byte[begins]] = numpy.bitwise_or.reduceat(values, begins)
    return room


def _begins(ordered: Array) -> Array:
    """Where each number begins, of numbers in order."""
    return numpy.flatnonzero(numpy.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])


def _spread(left: Array, right: Array) -> tuple[Array, Array]:
    """Every number from each left to each right, and which of them it is from."""
    counts = right - left
    at = numpy.repeat(numpy.arange(len(counts)), counts)
    return at, numpy.repeat(left - (numpy.cumsum(counts) - counts), counts) + numpy.arange(len(at))
