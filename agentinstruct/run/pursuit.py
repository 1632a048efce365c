"""On the way to a target: what the run has, what is in flight, and so what is worth beginning.

    journal, outcomes ─→ tallies by category ─→ room for more? · which have enough? · what is out of reach?

All of it is worked out from the journal's rows and from what is in flight now, so a run that was killed goes on where
it was. What is decided here is only which work is begun: what a work item does follows from its own id and, where a
category has enough, from that it is left out; of an item that was killed half-way nothing had been written yet.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentinstruct.dataset.alike import identity
from agentinstruct.run.journal import Journal
from agentinstruct.run.tally import Missing, Tally
from agentinstruct.run.target import Cell, Group, Target

OVER = 1.3
"""What is in flight may be expected to give this much more than is missing: yields vary."""
AHEAD = 1.5
"""A category this many times the average of its skill waits for the others."""
PATIENCE = 40
"""A skill is given up when a whole pass over the seeds brought nothing, but not before so many work items."""

NOTHING_NEW = "a whole pass over the seeds brought nothing new"


@dataclass
class Pursuit:
    """How far a run is from its target."""

    target: Target
    categories: Mapping[str, Sequence[str]]
    """Those that may be drawn, by skill."""
    expected: Mapping[str, float]
    """What one category of one work item gives when nothing is dropped, by skill: all that is known at first."""
    cells: dict[Cell, Tally] = field(default_factory=dict)
    dry: Counter[str] = field(default_factory=Counter)
    """By skill, the work items in a row that brought nothing new."""
    seen: Counter[str] = field(default_factory=Counter)
    """By skill, the seeds of this pass that suit it."""
    passes: dict[str, int] = field(default_factory=dict)
    """By skill, the work items of a whole pass over the seeds."""
    unsuited: set[str] = field(default_factory=set)
    """The skills that no seed suits."""
    flying: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The categories drawn in each work item that is begun and not finished."""
    ended: set[str] = field(default_factory=set)
    """The work items finished in this sitting: of a worker's, the journal may learn a little later."""
    _groups: dict[Group, list[Cell]] = field(default_factory=lambda: defaultdict(list))
    _have: Counter[Group] = field(default_factory=Counter)
    _given: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    """By skill, accepted records and the categories of work items that they came from."""
    _fruitful: set[str] = field(default_factory=set)
    _known: set[tuple[Cell, bytes]] = field(default_factory=set)

    @classmethod
    def of(cls, target: Target, categories: Mapping[str, Sequence[str]], expected: Mapping[str, float]) -> "Pursuit":
        """A target that nothing has been done for yet."""
        pursuit = cls(target, categories, expected)
        for skill, names in categories.items():
            for name in names:
                pursuit.cells[skill, name] = Tally()
                pursuit._groups[target.group((skill, name))].append((skill, name))
        return pursuit

    def load(self, journal: Journal) -> None:
        """Take in what the run has done so far."""
        for done in journal.outcomes():
            self._count(done["item"], done["skill"], done["records"], done["dropped"])

    def begin(self, item: str, skill: str, categories: Sequence[str]) -> None:
        """A work item with these categories is under way."""
        self.flying[item] = tuple(categories)
        for name in categories:
            self.cells[skill, name].flying += 1

    def end(self, item: str, skill: str, records: Sequence[Mapping[str, Any]], dropped: Sequence[Any]) -> None:
        """What became of it; nothing where its model failed it."""
        for name in self.flying.pop(item, ()):
            self.cells[skill, name].flying -= 1
        self._count(item, skill, records, dropped)
        self.passed(item, skill)

    def passed(self, item: str, skill: str) -> None:
        """A finished work item is looked at, now or again: did it bring anything?"""
        self.dry[skill] = 0 if item in self._fruitful else self.dry[skill] + 1

    def swept(self, taken: Mapping[str, int]) -> None:
        """A pass over the seeds ends, which came by so many work items of each skill."""
        self.passes.update(taken)
        self.unsuited |= {skill for skill in self.categories if not self.seen[skill]}
        self.seen.clear()

    def wants(self, skill: str) -> bool:
        """Whether more of a skill is needed and within reach."""
        if skill in self.unsuited or (self._stale(skill) and not self._busy(skill)):
            return False
        return any(self._need(group) > 0 for group in self._hopeful_groups(skill))

    @property
    def over(self) -> bool:
        """Whether nothing more is needed, or nothing that is needed is within reach."""
        return not any(map(self.wants, self.categories))

    def room(self, skill: str) -> bool:
        """Whether what is in flight may not be enough."""
        return self.wants(skill) and not self._stale(skill) and any(map(self._open, self._hopeful_groups(skill)))

    @property
    def full(self) -> bool:
        """Whether what is in flight should be enough for all that is needed."""
        asked: set[Group] = set()
        for skill in self.categories:
            if self.wants(skill) and not self._stale(skill):
                groups = self._hopeful_groups(skill) - asked
                if any(map(self._open, groups)):
                    return False
                asked |= groups
        return True

    def enough(self, skill: str) -> tuple[str, ...]:
        """The categories of a skill that should not be drawn now: they have enough, or are ahead, or hopeless."""
        cells, hopeful = [(skill, name) for name in self.categories[skill]], self._hopeful(skill)
        if self.target.per == "category":
            return tuple(cell[1] for cell in cells if cell not in hopeful or not self._open(cell))
        level = {cell: self.cells[cell].accepted + self._coming(cell) for cell in hopeful}
        waited_for = [level[cell] for cell in hopeful if not self.cells[cell].barren]
        most = 1 + AHEAD * sum(waited_for) / max(1, len(waited_for))
        return tuple(cell[1] for cell in cells if level.get(cell, most + 1) > most)

    @property
    def accepted(self) -> int:
        """Records that count: of no group more than are wanted."""
        return sum(min(self._have[group], self.target.count) for group in self._groups)

    @property
    def wanted(self) -> int:
        """Records wanted in all."""
        return self.target.count * len(self._groups)

    @property
    def words(self) -> str:
        """How far it is, in words."""
        return f"{self.target.words}: {self.accepted:,} of {self.wanted:,}"

    def missing(self, stopped: str = "") -> list[Missing]:
        """What is not reached, the furthest from it first; `stopped` is why the run ended before its time."""
        found = [self._missing(group, stopped) for group in self._groups if self._need(group) > 0]
        return sorted(found, key=lambda one: (one.accepted, one.group))

    def _missing(self, group: Group, stopped: str) -> Missing:
        cells = self._groups[group]
        reasons = sum((self.cells[cell].reasons for cell in cells), Counter[str]())
        why = stopped or "; ".join(list(dict.fromkeys(map(self._why, cells)))[:3])
        return Missing("/".join(group), self._have[group], self.target.count, why, tuple(reasons.most_common(2)))

    def _why(self, cell: Cell) -> str:
        tally = self.cells[cell]
        if tally.hopeless:
            return f"given up: {tally.accepted} of {tally.tried} drafts passed"
        if cell[0] in self.unsuited:
            return "no seed suits it"
        if not self._stale(cell[0]):
            return "work waits for another try"
        return NOTHING_NEW if tally.tried else f"{NOTHING_NEW}, and no draft was made of it"

    def _count(self, item: str, skill: str, records: Sequence[Mapping[str, Any]], dropped: Sequence[Any]) -> None:
        for name in {row["category"] for row in (*records, *dropped)}:
            if (skill, name) in self.cells:
                self.cells[skill, name].items += 1
                self._given[skill][1] += 1
        for row in records:
            self._tried(item, (skill, row["category"]), row)
        for row in dropped:
            reason = f"{row['stage'].partition('/')[0]}: {row['reason']}"
            for cell in [(skill, row["category"])] if row["category"] else self._all(skill):
                if cell in self.cells:
                    self.cells[cell].reasons[reason] += 1
                    self.cells[cell].tried += bool(row["category"])

    def _tried(self, item: str, cell: Cell, row: Mapping[str, Any]) -> None:
        tally = self.cells.setdefault(cell, Tally())
        tally.tried += 1
        if not row["accepted"]:
            failed = next((verdict["check"] for verdict in row.get("verdicts", ()) if not verdict["passed"]), "")
            tally.reasons[f"verify: {failed}"] += 1
        elif (cell, identity(row)) not in self._known:
            self._known.add((cell, identity(row)))
            self._fruitful.add(item)
            tally.accepted += 1
            self._given[cell[0]][0] += 1
            self._have[self.target.group(cell)] += 1

    def _all(self, skill: str) -> list[Cell]:
        return [(skill, name) for name in self.categories.get(skill, ())]

    def _hopeful(self, skill: str) -> list[Cell]:
        return [cell for cell in self._all(skill) if not self.cells[cell].hopeless]

    def _stale(self, skill: str) -> bool:
        """Whether a whole pass brought nothing new; no more is begun then, and what is in flight may yet change it."""
        return skill in self.passes and self.dry[skill] >= max(PATIENCE, self.passes[skill])

    def _busy(self, skill: str) -> bool:
        return any(self.cells[cell].flying for cell in self._all(skill))

    def _hopeful_groups(self, skill: str) -> set[Group]:
        return {self.target.group(cell) for cell in self._hopeful(skill)}

    def _need(self, group: Group) -> int:
        return self.target.count - self._have[group]

    def _open(self, group: Group) -> bool:
        return sum(map(self._coming, self._groups[group])) < OVER * self._need(group)

    def _coming(self, cell: Cell) -> float:
        """What the work in flight is expected to give of a category, by what it and its skill have given so far."""
        tally = self.cells[cell]
        if not tally.flying:
            return 0.0
        accepted, items = self._given[cell[0]]
        usual = (accepted + self.expected.get(cell[0], 1.0)) / (items + 1)
        return tally.flying * (tally.accepted + 2 * usual) / (tally.items + 2)
