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
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Self

import numpy

from agentinstruct.dataset.dedup_close import Embed, close_pairs, keep_vectors
from agentinstruct.dataset.dedup_index import Block, DedupIndex
from agentinstruct.dataset.dedup_near import Twins
from agentinstruct.dataset.dedup_pairs import preferred
from agentinstruct.dataset.dedup_rows import Known, On, block
from agentinstruct.dataset.hands import Hands, here
from agentinstruct.dataset.rows import Row, blocks
from agentinstruct.dataset.shingles import Array

Stats = dict[str, Any]

CLOSE = 0.95
"""Cosine from which two records mean the same, with all-MiniLM-L6-v2, where their specifics agree, too."""
_ROWS = 2048


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
        alive = self._index.alive()
        for number in self._numbers[~alive[self._numbers]].tolist():
            one = self._index.removed(number)
            name, own = self._index.named(number)
            stays = one.twin
            while not alive[stays]:  # a later pass took the twin away, too
                stays = self._index.removed(stays).twin
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
        self._waiting: list[Mapping[str, Any]] = []
        self._numbers: list[Array] = []
        self._name = name
        self._begin(name)
        self._pairs = 0

    def _begin(self, name: str) -> None:
        self._numbers.clear()
        self._source = self._index.source(name)
        self._known = Known(self._index, self._source)

    @property
    def known(self) -> Array:
        """What `block` need not sketch: the index has it."""
        return self._known.both

    def earlier(self, rows: Iterable[Row], name: str, hands: Hands = here) -> None:
        """Add the rows of an earlier dataset: none of them goes. To be called before `add`."""
        self._begin(name)
        for held in hands(partial(block, on=self._on, known=self.known), blocks(rows, _ROWS)):
            self.take(held)
        self._index.settled = self._index.size
        self._begin(self._name)

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row of the dataset."""
        self._waiting.append(row)
        if len(self._waiting) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.take(block(waiting, self._on, self.known))

    def take(self, held: Block) -> None:
        """Add rows that are prepared already, by whomever."""
        numbers = self._known.numbers(held.columns)
        new = numbers < 0
        numbers[new] = self._index.size + numpy.arange(int(new.sum()))
        self._numbers.append(numbers)
        if new.any():
            self._index.add(self._known.filled(held.only(new)), self._source)

    def resolve(self) -> Duplicates:
        """Find the twins among the rows added, and against those from earlier, and keep them in the index."""
        self._flush()
        twins = self._twins()
        for gone in chain([twins.exact()], twins.near()):
            self._index.remove(gone)
        return self._found(twins)

    def means_alike(self, rows: Iterable[Row], embed: Embed, least: float = CLOSE, *, embedder: str = "") -> Duplicates:
        """After `resolve`: find the twins by meaning. `rows` are those that `resolve` kept, in the same order.

        Their cosine is at least `least`; keys and contexts must agree as they must for near twins. Here all is done by
        one process, whose memory holds every vector. An index keeps the embedder's name, and is of use for no other.
        """
        numbers = self._own()
        keep_vectors(self._index, numbers[self._index.alive()[numbers]].tolist(), rows, embed, embedder)
        twins = self._twins()
        self._index.remove(list(twins.close(*close_pairs(self._index, twins.order.place, least))))
        return self._found(twins)

    def _twins(self) -> Twins:
        index = self._index
        order = preferred(index.column("rank"), lambda: index.column("name"), index.settled)
        return Twins(index, order, self._similarity, self._on)

    def _found(self, twins: Twins) -> Duplicates:
        self._pairs += twins.compared
        numbers = self._own()
        kept = self._index.alive()[numbers]
        own = numpy.zeros(self._index.size, bool)
        own[numbers] = True
        ways = Counter(method for number, method in self._index.ways() if own[number])
        stats = {
            "records": len(numbers),
            "kept": int(kept.sum()),
            "removed": dict(sorted(ways.items())),
            "earlier": self._index.settled,
            "similarity": self._similarity,
            "on": self._on,
            "pairs_compared": self._pairs,
        }
        self._index.commit()
        return Duplicates(kept, stats, self._index, numbers)

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


def deduplicate(rows: Iterable[Row], *, similarity: float = 0.8, on: On = "record") -> tuple[list[Row], list[Twin]]:
    """The rows without their duplicates, and what went: for as many as fit in memory."""
    held = list(rows)
    with Deduplicator(similarity=similarity, on=on) as dedup:
        for row in held:
            dedup.add(row)
        found = dedup.resolve()
        return [row for row, stays in zip(held, found.kept, strict=True) if stays], list(found.twins())
