"""Whether the right option stands in every place as often: a student must not learn that the answer is usually C."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
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


def add_key(keys: Counter[tuple[int, int]], row: Mapping[str, Any]) -> None:
    """Count a record's key by number of options and place, where it is the label of one of them."""
    key = row["key"]
    style = style_of(key) if key and ", " not in key else "none"
    if style == "none":
        return
    user = next((turn["content"] for turn in row["messages"] if turn["role"] == "user"), "")
    if (shown := _options(user, NAMES[style])) and NAMES[style].index(key) < shown:
        keys[shown, NAMES[style].index(key)] += 1


def balances(keys: Counter[tuple[int, int]]) -> list[Balance]:
    """One balance for each number of options."""
    found = []
    for options in sorted({options for options, _ in keys}):
        places = tuple(keys[options, place] for place in range(options))
        expected = sum(places) / options
        statistic = sum((n - expected) ** 2 / expected for n in places)
        found.append(Balance(options, places, statistic, options - 1, chi_square_tail(statistic, options - 1)))
    return found


def _options(text: str, names: tuple[str, ...]) -> int:
    """How many labelled options, from the first label on, stand at the beginnings of lines; 0 below two."""
    found = set(re.findall(r"^\(?([A-J]|[ivx]{1,4}|\d{1,2})[.):] ", text, re.MULTILINE))
    count = next((at for at, name in enumerate(names) if name not in found), len(names))
    return count if count > 1 else 0
