"""Whether refinement makes items harder: by depth, and each item against the one it refines.

    original ─ suggest · edit ─ refined ─ suggest · edit ─ refined again          depth 0, 1, 2 …

A work item holds a whole family, so depths and pairs are found as it streams by. What is measured by reading is
measured on a sample of pairs; what verdicts say (votes of solvers, checks passed) on every draft.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agentinstruct.dataset.measure_figures import Figure, mean, share
from agentinstruct.dataset.measure_sample import Sample
from agentinstruct.dataset.measure_text import Features, Slim, answered_in, asked_in, features
from agentinstruct.dataset.measure_votes import Votes
from agentinstruct.dataset.measure_yield import STAGES

DEEPEST = 5
"""Depths from here on are taken together."""
TRAITS = ("asked_words", "demands", "asked_ease", "answered_words", "reasoning", "answered_ease")
"""The features that are compared."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Everything of one depth."""

    depth: int
    drafts: int
    passed: Figure
    """The share of drafts that became accepted records."""
    accuracy: Figure
    """Of solvers, as a share of their votes."""
    traits: Mapping[str, Figure]
    """Means over sampled records."""


@dataclass(frozen=True, slots=True)
class Hardness:
    """What refinement does to items."""

    depths: tuple[Depth, ...]
    changes: Mapping[str, Figure]
    """Refined less original, over sampled pairs; of accuracy, over all pairs with votes, original less refined."""
    harder: Figure
    """The share of refined drafts that a judge found harder than what they refine, of those it compared."""


@dataclass(slots=True)
class Families:
    """Counts and pairs of parents and children."""

    votes: Votes = field(default_factory=Votes)
    drafts: Counter[int] = field(default_factory=Counter)
    accepted: Counter[int] = field(default_factory=Counter)
    pairs: Sample[tuple[Features, Features]] = field(default_factory=lambda: Sample(100))
    compared: Counter[bool] = field(default_factory=Counter)

    def add(self, done: Mapping[str, Any]) -> None:
        """One finished work item."""
        records = {row["id"]: row for row in done["records"]}
        parents = {row["draft_id"]: row["parent"] for row in done["dropped"] if row["draft_id"]}
        accuracy: dict[str, float | None] = {}
        for row in done["records"]:
            depth = min(row["depth"], DEEPEST)
            self.drafts[depth] += 1
            self.accepted[depth] += bool(row["accepted"])
            accuracy[row["id"]] = self._draft(row, depth)
        for row in done["dropped"]:
            if row["stage"].partition("/")[0] in STAGES:
                depth = min(_depth(row["parent"], records, parents), DEEPEST)
                self.drafts[depth] += 1
                accuracy[row["draft_id"]] = self._draft(row, depth)
        for row in [*done["records"], *done["dropped"]]:
            if row["parent"]:
                self.votes.add_pair(accuracy.get(row["parent"]), accuracy.get(row.get("id") or row.get("draft_id", "")))
        for row in done["records"]:
            if parent := records.get(row["parent"]):
                self.pairs.offer(row["skill"], row["id"], partial(_pair, parent, row))

    def hardness(self, sampled: Sequence[Slim]) -> Hardness:
        """The comparison; `sampled` are records of all depths."""
        accuracy = self.votes.accuracy()
        depths = []
        for depth in sorted(self.drafts):
            chosen = [one.features for one in sampled if min(one.depth, DEEPEST) == depth]
            traits = {trait: mean(_values(chosen, trait)) for trait in TRAITS}
            passed = share(self.accepted[depth], self.drafts[depth])
            found = accuracy.get(depth, Figure(None))
            depths.append(Depth(depth, self.drafts[depth], passed, found, traits))
        pairs = [pair for _, pair in self.pairs.members()]
        changes = {trait: mean(_differences(pairs, trait)) for trait in TRAITS}
        harder = share(self.compared[True], self.compared.total())
        return Hardness(tuple(depths), {**changes, "accuracy": self.votes.drop()}, harder)

    def _draft(self, row: Mapping[str, Any], depth: int) -> float | None:
        for verdict in row["verdicts"]:
            if verdict["check"] == "harder":
                self.compared[verdict["passed"]] += 1
        return self.votes.add(row, depth)


def _depth(parent: str, records: Mapping[str, Any], parents: Mapping[str, str]) -> int:
    """The depth of a dropped draft with this parent, which may have been dropped too."""
    depth, seen = 0, set[str]()
    while parent and parent not in seen:
        seen.add(parent)
        depth += 1
        if parent in records:
            return int(records[parent]["depth"]) + depth
        parent = parents.get(parent, "")
    return depth


def _pair(parent: Mapping[str, Any], child: Mapping[str, Any]) -> tuple[Features, Features]:
    before, now = (features(row, asked_in(row), answered_in(row)) for row in (parent, child))
    return before, now


def _values(chosen: Sequence[Features], trait: str) -> list[float]:
    return [float(value) for one in chosen if (value := getattr(one, trait)) is not None]


def _differences(pairs: Sequence[tuple[Features, Features]], trait: str) -> list[float]:
    both = [(getattr(before, trait), getattr(now, trait)) for before, now in pairs]
    return [float(now - before) for before, now in both if before is not None and now is not None]
