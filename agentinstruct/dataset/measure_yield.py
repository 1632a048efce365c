"""What became of the drafts, counted over every finished work item: memory grows with names, never with rows.

drafts ─ instruct ─ edit ─ answer ─ verify ─ records ─ accepted      and for each loss the reason and the check
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agentinstruct.dataset.alike import Repeats
from agentinstruct.dataset.measure_figures import BySeed, Figure
from agentinstruct.dataset.spending import Payee, Spent, spent_on

STAGES = ("instruct", "edit", "answer", "verify", "review")
"""The stages at which a draft can end, in order."""
_SEED_LIVES = "transform/retrieve"
"""Where it is another seed that is left out."""
MOST_REASONS = 5000
"""Different reasons that are told apart; what else turns up is counted as `other`."""


@dataclass(slots=True)
class Funnel:
    """How many drafts of a skill, or of all, there were, and where they ended."""

    records: int = 0
    accepted: int = 0
    refined: int = 0
    """Records that refine another item."""
    declined: int = 0
    """Seeds that ended at the transform, before there was a draft."""
    unsuggested: int = 0
    """Suggesters that failed: what they were to refine is a draft of its own."""
    lost: Counter[str] = field(default_factory=Counter)
    """Drafts dropped, by stage."""
    work: int = 0
    """Work items finished: a skill applied to a seed."""
    passing: BySeed = field(default_factory=BySeed)
    """Accepted records over drafts."""

    @property
    def drafts(self) -> int:
        """All drafts: each is a record, or was dropped at one of the `STAGES`."""
        return self.records + sum(self.lost.values())

    @property
    def passed(self) -> Figure:
        """The share of drafts that became accepted records."""
        return self.passing.share()

    def steps(self) -> list[tuple[str, int]]:
        """How many drafts are left after each stage, from all of them to the accepted."""
        left, steps = self.drafts, [("drafts", self.drafts)]
        for stage in STAGES:
            left -= self.lost[stage]
            if stage != "review" or self.lost[stage]:
                steps.append((stage, left))
        return [*steps, ("accepted", self.accepted)]

    def __iadd__(self, other: "Funnel") -> "Funnel":
        for name in ("records", "accepted", "refined", "declined", "unsuggested", "work"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.lost.update(other.lost)
        self.passing += other.passing
        return self


@dataclass(slots=True)
class Asked:
    """How often a check was asked, and how often a draft failed it."""

    asked: int = 0
    failed: int = 0


@dataclass(slots=True)
class Counted:
    """The counts of everything."""

    funnels: dict[str, Funnel] = field(default_factory=dict)
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Drops by skill, stage and reason."""
    checks: dict[tuple[str, str, str], Asked] = field(default_factory=dict)
    """By skill, check and kind."""
    categories: dict[str, Counter[str]] = field(default_factory=dict)
    """Drafts by skill and category."""
    accepted: dict[str, Counter[str]] = field(default_factory=dict)
    """Accepted records by skill and category."""
    transforms: dict[str, Counter[str]] = field(default_factory=dict)
    goals: dict[str, Counter[str]] = field(default_factory=dict)
    """Records by skill and refinement goal."""
    spent: dict[str, dict[Payee, Spent]] = field(default_factory=dict)
    """By skill, then by role and model."""
    licences: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    repeats: Repeats = field(default_factory=Repeats)

    def add(self, done: Mapping[str, Any]) -> None:
        """One finished work item, with its `records` and `dropped`."""
        skill = done["skill"]
        funnel = self.funnels.setdefault(skill, Funnel())
        funnel.work += 1
        before = funnel.accepted, funnel.drafts
        for row in done["records"]:
            self._record(skill, funnel, row)
        for row in done["dropped"]:
            self._dropped(skill, funnel, row)
        funnel.passing.add(done["seed"], funnel.accepted - before[0], funnel.drafts - before[1])
        rows = [*done["records"], *done["dropped"]]
        for row in rows:
            self._verdicts(skill, row)
        purse = self.spent.setdefault(skill, {})
        for payee, spent in spent_on(rows).items():
            purse.setdefault(payee, Spent()).add(spent)

    @property
    def total(self) -> Funnel:
        """All skills together."""
        total = Funnel()
        for funnel in self.funnels.values():
            total += funnel
        return total

    @property
    def purse(self) -> dict[Payee, Spent]:
        """What all skills took, by role and model."""
        purse: dict[Payee, Spent] = {}
        for spent in self.spent.values():
            for payee, one in spent.items():
                purse.setdefault(payee, Spent()).add(one)
        return purse

    @property
    def repeated(self) -> int:
        """Records that ask what another record asks, word for word."""
        return self.repeats.count

    def _record(self, skill: str, funnel: Funnel, row: Mapping[str, Any]) -> None:
        funnel.records += 1
        funnel.accepted += bool(row["accepted"])
        funnel.refined += bool(row["depth"])
        self._draft(skill, row)
        if row["accepted"]:
            self.accepted.setdefault(skill, Counter())[row["category"]] += 1
        if row["goal"]:
            self.goals.setdefault(skill, Counter())[row["goal"]] += 1
        self.licences[row["licence"]] += 1
        self.languages[row["language"] or "unknown"] += 1
        _capped(self.sources, row["source"], 10_000)
        self.repeats.add(row)

    def _dropped(self, skill: str, funnel: Funnel, row: Mapping[str, Any]) -> None:
        stage = str(row["stage"].partition("/")[0])
        if stage in STAGES:
            funnel.lost[stage] += 1
            self._draft(skill, row)
        funnel.unsuggested += stage == "suggest"
        funnel.declined += stage == "transform" and row["stage"] != _SEED_LIVES
        _capped(self.reasons, (skill, stage, row["reason"]), MOST_REASONS, (skill, stage, "other"))

    def _draft(self, skill: str, row: Mapping[str, Any]) -> None:
        self.categories.setdefault(skill, Counter())[row["category"]] += 1
        self.transforms.setdefault(skill, Counter())[row["transform"]] += 1

    def _verdicts(self, skill: str, row: Mapping[str, Any]) -> None:
        """Each check once a draft: it failed where any of its verdicts did."""
        found: dict[tuple[str, str], bool] = {}
        for verdict in row["verdicts"]:
            key = verdict["check"], verdict["kind"]
            found[key] = found.get(key, True) and verdict["passed"]
        for (check, kind), passed in found.items():
            asked = self.checks.setdefault((skill, check, kind), Asked())
            asked.asked += 1
            asked.failed += not passed


def _capped(counter: Counter[Any], key: Any, most: int, rest: Any = "other") -> None:
    counter[key if key in counter or len(counter) < most else rest] += 1
