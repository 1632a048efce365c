"""A figure with what it rests on: its value, a 95 % interval where it is an estimate, and how many observations.

What one seed gives is alike: it is easy or hard, long or short, as a whole. So intervals over drafts and records are
those of drawing other *seeds* (`BySeed`): as wide as what seeds give differs. Where no seed is behind the
observations, each stands for itself. Nothing is drawn at random, so the same run gives the same figures.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from zlib import crc32

if TYPE_CHECKING:
    from numpy import ndarray

    Matrix = ndarray[Any, Any]

_Z = 1.959964
_FEWEST = 3
"""Seeds that an interval of a mean needs: how two differ says next to nothing of others."""
_GROUPS = 512
"""Sums that are kept, whatever the number of seeds."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number; `low` and `high` bound its 95 % interval, `of` counts what it was worked out from."""

    value: float | None
    low: float | None = None
    high: float | None = None
    of: int = 0


NONE = Figure(None)


class BySeed:
    """Pairs (over, under) summed up by seed, for the ratio of their sums and its interval.

    Each of a few hundred sums holds whole seeds, by a hash of their ids, so they vary as seeds do and memory stays what
    it is (random groups). Few seeds give a wide interval, by Student's distribution; under three give none.
    """

    __slots__ = ("_over", "_signed", "_under", "count")

    def __init__(self) -> None:
        self.count = 0
        """Pairs that were added."""
        self._over, self._under = array("d", bytes(8 * _GROUPS)), array("d", bytes(8 * _GROUPS))
        self._signed = False

    def add(self, seed: str, over: float, under: float = 1.0) -> None:
        """One observation of a seed."""
        at = crc32(seed.encode()) % _GROUPS
        self._over[at] += over
        self._under[at] += under
        self._signed |= over < 0
        self.count += 1

    def __iadd__(self, other: Self) -> Self:
        for at in range(_GROUPS):
            self._over[at] += other._over[at]
            self._under[at] += other._under[at]
        self._signed |= other._signed
        self.count += other.count
        return self

    @property
    def under(self) -> float:
        """What all observations come to below the line."""
        return sum(self._under)

    def share(self) -> Figure:
        """The ratio where `over` counts some of `under`: Wilson's interval of as many drafts as these are worth."""
        value, error, groups = self._ratio()
        if value is None:
            return NONE
        of, certain = self.under, value in (0.0, 1.0) or error is None
        if certain:  # nothing shows how alike a seed's drafts are: as if each seed had one
            return Figure(value, *_wilson(value, min(groups, of), _Z), int(of))
        worth = min(of, value * (1 - value) / error**2) if error else of
        return Figure(value, *_wilson(value, worth, _student(groups)), int(of))

    def ratio(self) -> Figure:
        """The ratio of any sums, such as a mean of numbers."""
        value, error, groups = self._ratio()
        if value is None or error is None or groups < _FEWEST:
            return Figure(value, of=self.count)
        half = _student(groups) * error
        low = value - half
        return Figure(value, low if self._signed else max(0.0, low), value + half, self.count)

    def _ratio(self) -> tuple[float | None, float | None, int]:
        """The ratio, its standard error where there are several seeds, and over how many groups it was found."""
        held = [(over, under) for over, under in zip(self._over, self._under, strict=True) if over or under]
        below = sum(under for _, under in held)
        if not below:
            return None, None, len(held)
        value = sum(over for over, _ in held) / below
        if len(held) < 2:
            return value, None, len(held)
        squares = sum((over - value * under) ** 2 for over, under in held)
        return value, math.sqrt(squares * len(held) / (len(held) - 1)) / below, len(held)


def share(hits: float, of: int) -> Figure:
    """A proportion with Wilson's interval; `of` counts what is independent."""
    return Figure(hits / of, *_wilson(hits / of, of, _Z), of) if of else NONE


def _wilson(p: float, of: float, z: float) -> tuple[float, float]:
    spread = z * z / of
    middle = (p + spread / 2) / (1 + spread)
    half = z * math.sqrt(p * (1 - p) / of + spread / (4 * of)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _student(groups: int) -> float:
    """Beyond how many standard errors 5 % lie, with so many groups (Cornish and Fisher's expansion)."""
    n, z = groups - 1.0, _Z
    terms = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + sum(term / n**power for power, term in enumerate(terms, 1))


def mean(values: Sequence[float], seeds: Sequence[str] = (), weights: Sequence[float] = ()) -> Figure:
    """A mean, over values of these seeds; without seeds each value is independent of the others."""
    found = BySeed()
    every = range(len(values))
    for value, seed, weight in zip(values, seeds or map(str, every), weights or [1.0 for _ in every], strict=True):
        found.add(seed, weight * value, weight)
    return found.ratio()


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
