"""Train, validation and test: by seed, so that what a model is tested on was never trained on.

    hash of the document ─→ [0, 1) ─→ part      few documents: the nearest to a border move until the shares are met

All records of a document go the same way, and of all documents that share a seed; where a run has too few documents
for that, all records of a seed do. The hash decides, so a document that is added later moves hardly any other. What is
balanced is each skill by itself.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from agentinstruct.agents.errors import SetupError

By = Literal["source", "seed_id"]
MOST_GROUPS = 50_000
"""With more documents than these the hash alone is even enough, and none need be kept in memory."""
_SLACK = 0.1
"""How far a skill may be off its share of a part before documents are moved."""
_ROUNDS = 20
_HALF = 0.5
Groups = dict[int, Counter[str]]
"""Records by skill of each document or seed, which is known by its hash."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The parts of a dataset and how much of it each is to have."""

    parts: Mapping[str, float]

    @classmethod
    def parse(cls, text: str) -> "Shares":
        """Read `train=0.9,validation=0.05,test=0.05`.

        Raises:
            SetupError: it is something else.
        """
        parts: dict[str, float] = {}
        for piece in text.split(","):
            name, _, share = piece.strip().partition("=")
            try:
                parts[name] = float(share) if name not in parts and name.isidentifier() else -1
            except ValueError:
                parts[name] = -1
        if not all(0 < share <= 1 for share in parts.values()) or abs(sum(parts.values()) - 1) > 1e-6:
            raise SetupError(f"--split {text}: write parts with shares that add up to 1: train=0.9,test=0.1.")
        return cls(parts)

    def hashed(self, place: int) -> str:
        """The part that a hash falls into."""
        border = 0.0
        for name, share in self.parts.items():
            border += share
            if place < border * 2**64:
                return name
        return name


@dataclass(frozen=True, slots=True)
class Parts:
    """Which part each record is in."""

    shares: Shares
    by: By = "source"
    moved: Mapping[int, str] = field(default_factory=dict)
    """The groups that are in another part than their hash says."""
    joined: Mapping[int, int] = field(default_factory=dict)
    """The document that stands for one which has a seed in common with it."""

    def of(self, row: Mapping[str, Any]) -> str:
        """The part of a record."""
        place = place_of(row, self.by)
        place = self.joined.get(place, place)
        return self.moved.get(place) or self.shares.hashed(place)


def place_of(row: Mapping[str, Any], by: By) -> int:
    """The hash of a record's document, or of its seed where the document is not known."""
    return int.from_bytes(blake2b(str(row[by] or row["seed_id"]).encode(), digest_size=8).digest(), "big")


def parts_of(rows: Iterable[Mapping[str, Any]], shares: Shares) -> Parts:
    """The parts of these records: by document, and by seed where documents are too few to meet the shares."""
    documents, seeds, joined = _grouped(rows)
    if documents is None:
        return Parts(shares, joined=joined)
    for place, other in joined.items():
        documents.setdefault(other, Counter()).update(documents.pop(place))
    moved = _balanced(documents, shares)
    if seeds is not None and _starved(documents, shares, moved):
        return Parts(shares, "seed_id", _balanced(seeds, shares))
    return Parts(shares, "source", moved, joined)


def _grouped(rows: Iterable[Mapping[str, Any]]) -> tuple[Groups | None, Groups | None, dict[int, int]]:
    """Records by document and by seed, None for what is too many to count; and which documents share a seed."""
    found: dict[By, Groups | None] = {"source": {}, "seed_id": {}}
    places, last = array("Q"), (-1, -1)
    for row in rows:
        both = place_of(row, "seed_id"), place_of(row, "source")
        if both != last:  # the records of a work item come one after the other
            places.extend(both)
            last = both
        for (by, groups), place in zip(found.items(), reversed(both), strict=True):
            if groups is not None:
                groups.setdefault(place, Counter())[row["skill"]] += 1
                found[by] = groups if len(groups) <= MOST_GROUPS else None
    return found["source"], found["seed_id"], _joined(places)


def _joined(places: "array[int]") -> dict[int, int]:
    """Each document that shares a seed with others, and which of them stands for it."""
    import numpy as np

    pairs = np.unique(np.frombuffer(places, dtype=np.uint64).reshape(-1, 2), axis=0)
    shared = pairs[1:, 0] == pairs[:-1, 0]
    stands: dict[int, int] = {}
    for one, other in zip(pairs[:-1][shared, 1].tolist(), pairs[1:][shared, 1].tolist(), strict=True):
        first, second = sorted((_root(stands, one), _root(stands, other)))
        if first != second:
            stands[second] = first
    return {place: _root(stands, place) for place in stands}


def _root(stands: Mapping[int, int], place: int) -> int:
    while place in stands:
        place = stands[place]
    return place


def _starved(groups: Groups, shares: Shares, moved: Mapping[int, str]) -> bool:
    sizes: Counter[str] = Counter()
    for place, skills in groups.items():
        sizes[moved.get(place) or shares.hashed(place)] += skills.total()
    return any(sizes[name] < _HALF * share * sizes.total() for name, share in shares.parts.items())


@dataclass(slots=True)
class _Scales:
    """What each part holds of each skill, and how far that is from what it should."""

    shares: Shares
    wanted: Counter[str]
    held: dict[str, Counter[str]]

    def off(self, part: str, skill: str, more: int = 0) -> float:
        """How far beyond the slack a part would be with so many records more."""
        share = self.shares.parts[part] * self.wanted[skill]
        excess = max(0.0, abs(self.held[part][skill] + more - share) - max(_SLACK * share, _HALF))
        return excess * excess

    def gain(self, skills: Counter[str], old: str, new: str) -> float:
        """How much nearer to its shares the dataset comes when these records move."""
        return sum(
            self.off(old, s) + self.off(new, s) - self.off(old, s, -n) - self.off(new, s, n) for s, n in skills.items()
        )


def _balanced(groups: Groups, shares: Shares) -> dict[int, str]:
    """The groups that have to leave the part of their hash, and where to."""
    part = {place: shares.hashed(place) for place in sorted(groups)}
    scales = _Scales(shares, Counter(), {name: Counter() for name in shares.parts})
    for place, name in part.items():
        scales.held[name].update(groups[place])
        scales.wanted.update(groups[place])
    for _ in range(_ROUNDS):
        moves = list(_moves(groups, part, scales))
        part.update(moves)
        if not moves:
            break
    return {place: name for place, name in part.items() if name != shares.hashed(place)}


def _moves(groups: Groups, part: Mapping[int, str], scales: _Scales) -> Iterator[tuple[int, str]]:
    for place, old in part.items():
        best = max(scales.shares.parts, key=lambda new: scales.gain(groups[place], old, new) if new != old else 0.0)
        if best != old and scales.gain(groups[place], old, best) > 1e-9:
            scales.held[old].subtract(groups[place])
            scales.held[best].update(groups[place])
            yield place, best
