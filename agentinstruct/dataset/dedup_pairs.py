"""Which records may be twins, and which of them goes: arrays in, arrays out.

places       the order of preference: lower is kept
band ─ candidates ─→ pairs of places     pairs that are alike ─ choose ─→ who goes, with the twin that stays
"""

from collections.abc import Iterable

import numpy

from agentinstruct.dataset.shingles import U64, Array

WINDOW = 16
"""In a bucket of more, each is compared with so many of those that follow it, and with the best ones."""
_BEST = 4
_LOW = U64(0xFFFFFFFF)


def places(rank: Array, name: Array, settled: int) -> Array:
    """For each record its place in the order of preference: those from earlier first, then by rank."""
    new = numpy.arange(len(rank)) >= settled
    order = numpy.lexsort((numpy.arange(len(rank)), name, rank, new))
    out = numpy.empty(len(rank), U64)
    out[order] = numpy.arange(len(rank), dtype=U64)
    return out


def same(keys: Array, place: Array) -> tuple[Array, Array]:
    """Of records with equal keys, all but the best: their positions, and that of the best for each."""
    order = numpy.lexsort((place, keys))
    begins = _begins(keys[order])
    at = numpy.arange(len(order))
    later = begins != at
    return order[at[later]], order[begins[later]]


def _begins(ordered: Array) -> Array:
    """For each position of a sorted array, where its run of equal values begins."""
    new = numpy.ones(len(ordered), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return numpy.maximum.accumulate(numpy.where(new, numpy.arange(len(ordered)), 0))


def candidates(keys: Array, place: Array, settled: int) -> Array:
    """Pairs of places, the better one in the upper half of each number, of records that share a key.

    `settled`: pairs of places that both lie below it are left out.
    """
    order = numpy.lexsort((place, keys))
    ordered, ranked = keys[order], place[order]
    found = []
    for step in range(1, WINDOW + 1):
        equal = ordered[step:] == ordered[:-step]
        if not equal.any():
            break
        found.append(_packed(ranked[:-step][equal], ranked[step:][equal]))
    else:
        found += _with_the_best(ordered, ranked)
    pairs = numpy.concatenate(found) if found else numpy.empty(0, U64)
    return pairs[(pairs & _LOW) >= settled]


def _with_the_best(ordered: Array, ranked: Array) -> Iterable[Array]:
    begins, at = _begins(ordered), numpy.arange(len(ordered))
    for best in range(_BEST):
        far = at - begins > WINDOW + best
        yield _packed(ranked[begins[far] + best], ranked[at[far]])


def _packed(better: Array, worse: Array) -> Array:
    return (better << U64(32)) | worse


def unpacked(pairs: Array) -> tuple[Array, Array]:
    """The better and the worse place of each pair."""
    return (pairs >> U64(32)).astype(numpy.int64), (pairs & _LOW).astype(numpy.int64)


def choose(pairs: Array, similarity: Array) -> list[tuple[int, int, float]]:
    """Who goes (place, place of the twin that stays, similarity), so that no two that stay are alike.

    In order of preference a record stays unless one like it stays already: no chain of likenesses takes away a record
    that is like none that is left.
    """
    better, worse = unpacked(pairs)
    order = numpy.lexsort((better, -similarity, worse))
    gone: dict[int, tuple[int, int, float]] = {}
    for at in order.tolist():
        one, other = int(worse[at]), int(better[at])
        if one not in gone and other not in gone:
            gone[one] = (one, other, float(similarity[at]))
    return list(gone.values())
