"""How far those who judged the same thing agreed: read from the verdicts that keep how many of how many said so.

A check that asks several solvers writes `2 of 3 …` first in its evidence. Of those whose votes say that the key was
found, the share of votes is the solvers' accuracy: lower on items that are harder.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agentinstruct.dataset.measure_figures import NONE, BySeed, Figure

_VOTES = re.compile(r"(\d{1,2}) of (\d{1,2}) (?:solvers|guessers|estimators|solutions)\b")
FINDING = frozenset({"solvers", "blind_solvers", "read_by_solvers", "solutions_agree", "plausible"})
"""Checks whose votes count who came to the key."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of one check: how its voters agreed."""

    check: str
    drafts: int
    unanimous: Figure
    pairs: Figure
    """The chance that two voters of a draft say the same."""
    kappa: float | None
    """The same beyond chance (Fleiss): 1 is perfect, 0 what chance gives; None where all votes are alike."""
    votes: tuple[tuple[int, int, int], ...]
    """How often so many of so many agreed."""


@dataclass(slots=True)
class Votes:
    """Votes counted by check, and of solvers by the item's depth."""

    checks: dict[str, Counter[tuple[int, int]]] = field(default_factory=dict)
    alike: dict[str, tuple[BySeed, BySeed]] = field(default_factory=dict)
    """By check: drafts whose voters all said the same, and pairs of voters who did."""
    depths: dict[int, BySeed] = field(default_factory=dict)
    falls: BySeed = field(default_factory=BySeed)
    """Solvers' accuracy on what an item refines, less that on the item."""

    def add(self, row: Mapping[str, Any], seed: str, depth: int) -> float | None:
        """One draft's verdicts; the share of its solvers who came to the key, where they were asked."""
        found: tuple[int, int] | None = None
        for verdict in row["verdicts"]:
            if vote := _vote(verdict["evidence"]):
                self._voted(verdict["check"], seed, *vote)
                found = vote if verdict["check"] in FINDING and not found else found
        if not found:
            return None
        self.depths.setdefault(depth, BySeed()).add(seed, *found)
        return found[0] / found[1]

    def add_pair(self, seed: str, before: float | None, now: float | None) -> None:
        """The accuracy on an item and on its refinement, where both are known."""
        if before is not None and now is not None:
            self.falls.add(seed, before - now)

    def _voted(self, check: str, seed: str, yes: int, asked: int) -> None:
        self.checks.setdefault(check, Counter())[yes, asked] += 1
        if asked > 1:
            unanimous, pairs = self.alike.setdefault(check, (BySeed(), BySeed()))
            unanimous.add(seed, yes in (0, asked))
            pairs.add(seed, yes * (yes - 1) + (asked - yes) * (asked - yes - 1), asked * (asked - 1))

    def agreement(self) -> list[Agreement]:
        """By check, those asked most first."""
        found = [_agreement(check, votes, self.alike.get(check)) for check, votes in self.checks.items()]
        return sorted(found, key=lambda one: (-one.drafts, one.check))

    def accuracy(self) -> dict[int, Figure]:
        """The solvers' accuracy by depth."""
        return {depth: votes.share() for depth, votes in sorted(self.depths.items())}

    def found_key(self) -> Figure:
        """The solvers' accuracy on items of all depths."""
        every = BySeed()
        for votes in self.depths.values():
            every += votes
        return every.share()

    def drop(self) -> Figure:
        """By how much accuracy falls from an item to its refinement."""
        return self.falls.ratio()


def _vote(evidence: str) -> tuple[int, int] | None:
    found = _VOTES.match(evidence)
    if not found:
        return None
    agreeing, asked = int(found[1]), int(found[2])
    return (agreeing, asked) if asked > 0 and agreeing <= asked else None


def _agreement(check: str, votes: Counter[tuple[int, int]], alike: tuple[BySeed, BySeed] | None) -> Agreement:
    drafts = votes.total()
    several = {vote: n for vote, n in votes.items() if vote[1] > 1}
    unanimous, pairs = (one.share() for one in alike) if alike else (NONE, NONE)
    said = sum(yes * n for (yes, _), n in several.items()) / max(1, sum(asked * n for (_, asked), n in several.items()))
    chance = said**2 + (1 - said) ** 2
    kappa = (pairs.value - chance) / (1 - chance) if pairs.value is not None and chance < 1 else None
    return Agreement(check, drafts, unanimous, pairs, kappa, tuple((*vote, n) for vote, n in sorted(votes.items())))
