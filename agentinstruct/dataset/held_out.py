"""The rows of a dataset's smaller parts, to be looked up by what they say: as near twins, and by runs of eight words.

    rows ─ Said (words as numbers) ─┬─ bands ────────────── twin     what `--dedup` would call one: the same test
                                    └─ runs of eight words ─ 8gram    over half of what one asks, anywhere in the other

Memory holds eight bytes a word of what is asked, see `held_runs.py`. Texts are on disk.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, NamedTuple, Self

import numpy

from agentinstruct.agents.records import content_number
from agentinstruct.dataset.dedup_index import Sketches
from agentinstruct.dataset.dedup_pairs import packed, unpacked
from agentinstruct.dataset.dedup_rows import same_context, similarity, sketched
from agentinstruct.dataset.held_runs import HeldRuns, spread
from agentinstruct.dataset.rows import Parts, parts
from agentinstruct.dataset.shingles import U64, Array, Tokens, hashed
from agentinstruct.tools.quotes import fold

Method = Literal["twin", "8gram"]
SIMILAR = 0.8
"""Overlap from which two rows are twins, as in `--dedup`."""
_BUCKET = 20
"""Held-out rows of one band that are looked at: those of the highest rank."""
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
    seeds: Array
    """A hash of the seed that each is from."""

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
        seeds = numpy.fromiter(map(_seed, rows), U64, len(rows))
        return cls(kept, Tokens(tokens.hashes, tokens.ends.reshape(-1, 3)[:, 1:].ravel()), bands, seeds)


class HeldOut:
    """Rows that no other part is to repeat. Add them, call `close_up`, then ask `matches`."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute(_TABLE)
        self._ranks: list[int] = []
        self._bands: list[Array] = []
        self._runs = HeldRuns(lambda number: self.kept(number).asked)

    def __len__(self) -> int:
        return len(self._ranks)

    @property
    def runs(self) -> int:
        """How many runs of words are held."""
        return self._runs.count

    def add(self, said: Said, ranks: Sequence[int]) -> None:
        """Take rows in; they are repeated only by rows of a lower rank."""
        first = len(self)
        marks = ((n, *one[:-1], *one.sketches) for n, one in enumerate(said.kept, first))
        self._db.executemany("INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?)", marks)
        self._ranks += ranks
        self._bands.append(said.bands)
        self._runs.add(said.texts, said.seeds)

    def close_up(self, sample: Iterable[Said]) -> None:
        """Make it ready to be asked; `sample`: other rows, which tell what is common too."""
        bands: Any = numpy.concatenate(self._bands, 1) if self._bands else []
        self._bands.clear()
        self._rank = numpy.array(self._ranks, numpy.int64)
        self._orders = [numpy.lexsort((-self._rank, band)).astype(numpy.uint32) for band in bands]
        self._keys = [band[order] for band, order in zip(bands, self._orders, strict=True)]
        self._runs.close_up(self._rank, ((said.texts, said.seeds) for said in sample))

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
            row, at = spread(left, numpy.minimum(right, left + _BUCKET))
            held = order[at]
            higher = self._rank[held] > ranks[row]
            pairs.append(packed(row[higher].astype(U64), held[higher]))
        found, shared = numpy.unique(numpy.concatenate(pairs), return_counts=True)
        tried = dict[int, int]()
        both = (side.tolist() for side in unpacked(found[numpy.argsort(-shared, kind="stable")]))
        for row, held in zip(*both, strict=True):
            tried[row] = tried.get(row, 0) + 1
            if tried[row] <= _TRIED:
                yield row, held

    def _covered(self, said: Said, ranks: Array) -> Iterator[Match]:
        for row, held, share in self._runs.covered(said.texts, ranks):
            yield Match(row, held, "8gram", share)


def _kept(row: Mapping[str, Any], said: Parts, sketches: Sketches) -> Kept:
    asked = f"{said.context}\n{said.prompt}" if said.context else said.prompt
    return Kept(str(row.get("id", "")), fold(str(row.get("key") or "")), asked, said.response, sketches)


def _seed(row: Mapping[str, Any]) -> int:
    """A row that names no seed stands for itself, with those that show the same."""
    return content_number(str(row.get("seed_id") or row.get("context") or row.get("id")))
