"""How much of each skill's taxonomy was drawn, how evenly, and what was never drawn."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from agentinstruct.agents.errors import SkillError
from agentinstruct.agents.skill import load_skill
from agentinstruct.dataset.measure_figures import Figure, share
from agentinstruct.dataset.measure_yield import Counted


@dataclass(frozen=True, slots=True)
class Cell:
    """One category of a skill, or one of its transforms."""

    name: str
    drafts: int
    accepted: int
    known: bool = True
    """Whether the skill as installed here has it."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was drawn of one skill's lists; `known` is False where the skill is not installed here."""

    categories: tuple[Cell, ...]
    transforms: tuple[Cell, ...]
    goals: tuple[Cell, ...]
    evenness: float | None
    """Of accepted records over categories: 1 when all have as many, 0 when one has all (entropy over its most)."""
    known: bool = True

    @property
    def covered(self) -> Figure:
        """The share of categories with an accepted record."""
        cells = [cell for cell in self.categories if cell.known]
        return share(sum(bool(cell.accepted) for cell in cells), len(cells))

    @property
    def never(self) -> list[str]:
        """Categories that no draft was made of."""
        return [cell.name for cell in self.categories if not cell.drafts]


def coverage(counted: Counted, skills: Iterable[str], only: Collection[str] = ()) -> dict[str, Coverage]:
    """The coverage of these skills and of whatever else was counted, by skill.

    `only`: the categories that were asked for; the others of a skill that has some of them are none of its.
    """
    return {skill: _of(counted, skill, only) for skill in sorted({*skills, *counted.funnels})}


def taxonomy(name: str) -> list[str]:
    """A skill's categories; none where it is not installed here."""
    try:
        return list(load_skill(name).categories)
    except SkillError:
        return []


def _of(counted: Counted, name: str, only: Collection[str]) -> Coverage:
    drafts, accepted, transforms, goals = (
        found.get(name, Counter[str]())
        for found in (counted.categories, counted.accepted, counted.transforms, counted.goals)
    )
    try:
        skill = load_skill(name)
        asked = [one for one in skill.categories if one in only] or list(skill.categories)
        lists = asked, list(skill.file.transforms), list(skill.goals)
        known = True
    except SkillError:
        lists, known = ([], [], []), False
    return Coverage(
        _cells(lists[0], drafts, accepted),
        _cells(lists[1], transforms, {}),
        _cells(lists[2], goals, goals),
        _evenness([accepted.get(one, 0) for one in lists[0] or accepted]),
        known,
    )


def _cells(listed: list[str], drafts: Mapping[str, int], accepted: Mapping[str, int]) -> tuple[Cell, ...]:
    others = sorted(set(drafts) - set(listed) - {""})
    return (
        *(Cell(name, drafts.get(name, 0), accepted.get(name, 0)) for name in listed),
        *(Cell(name, drafts.get(name, 0), accepted.get(name, 0), known=False) for name in others),
    )


def _evenness(counts: list[int]) -> float | None:
    total = sum(counts)
    if not total or len(counts) < 2:
        return None
    return -sum(n / total * math.log(n / total) for n in counts if n) / math.log(len(counts))
