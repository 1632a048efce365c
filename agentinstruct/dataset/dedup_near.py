"""Near twins among any number of records: what is not needed at once waits on disk, in parts that fit in memory.

    each band, a part of its keys at a time ─ candidates ─→ pairs by better place ─ compare ─→ alike ones by worse place
                      ↑                                                                              │
                      └────── until a pass finds nothing: buckets of like ones grow smaller ──── choose: who goes

Memory holds some bytes a record (its place in the order of preference, its key) and one part of the rest.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy

from agentinstruct.dataset.dedup_index import DedupIndex, Removed, Sketches
from agentinstruct.dataset.dedup_pairs import Order, candidates, choose, same, unpacked
from agentinstruct.dataset.dedup_rows import On, same_context, similarity
from agentinstruct.dataset.shingles import BANDS, U64, Array

KEYS = 1 << 21
"""Keys of a band that are sorted at once."""
PLACES = 1 << 18
"""Places whose pairs are in memory at once."""
_PASSES = 8
_ALIKE = numpy.dtype([("pair", U64), ("similarity", numpy.float64)])


class Spool:
    """Arrays on disk, in parts by place."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name

    def add(self, place: Array, rows: Array) -> None:
        """Add rows, each to the part of its place."""
        part = place // PLACES
        order = numpy.argsort(part, kind="stable")
        for at in numpy.split(order, numpy.flatnonzero(numpy.diff(part[order])) + 1):
            if len(at):
                with self._path(int(part[at[0]])).open("ab") as file:
                    rows[at].tofile(file)

    def take(self, part: int, dtype: numpy.dtype[Any] | type) -> Array:
        """What a part holds, which it then holds no more."""
        path = self._path(part)
        if not path.exists():
            return numpy.empty(0, dtype)
        rows = numpy.fromfile(path, dtype)
        path.unlink()
        return rows

    def _path(self, part: int) -> Path:
        return self._folder / f"{self._name}{part}"


class Twins:
    """Finds who goes, among the records of an index that are in the dataset."""

    def __init__(self, index: DedupIndex, order: Order, least: float, on: On) -> None:
        self._index, self.order, self._least, self._on = index, order, least, on
        self._keys = index.column("key")
        self.compared = 0
        """Pairs of records that were compared in full."""

    def exact(self) -> Iterator[Removed]:
        """Those that are another, word for word."""
        gone = self._gone()
        for part in range(self._parts):
            keys, place = self._members(self._index.pieces("exact"), gone, part)
            worse, better = (place[at] for at in same(keys, place))
            new = worse >= self._index.settled
            for one, other in zip(worse[new].tolist(), better[new].tolist(), strict=True):
                yield self._removed(one, other, "exact", 1.0)

    def near(self) -> Iterator[Iterator[Removed]]:
        """Those that are alike, pass by pass over who is left; each is to be used up before the next."""
        gone = self._gone()
        with TemporaryDirectory(prefix="agentinstruct-") as folder:
            pairs, tested, alike = (Spool(Path(folder), name) for name in ("pairs", "tested", "alike"))
            for _ in range(_PASSES):
                for found in self._pairs(gone):
                    pairs.add(unpacked(found)[0], found)
                self._test(pairs, tested, alike)
                before = int(gone.sum())
                yield self._chosen(alike, gone)
                if int(gone.sum()) == before:
                    return

    def _gone(self) -> Array:
        """For each place whether its record is not in the dataset."""
        return ~self._index.alive()[self.order.number]

    @property
    def _parts(self) -> int:
        return -(-self._index.size // KEYS)

    @property
    def _stretches(self) -> range:
        return range(-(-self._index.size // PLACES))

    def _pairs(self, gone: Array) -> Iterator[Array]:
        for band in range(BANDS):
            for part in range(self._parts):
                keys, place = self._members(self._index.band(band), gone, part)
                yield from candidates(keys, place, self._index.settled)

    def _members(self, pieces: Iterable[tuple[int, Array]], gone: Array, part: int) -> tuple[Array, Array]:
        """The keys of a part of all keys, and the places of their records, of those in the dataset."""
        found = [(numpy.empty(0, U64), self.order.place[:0])]
        for first, keys in pieces:
            place = self.order.place[first : first + len(keys)]
            wanted = ~gone[place]
            if self._parts > 1:
                wanted &= keys % U64(self._parts) == part
            found.append((keys[wanted], place[wanted]))
        keys, places = (numpy.concatenate(column) for column in zip(*found, strict=True))
        return keys, places

    def _test(self, pairs: Spool, tested: Spool, alike: Spool) -> None:
        """Compare the pairs that have not been compared before; those that are alike go by their worse places."""
        for part in self._stretches:
            before = tested.take(part, U64)
            new = numpy.setdiff1d(pairs.take(part, U64), before)
            if len(both := numpy.concatenate([before, new])):
                tested.add(unpacked(both)[0], both)
            values = self.compare(new)
            found = values >= self._least
            rows = numpy.empty(int(found.sum()), _ALIKE)
            rows["pair"], rows["similarity"] = new[found], values[found]
            alike.add(unpacked(rows["pair"])[1], rows)

    def _chosen(self, alike: Spool, gone: Array) -> Iterator[Removed]:
        for part in self._stretches:
            rows = alike.take(part, _ALIKE)
            for one, other, value in choose(rows["pair"], rows["similarity"], gone):
                yield self._removed(one, other, "minhash", value)

    def close(self, pairs: Array, cosine: Array) -> Iterator[Removed]:
        """Those of the pairs that mean the same, whose keys and contexts agree."""
        agree = self.compare(pairs, by_words=False) > 0
        for one, other, value in choose(pairs[agree], cosine[agree], numpy.zeros(self._index.size, bool)):
            yield self._removed(one, other, "embedding", value)

    def compare(self, pairs: Array, *, by_words: bool = True) -> Array:
        """The similarity of each pair, 0 where something else tells the two apart."""
        out = numpy.zeros(len(pairs))
        better, worse = (self.order.number[one] for one in unpacked(pairs))
        first, second = self._keys[better], self._keys[worse]
        comparable = numpy.flatnonzero((first == second) | (first == 0) | (second == 0)).tolist()
        last: tuple[int, Sketches] = (-1, Sketches(b"", b"", b""))
        for at in comparable:
            if last[0] != better[at]:
                last = int(better[at]), self._index.sketches(int(better[at]))
            other = self._index.sketches(int(worse[at]))
            if same_context(last[1], other, self._least):
                out[at] = similarity(last[1], other, self._on) if by_words else 1.0
        self.compared += len(comparable)
        return out

    def _removed(self, one: int, other: int, method: str, value: float) -> Removed:
        return Removed(int(self.order.number[one]), int(self.order.number[other]), method, value)
