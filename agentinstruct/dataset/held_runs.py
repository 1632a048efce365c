"""Runs of eight words of what held-out rows ask, in one sorted array: forty bits of a run's hash, and whose it is.

    runs of all held-out rows ─ less those of many seeds ─ less those of many seeds of the sample ─→ covered(texts)

A run that many seeds have is a template's, and says nothing. Seeds are counted, not rows: twenty questions about one
passage, or copies of one question, make no template of it; nor do the sampled rows that repeat a row nearly whole,
which are the leaks.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy

from agentinstruct.dataset.shingles import U64, Array, Tokens, hashed, shingle

COVERED = 0.5
"""Share of the words of what a row asks from which on it is repeated."""
RUN = 8
_COMMON = 10
"""A run that stands in rows of more seeds than these, held out or sampled, is a template's."""
_MOST_ROWS = 20
"""Of each run; where a passage has more, a row that repeats it repeats one of these, too."""
_NEARLY = 0.8
"""Share from which a row of the sample repeats one: a template leaves more than a fifth to be filled in."""
_LEAST = 4
"""Words that a question must have; one of fewer than eight is a single run, so must be all that is said."""
_OWNER = U64(24)
_WHOSE = U64((1 << 24) - 1)
_SLOT = U64(37)
_LOW = U64(0xFFFFFFFF)


class Covering(NamedTuple):
    """A row in which much of what a held-out one asks stands."""

    row: int
    """Its place in the block."""
    held: int
    share: float


