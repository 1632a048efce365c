"""Duplicates of a dataset, within it and against earlier ones: exact, then near by MinHash, then close by embedding.

    dedup = Deduplicator()                     or Deduplicator(Path("all.dedup")): kept and extended
    dedup.earlier(read_rows(old), "old")       optional: they stay
    dedup.add(row) …                           the dataset's rows, in any order
    found = dedup.resolve()                    found.kept[n]: whether row n stays; found.twins(): who went and why

**What is compared**: the prompt without its context, and the response; never the system message. Two records are near
twins when the words of both, three at a time, overlap by `similarity` (Jaccard), and their responses by half; when the
contexts that they show overlap as much; and when neither's short key differs from the other's. So the questions that
one passage gives are not twins, nor is a question whose refined passage turns its answer round.

**Who stays**: what is there from earlier; then an accepted record before one that is not, the original before its
refinements (`depth`), the smaller id. It depends on the records alone, not on their order.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy

from agentinstruct.dataset.dedup_close import Embed, close_pairs, keep_vectors
from agentinstruct.dataset.dedup_index import DedupIndex, Removed, Sketches
from agentinstruct.dataset.dedup_pairs import candidates, choose, places, same, unpacked
from agentinstruct.dataset.dedup_rows import Compared, Known, On, block, columns, compared, same_context, similarity
from agentinstruct.dataset.rows import Row
from agentinstruct.dataset.shingles import BANDS, U64, Array

Stats = dict[str, Any]

CLOSE = 0.95
"""Cosine from which two records mean the same, with all-MiniLM-L6-v2, where their specifics agree, too."""
_ROWS = 2048
_PASSES = 8


@dataclass(frozen=True, slots=True)
class Twin:
    """A record that is not kept, and the one that is kept in its place."""

    id: str
    twin: str
    dataset: str
    """Where the twin is: empty in the dataset itself, else the name of the earlier one."""
    method: str
    similarity: float
    """To the record for which it went; where that one went too, `twin` is the one that is kept for both."""


@dataclass(slots=True)
class Duplicates:
    """What was found."""

    kept: Array
    """For each row that was added, in order, whether it stays."""
    stats: Stats
    _index: DedupIndex
    _numbers: Array

    def twins(self) -> Iterator[Twin]:
        """Every row that was added and does not stay, in the order of the rows."""
        gone = {one.number: one for one in self._index.removed()}
        for number in self._numbers.tolist():
            if one := gone.get(number):
                name, own = self._index.named(number)
                stays = one.twin
                while stays in gone:  # a later pass took the twin away, too
                    stays = gone[stays].twin
                twin, dataset = self._index.named(stays)
                yield Twin(name, twin, "" if dataset == own else dataset, one.method, round(one.similarity, 3))


class Deduplicator:
    """Takes rows and finds those that say what another says already. One thread at a time; close it, or use `with`."""

    def __init__(
        self, index: Path | None = None, *, name: str = "", similarity: float = 0.8, on: On = "record"
    ) -> None:
        """`index` is a file that is kept and extended; without one, a temporary file serves.

        `name` is the dataset's in that file: rows that it has from there already are known, and no duplicates.
        """
        self._index = DedupIndex(index, on)
        self._similarity, self._on = similarity, on
        self._waiting: list[Compared] = []
        self._numbers: list[Array] = []
        self._name = name
        self._begin(name)
        self.pairs = 0
        """Pairs of records that were compared in full."""

    def _begin(self, name: str) -> None:
        self._numbers.clear()
        self._source = self._index.source(name)
        self._known = Known(self._index, self._source)

    def earlier(self, rows: Iterable[Row], name: str) -> None:
        """Add the rows of an earlier dataset: none of them goes. To be called before `add`."""
        self._begin(name)
        for row in rows:
            self.add(row)
        self._flush()
        self._index.settled = self._index.size
        self._begin(self._name)

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row of the dataset."""
        self._waiting.append(compared(row, self._on))
        if len(self._waiting) >= _ROWS:
            self._flush()

    def resolve(self) -> Duplicates:
        """Find the twins among the rows added, and against those from earlier, and keep them in the index."""
        self._flush()
        place = self._places()
        for gone in chain([self._exact(place)], self._near(place)):
            self._index.remove(gone)
        return self._found()

    def means_alike(self, rows: Iterable[Row], embed: Embed, least: float = CLOSE) -> Duplicates:
        """After `resolve`: find the twins by meaning. `rows` are those that `resolve` kept, in the same order.

        Their cosine is at least `least`; keys and contexts must agree as they must for near twins.
        """
        numbers = self._own()
        keep_vectors(self._index, numbers[self._index.alive()[numbers]].tolist(), rows, embed)
        place = self._places()
        pairs, cosine = close_pairs(self._index, place, least)
        number_at = numpy.argsort(place)
        agree = self._compare(pairs, number_at, self._index.column("key"), by_words=False) > 0
        gone = [
            Removed(int(number_at[one]), int(number_at[other]), "embedding", value)
            for one, other, value in choose(pairs[agree], cosine[agree])
        ]
        self._index.remove(gone)
        return self._found()

    def _found(self) -> Duplicates:
        numbers = self._own()
        kept = self._index.alive()[numbers]
        gone = set(numbers[~kept].tolist())
        ways = Counter(one.method for one in self._index.removed() if one.number in gone)
        stats = {
            "records": len(numbers),
            "kept": int(kept.sum()),
            "removed": dict(sorted(ways.items())),
            "earlier": self._index.settled,
            "similarity": self._similarity,
            "on": self._on,
            "pairs_compared": self.pairs,
        }
        self._index.commit()
        return Duplicates(kept, stats, self._index, numbers)

    def _places(self) -> Array:
        return places(self._index.column("rank"), self._index.column("name"), self._index.settled)

    def _own(self) -> Array:
        """The number of each row that was added."""
        return numpy.concatenate([*self._numbers, numpy.empty(0, numpy.int64)])

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        hashes = columns(waiting)
        numbers = self._known.numbers(hashes["exact"], hashes["name"])
        new = numbers < 0
        numbers[new] = self._index.size + numpy.arange(int(new.sum()))
        self._numbers.append(numbers)
        if new.any():
            fresh = [one for one, is_new in zip(waiting, new.tolist(), strict=True) if is_new]
            held = block(fresh, {name: column[new] for name, column in hashes.items()})
            self._index.add(held, self._source)

    def _exact(self, place: Array) -> list[Removed]:
        alive = numpy.flatnonzero(self._index.alive())
        worse, better = same(self._index.column("exact")[alive], place[alive])
        new = alive[worse] >= self._index.settled
        pairs = zip(alive[worse[new]].tolist(), alive[better[new]].tolist(), strict=True)
        return [Removed(number, twin, "exact", 1.0) for number, twin in pairs]

    def _near(self, place: Array) -> Iterator[list[Removed]]:
        """Passes over who is left, until one finds nothing: each makes the buckets of like ones smaller."""
        number_at = numpy.argsort(place)
        keys = self._index.column("key")
        tested = numpy.empty(0, U64)
        for _ in range(_PASSES):
            pairs = numpy.setdiff1d(self._pairs(place), tested)
            tested = numpy.union1d(tested, pairs)
            similarity = self._compare(pairs, number_at, keys)
            found = similarity >= self._similarity
            gone = choose(pairs[found], similarity[found])
            if not gone:
                return
            yield [Removed(int(number_at[one]), int(number_at[other]), "minhash", value) for one, other, value in gone]

    def _pairs(self, place: Array) -> Array:
        alive = self._index.alive()
        found = numpy.empty(0, U64)
        for number in range(BANDS):
            keys = self._index.band(number)[alive]
            found = numpy.union1d(found, candidates(keys, place[alive], self._index.settled))
        return found

    def _compare(self, pairs: Array, number_at: Array, keys: Array, *, by_words: bool = True) -> Array:
        """The similarity of each pair, 0 where something else tells the two apart."""
        out = numpy.zeros(len(pairs))
        better, worse = (number_at[one] for one in unpacked(pairs))
        first, second = keys[better], keys[worse]
        comparable = numpy.flatnonzero((first == second) | (first == 0) | (second == 0)).tolist()
        last: tuple[int, Sketches] = (-1, Sketches(b"", b"", b""))
        for at in comparable:
            if last[0] != better[at]:
                last = int(better[at]), self._index.sketches(int(better[at]))
            other = self._index.sketches(int(worse[at]))
            if same_context(last[1], other, self._similarity):
                out[at] = similarity(last[1], other, self._on) if by_words else 1.0
        self.pairs += len(comparable)
        return out


def deduplicate(rows: Iterable[Row], *, similarity: float = 0.8, on: On = "record") -> tuple[list[Row], list[Twin]]:
    """The rows without their duplicates, and what went: for as many as fit in memory."""
    held = list(rows)
    with Deduplicator(similarity=similarity, on=on) as dedup:
        for row in held:
            dedup.add(row)
        found = dedup.resolve()
        return [row for row, stays in zip(held, found.kept, strict=True) if stays], list(found.twins())
