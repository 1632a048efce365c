"""The evidence a dataset ships with: everything that is measured of a run, in one pass over its finished work.

    outcomes ─┬─ counted, every row ─ yield, checks, coverage, votes, keys, cost           memory: names
              └─ sampled, by id ───── text, diversity, depth, bias ─ embedded, compared     memory: the sample

Rows are those of a journal: a live, a killed or a finished run. Samples are the records with the smallest ids, so the
same run gives the same figures. `ABOUT` says what each figure is; `as_json` gives all of them with it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from agentinstruct.dataset.measure_bias import Bias, bias
from agentinstruct.dataset.measure_coverage import Coverage, coverage
from agentinstruct.dataset.measure_depth import TRAITS, Families, Hardness, trait_of
from agentinstruct.dataset.measure_diversity import Diversity, diversity, plane
from agentinstruct.dataset.measure_figures import Figure
from agentinstruct.dataset.measure_options import Balance, Keys
from agentinstruct.dataset.measure_sample import Sample
from agentinstruct.dataset.measure_text import Slim, slim
from agentinstruct.dataset.measure_votes import Agreement
from agentinstruct.dataset.measure_yield import Counted

if TYPE_CHECKING:
    from numpy import ndarray

    Matrix = ndarray[Any, Any]

SAMPLE = 120
"""Records of one skill and depth that are sampled."""
_EMBEDDED = 600
"""Characters of an instruction that are embedded."""
_READ = 600
"""Records that are read for the bias audit."""
Embed = Callable[[list[str]], list[list[float]]]


@dataclass(frozen=True, slots=True)
class Texts:
    """Means over one skill's sampled records."""

    sampled: int
    traits: Mapping[str, Figure]
    lengths: tuple[tuple[int, int], ...]
    """Words asked and answered, of each."""


@dataclass(frozen=True, slots=True)
class Measures:
    """All that was measured."""

    counted: Counted
    coverage: Mapping[str, Coverage]
    agreement: Sequence[Agreement]
    keys: Sequence[Balance]
    texts: Mapping[str, Texts]
    diversity: Mapping[str, Diversity]
    """By skill, of sampled instructions; `""` is all skills together."""
    by_depth: Mapping[str, tuple[Diversity, Diversity]]
    """By skill: originals and refined items, as many of the one as of the other."""
    map: Sequence[tuple[str, float, float, str]]
    """Sampled instructions in the plane: skill, x, y, how they begin."""
    hardness: Hardness
    bias: Bias
    embeddings: str
    sampled: int


@dataclass(slots=True)
class Measuring:
    """What is gathered while outcomes stream by."""

    counted: Counted = field(default_factory=Counted)
    families: Families = field(default_factory=Families)
    keys: Keys = field(default_factory=Keys)
    sample: Sample[Slim] = field(default_factory=lambda: Sample(SAMPLE))

    def add(self, done: Mapping[str, Any]) -> None:
        """One finished work item."""
        self.counted.add(done)
        self.families.add(done)
        for row in done["records"]:
            self.keys.add(row)
            self.sample.offer((row["skill"], row["depth"]), row["id"], partial(slim, row))

    def result(
        self, skills: Iterable[str], embed: Embed, embeddings: str, seeds: Iterable[str], only: Collection[str] = ()
    ) -> Measures:
        """The figures.

        Args:
            skills: The run's skills, also those that have made nothing yet.
            embed: What makes unit vectors of texts.
            embeddings: Its name.
            seeds: Texts of the seeds, to compare the records with.
            only: The categories that were asked for, where not all were.
        """
        by_skill = self._by_skill()
        sampled = [one for chosen in by_skill.values() for one in chosen]
        vectors = _vectors([one.asked[:_EMBEDDED] for one in sampled], embed)
        rows = _rows(sampled)
        spread = {skill: diversity(chosen, vectors[rows[skill]]) for skill, chosen in by_skill.items()}
        flat = plane(vectors).tolist() if sampled else []
        overall = sorted(range(len(sampled)), key=lambda at: sampled[at].id)[: 4 * SAMPLE]
        if len(by_skill) > 1:
            spread[""] = diversity([sampled[at] for at in overall], vectors[overall])
        return Measures(
            counted=self.counted,
            coverage=coverage(self.counted, skills, only),
            agreement=self.families.votes.agreement(),
            keys=self.keys.balances(),
            texts={skill: _texts(chosen) for skill, chosen in by_skill.items()},
            diversity=spread,
            by_depth=_by_depth(by_skill, rows, vectors),
            map=[(one.skill, x, y, one.asked[:120]) for one, (x, y) in zip(sampled, flat, strict=True)],
            hardness=self.families.hardness(list(self.sample.weighted())),
            bias=bias(seeds, [f"{one.asked}\n{one.answered}" for one in sampled[:: max(1, len(sampled) // _READ)]]),
            embeddings=embeddings,
            sampled=len(sampled),
        )

    def _by_skill(self) -> dict[str, list[Slim]]:
        """Of each skill the records with the smallest ids, whatever their depth."""
        found: dict[str, list[Slim]] = {}
        for _, one in self.sample.members():
            found.setdefault(one.skill, []).append(one)
        return {skill: sorted(found[skill], key=lambda one: one.id)[:SAMPLE] for skill in sorted(found)}


def measure(
    outcomes: Iterable[Mapping[str, Any]],
    skills: Iterable[str],
    embed: Embed,
    embeddings: str = "",
    seeds: Callable[[], Iterable[str]] = tuple,
) -> Measures:
    """Measure everything a journal's `outcomes` give; the arguments are those of `Measuring.result`."""
    measuring = Measuring()
    for done in outcomes:
        measuring.add(done)
    return measuring.result(skills, embed, embeddings, seeds())


def _vectors(texts: list[str], embed: Embed) -> "Matrix":
    import numpy

    return numpy.asarray(embed(texts) if texts else [], dtype=numpy.float32)


def _rows(sampled: Sequence[Slim]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for at, one in enumerate(sampled):
        rows.setdefault(one.skill, []).append(at)
    return rows


def _texts(chosen: Sequence[Slim]) -> Texts:
    names = (*TRAITS, "context_words", "asked_tokens", "answered_tokens", "turns")
    lengths = tuple((one.features.asked_words, one.features.answered_words) for one in chosen)
    return Texts(len(chosen), {trait: trait_of(chosen, trait) for trait in names}, lengths)


def _by_depth(
    by_skill: Mapping[str, Sequence[Slim]], rows: Mapping[str, list[int]], vectors: "Matrix"
) -> dict[str, tuple[Diversity, Diversity]]:
    found = {}
    for skill, chosen in by_skill.items():
        sides: tuple[list[int], list[int]] = ([], [])
        for at, one in enumerate(chosen):
            sides[bool(one.depth)].append(at)
        count = min(map(len, sides))
        if count > 1:
            places = [side[:count] for side in sides]
            first, second = (
                diversity([chosen[at] for at in side], vectors[[rows[skill][at] for at in side]]) for side in places
            )
            found[skill] = first, second
    return found
