"""Runs of words that two sets of texts share: the benchmark's are held, the dataset's go by in blocks."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy

from agentinstruct.dataset.shingles import Array, hashed, shingle


class Shared(NamedTuple):
    """A text that shares runs of words with one of those held."""

    text: int
    """Its number in the block."""
    held: int
    """The number of the text held."""
    coverage: float
    """Which share of the words of the text held stand in the shared runs."""


class Ngrams:
    """The runs of `size` words of the texts held; a shorter text is one run, shared by a text of just its words."""

    def __init__(self, texts: Sequence[str], size: int, *, least: int, most_common: int = 0) -> None:
        """Not looked for: texts of fewer than `least` words, runs in more than `most_common` texts (0: no limit)."""
        tokens = hashed(texts)
        self._size = size
        self._lengths = tokens.ends - tokens.starts
        runs = shingle(tokens, size)
        counts = numpy.diff(runs.ends, prepend=0)
        owner = numpy.repeat(numpy.arange(len(counts)), counts)
        position = numpy.arange(len(owner)) - numpy.repeat(runs.starts, counts)
        wanted = self._lengths[owner] >= least
        if most_common:
            wanted &= _rare(runs.hashes, owner, most_common)
        order = numpy.argsort(runs.hashes[wanted], kind="stable")
        self._runs, self._owner, self._position = (column[wanted][order] for column in (runs.hashes, owner, position))

    def shared(self, texts: Sequence[str]) -> Iterator[Shared]:
        """The texts that share a run with one of those held, and how much of it they have."""
        runs = shingle(hashed(texts), self._size)
        left = numpy.searchsorted(self._runs, runs.hashes, "left")
        right = numpy.searchsorted(self._runs, runs.hashes, "right")
        met = numpy.flatnonzero(right > left)
        found: dict[tuple[int, int], set[int]] = defaultdict(set)
        owners = numpy.searchsorted(runs.ends, met, "right")
        for text, at in zip(owners.tolist(), met.tolist(), strict=True):
            for place in range(left[at], right[at]):
                found[text, int(self._owner[place])].add(int(self._position[place]))
        for (text, held), positions in found.items():
            yield Shared(text, held, self._coverage(held, positions))

    def _coverage(self, held: int, positions: set[int]) -> float:
        length = int(self._lengths[held])
        words = {word for start in positions for word in range(start, min(start + self._size, length))}
        return len(words) / length


def _rare(runs: Array, owner: Array, most: int) -> Array:
    """Which runs stand in at most so many texts."""
    pairs = numpy.unique(numpy.stack([runs, owner.astype(runs.dtype)]), axis=1)
    texts = Counter(pairs[0].tolist())
    return numpy.array([texts[run] <= most for run in runs.tolist()], bool)
