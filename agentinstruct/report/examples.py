"""A few rows to read: records of every skill, and for each frequent reason a draft that was dropped for it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agentinstruct.dataset.measure_sample import Sample

RECORDS = 9
DROPS = 12


@dataclass(slots=True)
class Examples:
    """What is kept while rows stream by: one record a skill and state, one drop a reason."""

    records: Sample[dict[str, Any]] = field(default_factory=lambda: Sample(1))
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    drops: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def add(self, done: Mapping[str, Any]) -> None:
        """One finished work item."""
        for row in done["records"]:
            if row["accepted"]:
                self.records.offer((row["skill"], bool(row["depth"])), row["id"], partial(dict, row))
        for row in done["dropped"]:
            reason = row["stage"], row["reason"]
            if reason in self.reasons or len(self.reasons) < 2000:
                self.reasons[reason] += 1
                kept = self.drops.get(reason)
                if kept is None or (len(row["detail"]) > len(kept["detail"]) and len(kept["detail"]) < 40):
                    self.drops[reason] = dict(row)

    def chosen(self) -> list[dict[str, Any]]:
        """Records to show: refined ones where there are, a skill each until there are enough."""
        best: dict[str, dict[str, Any]] = {}
        for _, row in self.records.members():
            if row["skill"] not in best or row["depth"] > best[row["skill"]]["depth"]:
                best[row["skill"]] = row
        ranked = sorted(best.values(), key=lambda row: str(row["id"]))
        return sorted(ranked[:RECORDS], key=lambda row: str(row["skill"]))

    def dropped(self) -> list[tuple[int, dict[str, Any]]]:
        """The most frequent reasons, each with how often it struck and a draft."""
        return [(count, self.drops[reason]) for reason, count in self.reasons.most_common(DROPS)]
