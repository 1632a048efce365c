"""Questions that stand by themselves: their user never sees the passage they were written from.

open        an open question, held against the points of a full answer
definite    a question with one short answer, which the passage bears out
quantity    a problem whose figures all stand in the question; its answer is computed
premise     a question that takes something false for granted; a good answer says so
"""

import re
from collections.abc import Iterator
from random import Random
from typing import ClassVar

from pydantic import Field

from agentinstruct.agents.forms.figures import unstated, worked_out
from agentinstruct.agents.forms.form import Fault, Form, repeated, unquoted
from agentinstruct.agents.forms.open import Number, Short
from agentinstruct.agents.records import Item
from agentinstruct.agents.spoken import Spoken, Text
from agentinstruct.tools.calculate import CalculateError
from agentinstruct.tools.quotes import bare, contains, numbers, overlap, same_number

_WHETHER = re.compile(
    r"\b(?:is it (?:true|right|correct|the case)|true or false|supposed(?:ly)?|alleged(?:ly)?|so-called|myth"
    r"|misconception|am i right)\b",
    re.IGNORECASE,
)
_ROUNDS = re.compile(
    r"\b(?:round(?:ed|ing)?|nearest|decimals?|whole|about|approximately|roughly|significant)\b", re.IGNORECASE
)
_TOLD = 0.8
"""A question with this much of a point's wording has told it."""
_CARRIED = 0.5
"""The share of a premise's words that must stand in the question that rests on it."""


class Open(Form):
    """An open question, held against what a full answer says."""

    name: ClassVar[str] = "open"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Text
    evidence: tuple[str, ...] = Field(min_length=1, max_length=4, description="Exact quotations from the material.")
    question: str = Field(min_length=12)
    points: tuple[str, ...] = Field(min_length=2, max_length=6, description="What a full answer says, one thing each.")

    def arrange(self, draw: Random) -> Item:
        """The question alone: an open one has no key."""
        return self._item(self.question)

    def notes(self) -> Iterator[str]:
        """The evidence, and the points of a full answer."""
        yield from super().notes()
        for point in self.points:
            yield f"Point: {point}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """Evidence must be quoted, points distinct and not told by the question itself."""
        yield from unquoted(self.evidence, passage)
        yield from repeated(self.points, "points")
        for point in self.points:
            if contains(self.question, point) or overlap(point, self.question) > _TOLD:
                yield "form", f"the question tells what it asks for: {point!r}"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Only a reader can tell."""
        return None


class Definite(Short):
    """A question with one short answer, to be given without the passage that bears it out."""

    name: ClassVar[str] = "definite"

    def faults(self, passage: str) -> Iterator[Fault]:
        """The evidence must hold the answer."""
        yield from super().faults(passage)
        if not _borne_out(self.answer, " ".join(self.evidence)):
            yield "grounded", f"no evidence that is quoted holds the answer {self.answer!r}"


def _borne_out(answer: str, evidence: str) -> bool:
    """Whether half of the answer's words, or its first number, stand in the evidence."""
    stated = set(numbers(evidence))
    if found := numbers(answer):
        return found[0] in stated
    words = bare(answer).split()
    known = set(bare(evidence).split())
    return bool(words) and 2 * sum(word in known for word in words) >= len(words)


class Quantity(Form):
    """A problem whose figures all stand in its question."""

    name: ClassVar[str] = "quantity"
    evidence: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations from the material.")
    question: str = Field(min_length=12)
    expression: str = Field(description="Arithmetic over the question's figures, such as 120 * (1 - 15 / 100).")
    answer: float = Field(allow_inf_nan=False)
    unit: str = ""

    def notes(self) -> Iterator[str]:
        """The evidence and the calculation."""
        yield from super().notes()
        yield f"Calculation: {self.expression}"

    def arrange(self, draw: Random) -> Item:
        """The question; the key is the number with its unit."""
        whole = self.answer % 1 == 0 or abs(self.answer) >= 1e6
        value = f"{self.answer:.0f}" if whole else f"{self.answer:g}"
        return self._item(self.question, key=f"{value} {self.unit}".strip())

    def faults(self, passage: str) -> Iterator[Fault]:
        """The evidence is quoted; the expression has no figure but the question's, and gives the answer."""
        yield from unquoted(self.evidence, passage)
        try:
            value = worked_out(self.expression)
        except CalculateError as error:
            yield "recomputed", f"{self.expression!r}: {error}"
            return
        if not self._comes_to(value):
            yield "recomputed", f"{self.expression} gives {value:g}, not {self.answer:g}"
        stated = numbers(self.question)
        for missing in unstated(self.expression, stated)[:1]:
            yield "recomputed", f"the expression uses {missing:g}, which the question does not state"
        if not numbers(self.expression) or not stated:
            yield "recomputed", "the question states no figure to calculate with"
        if len(numbers(self.expression)) < 2:
            yield "recomputed", f"{self.expression!r} calculates nothing"

    def _comes_to(self, value: float) -> bool:
        """Whether the answer is the value, or the value rounded where the question asks for that."""
        places = len(f"{self.answer:.6f}".rstrip("0").partition(".")[2])
        rounded = abs(value - self.answer) <= 0.5 * 10**-places + 1e-9
        return same_number(value, self.answer) or (rounded and bool(_ROUNDS.search(self.question)))

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The number the answer comes to, up to rounding; where both name a unit, it must be the same."""
        return Number.agrees(key, answer)


class Premise(Form):
    """A question that takes something false for granted."""

    name: ClassVar[str] = "premise"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Text
    evidence: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations that refute it.")
    premise: str = Field(min_length=8, description="The false statement, as the asker believes it.")
    correction: str = Field(min_length=8, description="What is really so.")
    question: str = Field(min_length=12)
    points: tuple[str, ...] = Field(min_length=2, max_length=5, description="What a full answer says, one thing each.")

    def arrange(self, draw: Random) -> Item:
        """The question alone."""
        return self._item(self.question)

    def notes(self) -> Iterator[str]:
        """The evidence, the mistake and what is so, and the points of a full answer."""
        yield from super().notes()
        yield f"False premise: {self.premise}"
        yield f"Correction: {self.correction}"
        for point in self.points:
            yield f"Point: {point}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """The question carries the premise and does not ask about it; premise and correction differ."""
        yield from unquoted(self.evidence, passage)
        yield from repeated(self.points, "points")
        words, asked = set(bare(self.premise).split()), set(bare(self.question).split())
        if len(words & asked) < _CARRIED * len(words):
            yield "form", f"the question does not rest on its premise: {self.premise!r}"
        if found := _WHETHER.search(self.question):
            yield "form", f"the question does not take its premise for granted: {found[0]!r}"
        if bare(self.premise) == bare(self.correction):
            yield "form", "premise and correction say the same"
        if any(bare(quote) == bare(self.premise) for quote in self.evidence):
            yield "form", "the evidence bears the premise out"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Only a reader can tell."""
        return None
