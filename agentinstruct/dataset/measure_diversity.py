"""How unlike each other the instructions of a skill are, on a sample of them.

vectors (tools/embeddings) ─ similarity of all pairs ─ mean · nearest neighbour · Vendi score · a map in the plane

The Vendi score is the exponential of the entropy of the similarity matrix's eigenvalues: how many wholly different
texts would be as diverse as these. It grows with the sample, so the share of the sample is given beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentinstruct.dataset.measure_figures import NONE, Figure, mean, share
from agentinstruct.dataset.measure_text import Slim, distinct

if TYPE_CHECKING:
    from numpy import ndarray

    Matrix = ndarray[Any, Any]

NEAR = 0.95
"""Cosine from which two texts count as nearly the same."""
GRAMS = (1, 2, 3)
_TURNS = 60
"""Steps of the power iteration: only two directions are wanted of hundreds."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of one group of sampled instructions."""

    sampled: int
    vendi: Figure
    """`value` counts texts; `of` is the sample. No interval: it is a property of the sample."""
    similarity: Figure
    """Mean cosine of two different texts."""
    near: Figure
    """The share of texts whose nearest neighbour is nearly the same."""
    far: Figure
    """The same among texts of other seeds alone: near-duplicates that no refinement of one item explains."""
    nearest: tuple[float, ...]
    """Each text's cosine with its nearest neighbour."""
    distinct: tuple[tuple[int, float, int], ...]
    """For n = 1, 2, 3: the share of different n-grams, and over how many words."""


def diversity(texts: Sequence[Slim], vectors: "Matrix") -> Diversity:
    """The diversity of texts given with their unit vectors, one row each."""
    count = len(texts)
    grams = [(n, distinct([one.asked for one in texts], n)) for n in GRAMS]
    found = tuple((n, *shares) for n, shares in grams if shares)
    if count < 2:
        return Diversity(count, NONE, NONE, NONE, NONE, (), found)
    cosines = (vectors @ vectors.T).clip(-1.0, 1.0)
    total = float(cosines.sum() - cosines.trace()) / (count * (count - 1))
    rows = (cosines.sum(1) - cosines.diagonal()) / (count - 1)
    around = mean(rows.tolist(), [one.seed for one in texts])
    nearest = tuple(round(float(one), 4) for one in _nearest(cosines, [one.id for one in texts]))
    others = _nearest(cosines, [one.seed for one in texts])
    return Diversity(
        count,
        Figure(vendi(vectors), of=count),
        _of_pairs(around, total, count),
        share(sum(one >= NEAR for one in nearest), count),
        share(int((others >= NEAR).sum()), count) if len({one.seed for one in texts}) > 1 else NONE,
        nearest,
        found,
    )


def _of_pairs(around: Figure, total: float, count: int) -> Figure:
    """A mean over pairs: each text is in a row of its own and in all others, so it varies twice as far as rows do."""
    if around.low is None or around.high is None:  # one seed
        return Figure(total, of=count)
    return Figure(total, max(-1.0, 2 * around.low - total), min(1.0, 2 * around.high - total), count)


def vendi(vectors: "Matrix") -> float:
    """The Vendi score of texts by their unit vectors, one row each: so many that share nothing are as diverse."""
    import numpy

    rows = numpy.asarray(vectors, dtype=numpy.float64)
    # Of texts by texts and of dimensions by dimensions, the eigenvalues that are not 0 are the same.
    least = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
    values = numpy.linalg.eigvalsh(least / len(rows))
    values = values[values > 1e-12]
    return float(numpy.exp(-(values * numpy.log(values)).sum()))


def plane(vectors: "Matrix") -> "Matrix":
    """The vectors on their two main directions, each scaled to 0 … 1; the same vectors give the same map."""
    import numpy

    if len(vectors) < 3:
        return numpy.full((len(vectors), 2), 0.5)
    centred = vectors - vectors.mean(0)
    axes: Matrix = numpy.random.default_rng(0).normal(size=(vectors.shape[1], 2))
    for _ in range(_TURNS):
        axes = numpy.linalg.qr(centred.T @ (centred @ axes))[0]
    axes = axes * numpy.sign(axes[numpy.abs(axes).argmax(0), [0, 1]])
    flat = centred @ axes
    low, high = numpy.quantile(flat, [0.005, 0.995], axis=0)
    scaled: Matrix = ((flat - low) / numpy.maximum(high - low, 1e-9)).clip(0.0, 1.0)
    return scaled


def _nearest(cosines: "Matrix", groups: Sequence[str]) -> "Matrix":
    """For each text the greatest cosine with one of another group; −1 where there is none."""
    import numpy

    _, numbers = numpy.unique(numpy.asarray(groups, dtype=object).astype(str), return_inverse=True)
    others: Matrix = numpy.where(numbers[:, None] == numbers[None, :], -1.0, cosines).max(1)
    return others
