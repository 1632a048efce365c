"""The mix: which of the skills that suit a seed are applied to it.

Each seed gets a few skills, drawn from its own id by the mix and by how well it suits them, so that a seed's work does
not depend on its neighbours. Before that, skills that have had no seed yet are served first: a small run shows all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.files import nearest
from agentinstruct.agents.records import Seed
from agentinstruct.agents.routing import Features, affinity, features, lacking, suits
from agentinstruct.agents.skill import Skill

RELEASED, EVEN, ALL = "released", "even", "all"


@dataclass
class Mix:
    """What is left to decide for each seed, given what earlier seeds have had."""

    skills: Sequence[Skill]
    weights: Mapping[str, float] | None
    """The share of each skill in the work; None: every suitable skill gets every seed."""
    per_seed: int
    run_seed: int = 0
    features: Callable[[str], Features] = features
    _served: set[str] = field(default_factory=set)

    def suitable(self, seed: Seed) -> list[Skill]:
        """The skills that take a seed, by its features."""
        return [skill for skill in self._offered if suits(skill, seed, self.features)]

    def lacking(self, seed: Seed) -> str:
        """Why a seed that suits none of the skills does not, in words."""
        return lacking(self._offered, seed, self.features)

    @property
    def _offered(self) -> list[Skill]:
        return [skill for skill in self.skills if self._weight(skill) > 0]

    def take(self, seed: Seed, suitable: Sequence[Skill]) -> list[Skill]:
        """The skills that a seed gets, of those that suit it, in the order of the skills."""
        if self.weights is None:
            return list(suitable)
        rank = {skill.name: self._rank(skill, seed) for skill in suitable}
        first = sorted(suitable, key=lambda skill: (skill.name in self._served, -rank[skill.name]))
        chosen = {skill.name for skill in first[: self.per_seed]}
        self._served |= chosen
        return [skill for skill in suitable if skill.name in chosen]

    def _rank(self, skill: Skill, seed: Seed) -> float:
        """By draws of its own, so that it does not depend on which other skills there are."""
        draw = Random(f"{self.run_seed}/{seed.id}/{skill.name}/mix").random()
        return float(draw ** (1 / (self._weight(skill) * affinity(skill, seed, self.features))))

    def _weight(self, skill: Skill) -> float:
        return 1.0 if self.weights is None else self.weights.get(skill.name, 0.0)


def weights_of(mix: str, skills: Sequence[Skill], mark: str = "") -> dict[str, float] | None:
    """The weights that a mix names; None for all skills on all seeds they suit.

    `released` gives each skill the share of rows it has in the released AgentInstruct data, divided by the items it
    makes of one seed; `even` the same to all; `rc=2,coding=1` what it says, and nothing to the others.

    Raises:
        SetupError: a name or a number is wrong; says which. `mark` is what options begin with.
    """
    if mix == ALL:
        return None
    if mix == EVEN:
        return {skill.name: 1.0 for skill in skills}
    if mix == RELEASED:
        return {skill.name: skill.file.released / _items(skill) for skill in skills}
    return dict(_given(mix, [skill.name for skill in skills], f"{mark}mix"))


def _items(skill: Skill) -> float:
    """The items that a skill makes of one seed, refined ones included, as far as its numbers tell."""
    file = skill.file
    originals = file.categories_per_seed * file.instructions_per_category
    return originals * (1 + file.rounds * sum(goal.suggestions for goal in skill.goals.values()))


def _given(mix: str, known: list[str], option: str) -> Iterator[tuple[str, float]]:
    for part in mix.split(","):
        name, separator, share = part.strip().partition("=")
        if name not in known:
            hint = nearest(name, [RELEASED, EVEN, ALL, *known])
            raise SetupError(f"{option} {part.strip()}: no skill of this run is called {name!r}.{hint}")
        try:
            weight = float(share)
        except ValueError:
            weight = -1.0
        if not separator or not 0 <= weight < float("inf"):
            raise SetupError(f"{option} {part.strip()}: give NAME=SHARE, with a number such as 2 or 0.5.")
        yield name, weight
