"""Which records may be twins, and which of them goes: arrays in, arrays out.

preferred    the order of preference: lower is kept
band ─ candidates ─→ pairs of places     pairs that are alike ─ choose ─→ who goes, with the twin that stays
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy

from agentinstruct.dataset.shingles import U32, U64, Array

WINDOW = 16
"""In a bucket of more, each is compared with so many of those that follow it, and with the best ones."""
_BEST = 4
_LOW = U64(0xFFFFFFFF)


class Order(NamedTuple):
    """The order of preference."""

    place: Array
    """Of each record."""
    number: Array
    """Of the record at each place."""


def preferred(rank: Array, names: Callable[[], Array], settled: int) -> Order:
    """The records in order of preference: those from earlier first, then by rank, name, number."""
    sides = [numpy.argsort(rank[at], kind="stable") for at in (slice(settled), slice(settled, None))]
    number = numpy.concatenate([sides[0].astype(U32), (sides[1] + settled).astype(U32)])
    ordered = rank[number]
    same = ordered[1:] == ordered[:-1]
    if 0 < settled < len(rank):
        same[settled - 1] = False
    if same.any():
        _by_name(number, same, names())
    place = numpy.empty(len(rank), U32)
    place[number] = numpy.arange(len(rank), dtype=U32)
    return Order(place, number)


def _by_name(number: Array, same: Array, names: Array) -> None:
    """Order those that are of the same rank."""
    tied = numpy.flatnonzero(numpy.append(same, False) | numpy.append(False, same))
    run = numpy.cumsum(~numpy.append(False, same))[tied]
    those = number[tied]
    number[tied] = those[numpy.lexsort((those, names[those], run))]


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


def candidates(keys: Array, place: Array, settled: int) -> Iterator[Array]:
    """Pairs of places, the better one in the upper half of each number, of records that share a key.

    `settled`: pairs of places that both lie below it are left out.
    """
    for pairs in _neighbours(keys, place):
        yield pairs[(pairs & _LOW) >= settled]


def _neighbours(keys: Array, place: Array) -> Iterator[Array]:
    order = numpy.lexsort((place, keys))
    ordered, ranked = keys[order], place[order].astype(U64)
    for step in range(1, WINDOW + 1):
        equal = ordered[step:] == ordered[:-step]
        if not equal.any():
            return
        yield packed(ranked[:-step][equal], ranked[step:][equal])
    yield from _with_the_best(ordered, ranked)


def _with_the_best(ordered: Array, ranked: Array) -> Iterator[Array]:
    begins, at = _begins(ordered), numpy.arange(len(ordered))
    for best in range(_BEST):
        far = at - begins > WINDOW + best
        yield packed(ranked[begins[far] + best], ranked[at[far]])


def packed(better: Array, worse: Array) -> Array:
    """Pairs of places, each in one number."""
    return (better << U64(32)) | worse


def unpacked(pairs: Array) -> tuple[Array, Array]:
    """The better and the worse place of each pair."""
    return (pairs >> U64(32)).astype(numpy.int64), (pairs & _LOW).astype(numpy.int64)


def choose(pairs: Array, similarity: Array, gone: Array) -> Iterator[tuple[int, int, float]]:
    """Who goes (place, place of the twin that stays, similarity), so that no two that stay are alike.

    In order of preference a record stays unless one like it stays already: no chain of likenesses takes away a record
    that is like none that is left. `gone`, by place, is told of each; pairs may come in parts, by their worse places.
    """
    better, worse = unpacked(pairs)
    order = numpy.lexsort((better, -similarity, worse))
    for at in order.tolist():
        one, other = int(worse[at]), int(better[at])
        if not gone[one] and not gone[other]:
            gone[one] = True
            yield one, other, float(similarity[at])
