"""A figure with what it rests on: its value, a 95 % interval where it is an estimate, and how many observations.

Intervals of shares are Wilson's; those of means, and of ratios of counts, are bootstrapped over the things that were
drawn (records, drafts), with a fixed seed, so that the same run gives the same figures.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import ndarray

    Matrix = ndarray[Any, Any]

_Z = 1.959964
_DRAWS = 400
_BLOCK = 1 << 22
"""Most numbers that a bootstrap holds at once."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number; `low` and `high` bound its 95 % interval, `of` counts what it was worked out from."""

    value: float | None
    low: float | None = None
    high: float | None = None
    of: int = 0


NONE = Figure(None)


def share(hits: float, of: int) -> Figure:
    """A proportion with Wilson's interval; `of` counts what is independent."""
    if not of:
        return NONE
    p, spread = hits / of, _Z * _Z / of
    middle = (p + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(p * (1 - p) / of + spread / (4 * of)) / (1 + spread)
    return Figure(p, max(0.0, middle - half), min(1.0, middle + half), of)


def mean(values: Sequence[float]) -> Figure:
    """A mean over independent values."""
    import numpy

    if not values:
        return NONE
    given = numpy.asarray(values, float)
    if len(given) < 2:
        return Figure(float(given[0]), None, None, 1)
    random, found = numpy.random.default_rng(0), list[float]()
    at_once = max(1, min(_DRAWS, _BLOCK // len(given)))
    while len(found) < _DRAWS:
        found += given[random.integers(0, len(given), (at_once, len(given)))].mean(1).tolist()
    low, high = numpy.quantile(found, [0.025, 0.975])
    return Figure(float(given.mean()), float(low), float(high), len(given))


def tallied(counts: Mapping[tuple[int, int], int]) -> Figure:
    """The ratio of sums of pairs (over, under), each of which occurred so often."""
    import numpy

    pairs, weights = list(counts), numpy.array(list(counts.values()), float)
    total = int(weights.sum()) if pairs else 0
    if not total or not sum(under * n for (_, under), n in counts.items()):
        return NONE
    tops, bottoms = numpy.array(pairs, float).T
    value = float(tops @ weights / (bottoms @ weights))
    drawn = numpy.random.default_rng(0).multinomial(total, weights / total, _DRAWS)
    below = drawn @ bottoms
    low, high = numpy.quantile((drawn @ tops)[below > 0] / below[below > 0], [0.025, 0.975])
    return Figure(value, float(low), float(high), total)


def chi_square_tail(statistic: float, freedom: int) -> float:
    """The chance of a chi-square at least as large, with so many (whole) degrees of freedom."""
    if freedom < 1:
        return 1.0
    half, odd = statistic / 2, freedom % 2
    term = math.sqrt(half) / math.gamma(1.5) if odd else 1.0
    total = 0.0
    for step in range((freedom - odd) // 2):
        total += term
        term *= half / (step + 1.5 if odd else step + 1)
    return min(1.0, math.exp(-half) * total + (math.erfc(math.sqrt(half)) if odd else 0.0))
