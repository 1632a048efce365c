"""What a run came to, read back from its journal: yield per stage, and why drafts were dropped."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from agentinstruct.dataset.spending import Payee, Spent, spent_on
from agentinstruct.run.reader import JournalReader

STAGES = ("instruct", "edit", "answer", "verify")
"""The stages at which a draft can end."""
_SEED_LIVES = "transform/retrieve"
"""Where it is another seed that is left out."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for which drafts were dropped, with one of them."""

    stage: str
    reason: str
    count: int
    skill: str
    category: str
    detail: str
    source: str


@dataclass(frozen=True, slots=True)
class Asked:
    """How often one check was asked, and how often a draft failed it."""

    check: str
    kind: str
    asked: int
    failed: int


@dataclass(frozen=True, slots=True)
class Yield:
    """What a skill's drafts came to."""

    skill: str
    drafts: int
    records: int
    accepted: int
    """Of the records, those that passed every check."""

    @property
    def share(self) -> float:
        """The part of all drafts that was accepted, from 0 to 1."""
        return self.accepted / self.drafts if self.drafts else 0.0


@dataclass(slots=True)
class Summary:
    """Totals over the whole run folder, earlier sittings included."""

    records: Counter[str] = field(default_factory=Counter)
    """Records by skill."""
    accepted: Counter[str] = field(default_factory=Counter)
    categories: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    """Dropped by stage."""
    lost: Counter[str] = field(default_factory=Counter)
    """Dropped drafts by skill."""
    refined: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    items_done: int = 0
    items_failed: int = 0
    calls: int = 0
    reasons: list[Reason] = field(default_factory=list)
    checks: list[Asked] = field(default_factory=list)
    """Every check that was asked, those that failed most first."""
    spent: dict[Payee, Spent] = field(default_factory=dict)
    """Calls and tokens by role and model, as the rows of finished work carry them."""
    declined: int = 0
    """Seeds that ended at the transform, before there was a draft."""

    @property
    def drafts(self) -> int:
        """All drafts: each is a record, or was dropped at one of the `STAGES`."""
        return sum(self.records.values()) + sum(self.dropped[stage] for stage in STAGES)

    def yields(self) -> list[Yield]:
        """What became of each skill's drafts, by skill."""
        skills = sorted(self.records.keys() | self.lost.keys())
        return [Yield(s, self.records[s] + self.lost[s], self.records[s], self.accepted[s]) for s in skills]

    @property
    def suggestions(self) -> int:
        """Suggesters that failed: what they were to refine is a draft of its own."""
        return self.dropped["suggest"]


def summarise(journal: JournalReader, top: int = 3) -> Summary:
    """Read every record and dropped draft once.

    Args:
        journal: An open journal, or one opened for reading.
        top: How many of the most frequent drop reasons to keep, each with an example.
    """
    summary, counts = Summary(), journal.counts()
    verdicts: Counter[tuple[str, str, bool]] = Counter()
    summary.items_done, summary.items_failed, summary.calls = counts.done, counts.failed, counts.calls
    why: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for done in journal.outcomes():
        for row in done["records"]:
            _record(summary, row)
        for row in done["dropped"]:
            stage = _dropped(summary, row)
            why[stage, row["reason"]] += 1
            first.setdefault((stage, row["reason"]), row)
        rows = [*done["records"], *done["dropped"]]
        for row in rows:
            _count(verdicts, row)
        for payee, spent in spent_on(rows).items():
            summary.spent.setdefault(payee, Spent()).add(spent)
    summary.reasons = [_reason(first[key], key, count) for key, count in why.most_common(top)]
    summary.checks = _asked(verdicts)
    return summary


def _record(summary: Summary, row: dict[str, Any]) -> None:
    summary.records[row["skill"]] += 1
    summary.accepted[row["skill"]] += bool(row["accepted"])
    summary.categories[row["skill"], row["category"]] += 1
    summary.refined += bool(row["depth"])


def _dropped(summary: Summary, row: dict[str, Any]) -> str:
    stage = str(row["stage"].partition("/")[0])
    summary.dropped[stage] += 1
    summary.lost[row["skill"]] += stage in STAGES
    summary.declined += stage == "transform" and row["stage"] != _SEED_LIVES
    return stage


def _count(verdicts: Counter[tuple[str, str, bool]], row: dict[str, Any]) -> None:
    """Add a draft's verdicts, each check once: it failed where any of its verdicts did."""
    found: dict[tuple[str, str], bool] = {}
    for verdict in row["verdicts"]:
        key = verdict["check"], verdict["kind"]
        found[key] = found.get(key, True) and verdict["passed"]
    verdicts.update((*key, passed) for key, passed in found.items())


def _asked(verdicts: Counter[tuple[str, str, bool]]) -> list[Asked]:
    names = dict.fromkeys((check, kind) for check, kind, _ in verdicts)
    counts = [
        Asked(*key, asked=verdicts[*key, True] + verdicts[*key, False], failed=verdicts[*key, False]) for key in names
    ]
    return sorted(counts, key=lambda one: (-one.failed, -one.asked, one.check))


def _reason(row: dict[str, Any], key: tuple[str, str], count: int) -> Reason:
    return Reason(key[0], key[1], count, row["skill"], row["category"], row["detail"], row["source"])
