"""What came of the arms: figures with intervals, each over the same number of records where it depends on that."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from agentinstruct.dataset.measure import Embed
from agentinstruct.dataset.measure_depth import Families, trait_of
from agentinstruct.dataset.measure_diversity import vendi
from agentinstruct.dataset.measure_figures import NONE, BySeed, Figure
from agentinstruct.dataset.measure_sample import Sample
from agentinstruct.dataset.measure_text import Slim, distinct, slim
from agentinstruct.dataset.measure_yield import Counted

if TYPE_CHECKING:
    from numpy import ndarray

    Matrix = ndarray[Any, Any]

MOST = 1500
"""Records of an arm, drawn from all its repeats, that are kept for texts: also what failed a check where it is kept."""
DRAWS = 200
"""Subsamples that an interval of diversity is taken from."""
ABOUT: Mapping[str, str] = {
    "yield": "Accepted records in a hundred calls. Its interval, and those of shares and words, is over seeds.",
    "passed": "The share of drafts that became accepted records.",
    "vendi": "Vendi score: as how many wholly different instructions they are as diverse, in subsamples of one size. "
    "Its interval, and those of the next three, is that of drawing so many records anew, taken as independent.",
    "similarity": "Mean cosine of two instructions.",
    "distinct": "The share of different word pairs in instructions, in subsamples of one size.",
    "categories": "Different categories among records, in subsamples of one size.",
    "asked": "Words of an instruction, without the passage.",
    "demands": "Demands in an instruction.",
    "answered": "Words of a response.",
    "reasoning": "Words of inference in a hundred words of a response.",
    "accuracy": "The share of independent solvers that gave the key: the lower, the harder.",
}
TRAITS = {"asked": "asked_words", "demands": "demands", "answered": "answered_words", "reasoning": "reasoning"}
SHARES = ("passed", "similarity", "distinct", "accuracy")


class Kept(NamedTuple):
    """A record that is kept for texts."""

    texts: Slim
    category: str


def _kept(row: Mapping[str, Any]) -> Kept:
    return Kept(slim(row), row["category"])


@dataclass(slots=True)
class Gathering:
    """What is read of an arm's runs."""

    counted: Counted = field(default_factory=Counted)
    families: Families = field(default_factory=Families)
    yields: BySeed = field(default_factory=BySeed)
    """Accepted records over the calls of finished work items."""
    sample: Sample[Kept] = field(default_factory=lambda: Sample(MOST))
    bought: int = 0
    """All calls, also those of work that was not finished."""

    def add(self, done: Mapping[str, Any]) -> None:
        """One finished work item."""
        self.counted.add(done)
        self.families.add(done)
        accepted = sum(bool(row["accepted"]) for row in done["records"])
        calls = {call["key"] for row in (*done["records"], *done["dropped"]) for call in row["calls"]}
        self.yields.add(done["seed"], accepted, len(calls))
        for row in done["records"]:
            self.sample.offer("", row["id"], partial(_kept, row))


@dataclass(frozen=True, slots=True)
class Result:
    """One arm's figures by name; a figure without a value could not be had."""

    name: str
    about: str
    records: int
    bought: int
    """Calls of this arm in all: those of work that was not finished, too."""
    calls: int
    """Calls of finished work: what its figures rest on."""
    items: int
    """Work items finished."""
    figures: Mapping[str, Figure]


def compared(
    arms: Mapping[str, Gathering], embed: Embed, about: Mapping[str, str] = MappingProxyType({})
) -> list[Result]:
    """The figures of all arms, with words `about` them; diversity in subsamples of four fifths of the smallest arm."""
    size = max(0, 4 * min((len(arm.sample) for arm in arms.values()), default=0) // 5)
    return [
        Result(
            name,
            about.get(name, ""),
            arm.counted.total.accepted,
            arm.bought,
            int(arm.yields.under),
            arm.yields.count,
            _figures(arm, size, embed),
        )
        for name, arm in arms.items()
    ]


def _figures(arm: Gathering, size: int, embed: Embed) -> dict[str, Figure]:
    kept = [one for _, one in arm.sample.members()]
    spread = _spread(kept, size, embed) if size > 4 else {}
    return {
        "yield": _hundredfold(_a_call(arm)),
        "passed": arm.counted.total.passed,
        **{name: spread.get(name, NONE) for name in ("vendi", "similarity", "distinct", "categories")},
        **{name: trait_of([one.texts for one in kept], trait) for name, trait in TRAITS.items()},
        "accuracy": arm.families.votes.found_key(),
    }


def _a_call(arm: Gathering) -> Figure:
    """Accepted records of one call: a share, but where one call gives several records."""
    found = arm.yields.ratio()
    return arm.yields.share() if found.value is not None and found.value <= 1 else found


def _hundredfold(found: Figure) -> Figure:
    if found.value is None or found.low is None or found.high is None:
        return found
    return Figure(100 * found.value, 100 * found.low, 100 * found.high, found.of)


def _spread(kept: Sequence[Kept], size: int, embed: Embed) -> dict[str, Figure]:
    """What depends on how many records there are, over subsamples of one size."""
    import numpy

    vectors = numpy.asarray(embed([one.texts.asked[:1000] for one in kept]), dtype=numpy.float32)
    draw, found = Random(0), {name: list[float]() for name in ("vendi", "similarity", "distinct", "categories")}
    for _ in range(DRAWS):
        places = sorted(draw.sample(range(len(kept)), size))
        cosines = (vectors[places] @ vectors[places].T).clip(-1.0, 1.0)
        found["vendi"].append(vendi(cosines))
        found["similarity"].append(float((cosines.sum() - cosines.trace()) / (size * (size - 1))))
        found["categories"].append(float(len({(kept[at].texts.skill, kept[at].category) for at in places})))
        if pairs := distinct([kept[at].texts.asked for at in places], 2):
            found["distinct"].append(pairs[0])
    return {name: _widened(name, values, size, len(kept)) for name, values in found.items()}


def _widened(name: str, values: Sequence[float], size: int, of: int) -> Figure:
    """The interval of drawing so many records anew: subsamples of one arm share most of theirs, so they differ less."""
    import numpy

    if not values:
        return NONE
    low, middle, high = map(float, numpy.quantile(values, [0.025, 0.5, 0.975]))
    wider = math.sqrt(1 / (1 - size / of))
    least, most = (-1.0, 1.0) if name in SHARES else (1.0, float(size))
    low, high = middle - wider * (middle - low), middle + wider * (high - middle)
    return Figure(middle, max(least, low), min(most, high), size)
