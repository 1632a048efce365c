"""Whether the right option stands in every place as often: a student must not learn that the answer is usually C."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agentinstruct.agents.forms.labels import NAMES, style_of
from agentinstruct.dataset.measure_figures import chi_square_tail

LEAST = 5
"""Expected keys a place below which chi-square says little."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Keys by their place among so many options, tested against an even spread."""

    options: int
    places: tuple[int, ...]
    chi_square: float
    freedom: int
    p: float
    """The chance that an even spread looks this uneven."""

    @property
    def enough(self) -> bool:
        """Whether there are keys enough for the test to mean anything."""
        return sum(self.places) >= LEAST * self.options


@dataclass(slots=True)
class Keys:
    """Records' keys by number of options and place: one for an item and its refinements, which are alike."""

    _counts: Counter[tuple[int, int]] = field(default_factory=Counter)
    _work: tuple[str, str] = ("", "")
    _roots: dict[str, str] = field(default_factory=dict)
    _chosen: dict[str, tuple[str, tuple[int, int]]] = field(default_factory=dict)
    """By original: of its family the smallest id with a key, which is a fair draw; where that key stands."""

    def add(self, row: Mapping[str, Any]) -> None:
        """Count a record where its key is the label of an option; those of one work item come one after another."""
        if (row["skill"], row["seed_id"]) != self._work:
            self._settle()
            self._work = row["skill"], row["seed_id"]
        root = self._roots[row["id"]] = self._roots.get(row["parent"], row["parent"]) or row["id"]
        if place := _place(row):
            found = row["id"], place
            self._chosen[root] = min(self._chosen.get(root, found), found)

    def balances(self) -> list[Balance]:
        """One balance for each number of options."""
        self._settle()
        return [_balance(self._counts, options) for options in sorted({options for options, _ in self._counts})]

    def _settle(self) -> None:
        self._counts.update(place for _, place in self._chosen.values())
        self._chosen.clear()
        self._roots.clear()


def _place(row: Mapping[str, Any]) -> tuple[int, int] | None:
    """How many options a record has, and at which place the right one stands; None where its key is no label."""
    key = row["key"]
    style = style_of(key) if key and ", " not in key else "none"
    if style == "none":
        return None
    user = next((turn["content"] for turn in row["messages"] if turn["role"] == "user"), "")
    shown, at = _options(user, NAMES[style]), NAMES[style].index(key)
    return (shown, at) if at < shown else None


def _balance(counts: Counter[tuple[int, int]], options: int) -> Balance:
    places = tuple(counts[options, place] for place in range(options))
    expected = sum(places) / options
    statistic = sum((n - expected) ** 2 / expected for n in places)
    return Balance(options, places, statistic, options - 1, chi_square_tail(statistic, options - 1))


def _options(text: str, names: tuple[str, ...]) -> int:
    """How many labelled options, from the first label on, stand at the beginnings of lines; 0 below two."""
    found = set(re.findall(r"^\(?([A-J]|[ivx]{1,4}|\d{1,2})[.):] ", text, re.MULTILINE))
    count = next((at for at, name in enumerate(names) if name not in found), len(names))
    return count if count > 1 else 0
