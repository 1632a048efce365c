"""Whether refinement makes items harder: by depth, and each item against the one it refines.

    original ─ suggest · edit ─ refined ─ suggest · edit ─ refined again          depth 0, 1, 2 …

A work item holds a whole family, so depths and pairs are found as it streams by. What is measured by reading is
measured on a sample of pairs; what verdicts say (votes of solvers, checks passed) on every draft.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agentinstruct.dataset.measure_figures import NONE, BySeed, Figure, mean
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
    passed: dict[int, BySeed] = field(default_factory=dict)
    """Accepted records over drafts, by depth."""
    pairs: Sample[tuple[str, Features, Features]] = field(default_factory=lambda: Sample(100))
    """A seed, an item and its refinement."""
    harder: BySeed = field(default_factory=BySeed)
    """Refined drafts that a judge found harder than what they refine, over those that it compared."""

    def add(self, done: Mapping[str, Any]) -> None:
        """One finished work item."""
        seed, records = done["seed"], {row["id"]: row for row in done["records"]}
        parents = {row["draft_id"]: row["parent"] for row in done["dropped"] if row["draft_id"]}
        accuracy: dict[str, float | None] = {}
        for row in done["records"]:
            depth = min(row["depth"], DEEPEST)
            accuracy[row["id"]] = self._draft(row, seed, depth, accepted=row["accepted"])
        for row in done["dropped"]:
            if row["stage"].partition("/")[0] in STAGES:
                depth = min(_depth(row["parent"], records, parents), DEEPEST)
                accuracy[row["draft_id"]] = self._draft(row, seed, depth)
        for row in [*done["records"], *done["dropped"]]:
            if row["parent"]:
                before, now = (accuracy.get(one) for one in (row["parent"], row.get("id") or row.get("draft_id", "")))
                self.votes.add_pair(seed, before, now)
        for row in done["records"]:
            if parent := records.get(row["parent"]):
                self.pairs.offer(row["skill"], row["id"], partial(_pair, parent, row))

    def hardness(self, sampled: Sequence[tuple[float, Slim]]) -> Hardness:
        """The comparison; `sampled` are records of all depths, each with how many it stands for."""
        accuracy = self.votes.accuracy()
        depths = []
        for depth, passed in sorted(self.passed.items()):
            chosen = [(weight, one) for weight, one in sampled if min(one.depth, DEEPEST) == depth]
            weights, texts = [weight for weight, _ in chosen], [one for _, one in chosen]
            traits = {trait: trait_of(texts, trait, weights) for trait in TRAITS}
            depths.append(Depth(depth, passed.count, passed.share(), accuracy.get(depth, NONE), traits))
        pairs = list(self.pairs.weighted())
        changes = {trait: _change(pairs, trait) for trait in TRAITS}
        return Hardness(tuple(depths), {**changes, "accuracy": self.votes.drop()}, self.harder.share())

    def _draft(self, row: Mapping[str, Any], seed: str, depth: int, *, accepted: bool = False) -> float | None:
        self.passed.setdefault(depth, BySeed()).add(seed, accepted)
        for verdict in row["verdicts"]:
            if verdict["check"] == "harder":
                self.harder.add(seed, verdict["passed"])
        return self.votes.add(row, seed, depth)


def trait_of(chosen: Sequence[Slim], trait: str, weights: Sequence[float] = ()) -> Figure:
    """The mean of one feature over the records that have it."""
    each = zip(chosen, weights or [1.0 for _ in chosen], strict=True)
    found = [(value, one.seed, weight) for one, weight in each if (value := getattr(one.features, trait)) is not None]
    return _mean(found)


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


def _pair(parent: Mapping[str, Any], child: Mapping[str, Any]) -> tuple[str, Features, Features]:
    before, now = (features(row, asked_in(row), answered_in(row)) for row in (parent, child))
    return child["seed_id"], before, now


def _change(pairs: Sequence[tuple[float, tuple[str, Features, Features]]], trait: str) -> Figure:
    both = [(getattr(before, trait), getattr(now, trait), seed, weight) for weight, (seed, before, now) in pairs]
    return _mean([(now - before, *rest) for before, now, *rest in both if before is not None and now is not None])


def _mean(found: Sequence[Any]) -> Figure:
    """Of values, each with its seed and its weight."""
    values, seeds, weights = zip(*found, strict=True) if found else ((), (), ())
    return mean(values, seeds, weights)
