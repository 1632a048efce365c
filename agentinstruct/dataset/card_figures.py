"""The few figures that a dataset card carries, counted while its records go by; `agentinstruct report` has all."""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agentinstruct.dataset.measure_coverage import taxonomy
from agentinstruct.dataset.measure_figures import Figure, mean, share
from agentinstruct.dataset.measure_options import LEAST, add_key, balances
from agentinstruct.dataset.measure_sample import Sample
from agentinstruct.dataset.measure_text import answered_in, asked_in, count_words

_WORDED = 500
"""Records of each skill whose words are counted."""


@dataclass(slots=True)
class KeyFigures:
    """Counted row by row."""

    records: int = 0
    accepted: int = 0
    refined: int = 0
    drawn: set[tuple[str, str]] = field(default_factory=set)
    keys: Counter[tuple[int, int]] = field(default_factory=Counter)
    items: "array[int]" = field(default_factory=lambda: array("Q"))
    words: Sample[tuple[int, int]] = field(default_factory=lambda: Sample(_WORDED))

    def add(self, row: Mapping[str, Any]) -> None:
        """One record."""
        self.records += 1
        self.accepted += bool(row["accepted"])
        self.refined += bool(row["depth"])
        self.drawn.add((row["skill"], row["category"]))
        self.items.append(int((row.get("item") or row["id"])[:16], 16))
        add_key(self.keys, row)
        self.words.offer(row["skill"], row["id"], partial(_words, row))

    def rows(self) -> list[tuple[str, str]]:
        """Name and value, for a table."""
        import numpy  # only an export needs it

        known = {(skill, name) for skill in {skill for skill, _ in self.drawn} for name in taxonomy(skill)}
        words = [pair for _, pair in self.words.members()]
        asked, answered = (mean([pair[side] for pair in words]) for side in (0, 1))
        repeated = self.records - len(numpy.unique(self.items))
        found = [
            ("accepted", _percent(share(self.accepted, self.records))),
            ("refine another item", _percent(share(self.refined, self.records))),
            ("categories with a record", f"{len(self.drawn & known)} of {len(known)}"),
            ("ask the same as another, word for word", f"{repeated}"),
            ("words asked, without the passage", _number(asked)),
            ("words answered", _number(answered)),
        ]
        for one in balances(self.keys):
            if sum(one.places) >= LEAST * one.options:
                spread = " · ".join(str(n) for n in one.places)
                found.append((f"keys by place, {one.options} options", f"{spread} (chi-square p = {one.p:.2f})"))
        return found if self.records else []


def _words(row: Mapping[str, Any]) -> tuple[int, int]:
    return count_words(asked_in(row)), count_words(answered_in(row))


def _percent(figure: Figure) -> str:
    if figure.value is None or figure.low is None or figure.high is None:
        return "–"
    return f"{figure.value:.1%} (95 % interval {figure.low:.1%} to {figure.high:.1%})"


def _number(figure: Figure) -> str:
    if figure.value is None:
        return "–"
    around = (
        "" if figure.low is None or figure.high is None else f", 95 % interval {figure.low:.0f} to {figure.high:.0f}"
    )
    return f"{figure.value:.0f} (mean of {figure.of} sampled{around})"