class HeldRuns:
    """Add the texts of rows, of each what it asks and what it answers, call `close_up`, then ask `covered`."""

    def __init__(self, asked: Callable[[int], str]) -> None:
        """`asked` gives what a row asks, by its number in the order in which they were added."""
        self._asked_by = asked
        self._pieces: list[Array] = []
        self._seeds: list[Array] = []
        self._asked: list[Array] = []
        self._lengths: list[Array] = []
        self._rows = 0
        self.count = 0

    def add(self, texts: Tokens, seeds: Array) -> None:
        """Take rows in, with hashes of the seeds that they are from."""
        runs = shingle(texts, RUN)
        text = _texts(runs)
        lengths = texts.ends - texts.starts
        wanted = (text % 2 == 0) & (lengths >= _LEAST)[text]
        self._lengths.append(lengths[::2])
        self._pieces.append(_packed(runs.hashes[wanted], self._rows + text[wanted] // 2))
        self._asked.append(numpy.add.reduceat(runs.hashes, runs.starts)[::2] if len(seeds) else seeds)
        self._seeds.append(seeds)
        self._rows += len(seeds)
        self.count += int(wanted.sum())

    def close_up(self, ranks: Array, sample: Iterable[tuple[Tokens, Array]]) -> None:
        """Make it ready to be asked; `sample`: texts and seeds of other rows, which tell what is common too."""
        self._rank = ranks
        self._length = numpy.concatenate([*self._lengths, numpy.empty(0, numpy.int64)])
        runs = numpy.concatenate([*self._pieces, numpy.empty(0, U64)])
        self._pieces.clear()
        runs.sort()
        begins = _begins(runs >> _OWNER)
        hashes = runs[begins] & ~_WHOSE
        several = numpy.unique(runs & ~_WHOSE | self._seed()[runs & _WHOSE])
        held = numpy.diff(_begins(several >> _OWNER), append=len(several))
        runs = self._few(runs, begins)
        counts = numpy.diff(_begins(runs >> _OWNER), append=len(runs))
        self._use(runs[numpy.repeat(held <= _COMMON, counts)])
        told, common = numpy.empty(0, U64), int((held > _COMMON).sum())
        for texts, seeds in sample:
            told = numpy.union1d(told, self._told(texts, seeds, hashes))
            times = held + numpy.bincount((told >> U64(32)).astype(numpy.int64), minlength=len(held))
            if (times > _COMMON).sum() > common:  # at once, so that few rows are held against a template
                common = int((times > _COMMON).sum())
                self._use(runs[numpy.repeat(times <= _COMMON, counts)])

    def _seed(self) -> Array:
        """A number for the seed of each row; rows that ask the same count as of one."""
        seeds, asked = (numpy.concatenate([*one, numpy.empty(0, U64)]) for one in (self._seeds, self._asked))
        _, first, same = numpy.unique(asked, return_index=True, return_inverse=True)
        return numpy.unique(seeds[first][same], return_inverse=True)[1].astype(U64)

    def _few(self, runs: Array, begins: Array) -> Array:
        """Of each run as many rows as are looked at, those of the highest ranks."""
        order = numpy.lexsort((-self._rank[(runs & _WHOSE).astype(numpy.int64)], runs >> _OWNER))
        place = numpy.arange(len(runs)) - numpy.repeat(begins, numpy.diff(begins, append=len(runs)))
        return numpy.sort(runs[order[place < _MOST_ROWS]])

    def _use(self, runs: Array) -> None:
        self._runs, self._bits = runs, _bits(runs >> _SLOT)

    def _told(self, texts: Tokens, seeds: Array, hashes: Array) -> Array:
        """Which of the hashes stand in rows of which seeds, where these do not repeat a held-out row nearly whole."""
        runs = shingle(texts, RUN)
        row = _texts(runs) // 2
        at = numpy.searchsorted(hashes, runs.hashes & ~_WHOSE)
        there = numpy.flatnonzero(hashes.take(at, mode="clip") == runs.hashes & ~_WHOSE) if len(hashes) else at[:0]
        below = numpy.full(len(seeds), -1)
        repeats = {one.row for one in self.covered(texts, below, _NEARLY)}
        there = there[~numpy.isin(row[there], list(repeats))]
        return numpy.unique(at[there].astype(U64) << U64(32) | seeds[row[there]] & _LOW)

    def covered(self, texts: Tokens, ranks: Array, least: float = COVERED) -> Iterator[Covering]:
        """The rows of a block that repeat more than so much of what a row of a higher rank asks; one such of each."""
        runs = shingle(texts, RUN)
        slots = runs.hashes >> _SLOT
        maybe = numpy.flatnonzero(self._bits[slots >> U64(3)] >> (slots & U64(7)).astype(numpy.uint8) & 1)
        hashes = runs.hashes[maybe]
        left = numpy.searchsorted(self._runs, hashes & ~_WHOSE, "left")
        at, entry = spread(left, numpy.searchsorted(self._runs, hashes | _WHOSE, "right"))
        found = -1
        for row, owner in self._pairs(runs, maybe[at], (self._runs[entry] & _WHOSE).astype(numpy.int64), ranks, least):
            if row != found:
                mine = runs.hashes[runs.ends[2 * row - 1] if row else 0 : runs.ends[2 * row + 1]]
                share = self._share(mine, owner)
                if share > least:
                    found = row
                    yield Covering(row, owner, share)

    def _pairs(self, runs: Tokens, at: Array, owner: Array, ranks: Array, least: float) -> list[tuple[int, int]]:
        """Rows and owners of a higher rank that share runs which may hold enough words: one each, seven a stretch."""
        row = numpy.searchsorted(runs.ends, at, "right") // 2
        placed = at << 24 | owner
        goes_on = numpy.isin(placed - (1 << 24), placed) & ~numpy.isin(at, runs.starts)
        higher = self._rank[owner] > ranks[row]
        pairs, place = numpy.unique(row[higher] << 32 | owner[higher], return_inverse=True)
        words = numpy.bincount(place, numpy.where(goes_on, 1, RUN)[higher], len(pairs))
        enough = pairs[words > least * self._length[pairs & 0xFFFFFFFF]]
        return [(pair >> 32, pair & 0xFFFFFFFF) for pair in enough.tolist()]

    def _share(self, runs: Array, owner: int) -> float:
        """Which share of the words of what a row asks stands in shared runs."""
        tokens = hashed([self._asked_by(owner)])
        length = len(tokens.hashes)
        own = shingle(tokens, RUN).hashes
        known = _packed(own, numpy.full(len(own), owner))
        at = numpy.minimum(numpy.searchsorted(self._runs, known), len(self._runs) - 1)
        shared = numpy.flatnonzero(numpy.isin(own, runs) & (self._runs[at] == known))
        words = numpy.unique(shared[:, None] + numpy.arange(min(RUN, length)))
        return len(words) / length


def spread(left: Array, right: Array) -> tuple[Array, Array]:
    """Every number from each left to each right, and which of them it is from."""
    counts = right - left
    at = numpy.repeat(numpy.arange(len(counts)), counts)
    return at, numpy.repeat(left - (numpy.cumsum(counts) - counts), counts) + numpy.arange(len(at))


def _texts(runs: Tokens) -> Array:
    """Which text each run is from."""
    return numpy.repeat(numpy.arange(len(runs.ends)), numpy.diff(runs.ends, prepend=0))


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
