"""Forms of Fermi estimation: one quantity, or two magnitudes to compare. There is no key: the work is checked."""

import re
from collections.abc import Iterator
from random import Random
from typing import ClassVar, Literal

from pydantic import Field

from agentinstruct.agents.estimates import Compared, Comparer, Estimated, Estimator
from agentinstruct.agents.forms.form import Fault, Form
from agentinstruct.agents.records import Frozen, Item
from agentinstruct.agents.replies import Solution
from agentinstruct.agents.spoken import Spoken
from agentinstruct.tools.quotes import fold, numbers
from agentinstruct.tools.units import UnitError, quantity

_MOST_WORDS = 130
_BOUNDS = re.compile(
    r"\b(?:range|bounds?|at least|at most|between|upper|lower|limits?|how (?:low|high|far)|smallest|largest)\b"
)
_DOMINANT = re.compile(
    r"\b(?:which|what|where)\b.{0,60}\b(?:assumption|guess|uncertain|estimate|factor|input|number)|\bmatters? most\b"
    r"|\bmost (?:uncertain|sensitive)|\bdominat|\bsensitiv|\bdepends? most"
)


class Given(Frozen):
    """A value that the question states."""

    what: str
    value: float
    unit: str = Field(max_length=80)


class Estimate(Form):
    """A question for a quantity that nobody can look up but anybody can reason towards."""

    name: ClassVar[str] = "estimate"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Estimated
    solution: ClassVar[type[Solution]] = Estimator
    question: str = Field(min_length=20, description="The whole question, with every given in it.")
    quantity: str = Field(min_length=4, description="What is to be estimated, as a noun phrase.")
    unit: str = Field(max_length=60, description="The unit of the answer; empty for a plain number or a probability.")
    givens: tuple[Given, ...] = Field((), max_length=6, description="The values that the question states.")
    factors: tuple[str, ...] = Field(
        min_length=2, max_length=9, description="What has to be known or guessed on the way, one noun phrase for each."
    )
    asks: Literal["estimate", "bounds", "dominant"] = Field(
        "estimate", description="bounds: the question asks for a range; dominant: for the assumption that matters most."
    )

    def arrange(self, draw: Random) -> Item:
        """The question, with the unit of its answer where it does not name it."""
        how = "" if not self.unit or _names(self.question, self.unit) else f" Give the answer in {self.unit}."
        return self._item(f"{self.question.strip()}{how}")

    def notes(self) -> Iterator[str]:
        """What is wanted, what is given, what has to be estimated."""
        yield f"Wanted: {self.quantity} in {self.unit or 'plain numbers'} ({self.asks})"
        yield from (f"Given: {given.what} = {given.value:g} {given.unit}".strip() for given in self.givens)
        yield f"To be estimated: {'; '.join(self.factors)}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """Units can be read, givens stand in the question, and what is asked is asked in words."""
        yield from _unreadable(self.unit, self.givens, self.question)
        if self.asks == "bounds" and not _BOUNDS.search(fold(self.question)):
            yield "form", "the question does not ask for a range"
        if self.asks == "dominant" and not _DOMINANT.search(fold(self.question)):
            yield "form", "the question does not ask which assumption matters most"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key."""
        return None


class Comparison(Form):
    """A question which of two magnitudes is greater, and how many times."""

    name: ClassVar[str] = "comparison"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Compared
    solution: ClassVar[type[Solution]] = Comparer
    question: str = Field(min_length=20, description="The whole question, with every given in it.")
    first: str = Field(min_length=4, description="The one magnitude, as a noun phrase.")
    second: str = Field(min_length=4, description="The other.")
    unit: str = Field(max_length=60, description="The unit in which both are estimated.")
    givens: tuple[Given, ...] = Field((), max_length=6, description="The values that the question states.")
    factors: tuple[str, ...] = Field(
        min_length=2, max_length=9, description="What has to be known or guessed on the way, one noun phrase for each."
    )

    def arrange(self, draw: Random) -> Item:
        """The question, and in which order the two are set against each other."""
        return self._item(f"{self.question.strip()} (First: {self.first}. Second: {self.second}.)")

    def notes(self) -> Iterator[str]:
        """The two magnitudes, what is given, what has to be estimated."""
        yield f"First: {self.first}; second: {self.second}; both in {self.unit or 'plain numbers'}"
        yield from (f"Given: {given.what} = {given.value:g} {given.unit}".strip() for given in self.givens)
        yield f"To be estimated: {'; '.join(self.factors)}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """Units can be read, givens stand in the question, the two are different things."""
        yield from _unreadable(self.unit, self.givens, self.question)
        if fold(self.first) == fold(self.second):
            yield "form", "the two magnitudes are the same"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key."""
        return None


def _names(question: str, unit: str) -> bool:
    """Whether a question names a unit: as it is written, or by all its longer words."""
    words = re.findall(r"[^\W\d_]{3,}", fold(unit))
    return fold(unit) in fold(question).split() or (bool(words) and all(word[:4] in fold(question) for word in words))


def _unreadable(unit: str, givens: tuple[Given, ...], question: str) -> Iterator[Fault]:
    try:
        quantity(1, unit)
        for given in givens:
            quantity(given.value, given.unit)
    except UnitError as error:
        yield "form", str(error)
    stated = numbers(question)
    for given in givens:
        scaled = [given.value, *(given.value * k for k in (1e-12, 1e-9, 1e-6, 1e-3, 1e-2, 1e2, 1e3))]
        if not any(abs(said - value) <= 1e-6 * abs(value) for said in stated for value in scaled):
            yield "form", f"the question does not state {given.what} = {given.value:g}"
    if len(question.split()) > _MOST_WORDS:
        yield "form", f"the question has more than {_MOST_WORDS} words"
