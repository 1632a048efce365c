"""The few figures that a dataset card carries, counted while its records go by; `agentinstruct report` has all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agentinstruct.dataset.alike import Repeats
from agentinstruct.dataset.measure_coverage import taxonomy
from agentinstruct.dataset.measure_figures import BySeed, Figure
from agentinstruct.dataset.measure_options import LEAST, Keys
from agentinstruct.dataset.measure_sample import Sample
from agentinstruct.dataset.measure_text import answered_in, asked_in, count_words

_WORDED = 500
"""Records of each skill whose words are counted."""


@dataclass(slots=True)
class KeyFigures:
    """Counted row by row."""

    records: int = 0
    accepted: int = 0
    passed: BySeed = field(default_factory=BySeed)
    refined: BySeed = field(default_factory=BySeed)
    drawn: set[tuple[str, str]] = field(default_factory=set)
    keys: Keys = field(default_factory=Keys)
    repeats: Repeats = field(default_factory=Repeats)
    words: Sample[tuple[str, int, int]] = field(default_factory=lambda: Sample(_WORDED))

    def add(self, row: Mapping[str, Any]) -> None:
        """One record."""
        self.records += 1
        self.accepted += bool(row["accepted"])
        self.passed.add(row["seed_id"], row["accepted"])
        self.refined.add(row["seed_id"], bool(row["depth"]))
        self.drawn.add((row["skill"], row["category"]))
        self.repeats.add(row)
        self.keys.add(row)
        self.words.offer(row["skill"], row["id"], partial(_words, row))

    def rows(self) -> list[tuple[str, str]]:
        """Name and value, for a table."""
        known = {(skill, name) for skill in {skill for skill, _ in self.drawn} for name in taxonomy(skill)}
        asked, answered = BySeed(), BySeed()
        for weight, (seed, *counts) in self.words.weighted():
            for words, count in zip((asked, answered), counts, strict=True):
                words.add(seed, weight * count, weight)
        found = [
            ("accepted", _percent(self.passed.share())),
            ("refine another item", _percent(self.refined.share())),
            ("categories with a record", f"{len(self.drawn & known)} of {len(known)}"),
            ("ask the same as another, word for word", f"{self.repeats.count}"),
            ("words asked, without the passage", _number(asked.ratio())),
            ("words answered", _number(answered.ratio())),
        ]
        for one in self.keys.balances():
            if sum(one.places) >= LEAST * one.options:
                spread = " · ".join(str(n) for n in one.places)
                found.append((f"keys by place, {one.options} options", f"{spread} (chi-square p = {one.p:.2f})"))
        return found if self.records else []


def _words(row: Mapping[str, Any]) -> tuple[str, int, int]:
    return row["seed_id"], count_words(asked_in(row)), count_words(answered_in(row))


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
