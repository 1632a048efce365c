"""Forms whose answer is words or a number: short answers, lists, calculations, essays, quotations, revisions.

Fields stand in the order in which they are best written: what the passage says before what is asked of it.
"""

import re
from collections.abc import Iterator
from random import Random
from typing import ClassVar, get_args

from pydantic import Field

from agentinstruct.agents.form import Fault, Form, repeated, unquoted
from agentinstruct.agents.records import Frozen, Item
from agentinstruct.tools.calculate import CalculateError, evaluate
from agentinstruct.tools.constraints import Constraint, Kind
from agentinstruct.tools.constraints import faults as unfit
from agentinstruct.tools.quotes import bare, contains, fold, numbers, overlap, same_number

_WORD = re.compile(r"[^\W\d_]{2}|[\u3040-\ud7a3]")
"""Something that can name a person, a place or a reason: two letters, or one sign of a script that needs no more."""


class Short(Form):
    """A question with a short answer that stands in the passage."""

    name: ClassVar[str] = "short"
    evidence: tuple[str, ...] = Field(min_length=1, max_length=4, description="Exact quotations from the passage.")
    question: str = Field(min_length=8)
    answer: str = Field(min_length=1)

    def arrange(self, draw: Random) -> Item:
        """The question as it is."""
        return self._item(self.question, key=self.answer)

    def faults(self, passage: str) -> Iterator[Fault]:
        """Evidence must be quoted; an answer must not be its question."""
        yield from unquoted(self.evidence, passage)
        given = contains(self.question, self.answer) and " or " not in self.question
        if given or overlap(self.answer, self.question) > 0.9:
            yield "form", f"the answer repeats the question: {self.answer!r}"
        if re.match(r"(?:who|whom|whose|where|why)\b", self.question, re.IGNORECASE) and not _WORD.search(self.answer):
            yield "form", f"{self.answer!r} answers no question of this kind"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Equal words agree, disjoint ones are for a reader to judge."""
        return True if fold(key) == fold(answer) or overlap(key, answer) >= 0.8 else None


class Listing(Form):
    """A question whose answer is several things the passage names."""

    name: ClassVar[str] = "list"
    evidence: tuple[str, ...] = Field(min_length=1, max_length=6, description="Exact quotations from the passage.")
    question: str = Field(min_length=8)
    answers: tuple[str, ...] = Field(min_length=2, max_length=8)

    def arrange(self, draw: Random) -> Item:
        """The question; the key joins the answers with semicolons."""
        return self._item(self.question, key="; ".join(self.answers))

    def faults(self, passage: str) -> Iterator[Fault]:
        """Evidence must be quoted, answers distinct."""
        yield from unquoted(self.evidence, passage)
        yield from repeated(self.answers, "answers")

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The same set of words agrees; anything else is for a reader."""
        first, second = ({bare(part.strip(" -")) for part in re.split(r"[;\n]", text)} - {""} for text in (key, answer))
        return True if first == second else None


class Fact(Frozen):
    """A number the passage states."""

    quote: str = Field(description="The exact words of the passage that state it.")
    value: float = Field(allow_inf_nan=False)


class Number(Form):
    """A question answered by combining numbers of the passage."""

    name: ClassVar[str] = "number"
    facts: tuple[Fact, ...] = Field(min_length=1, max_length=6)
    question: str = Field(min_length=8)
    expression: str = Field(description="Arithmetic over the facts' values, such as (120 - 45) / 3.")
    answer: float = Field(allow_inf_nan=False)
    unit: str = ""

    def notes(self) -> Iterator[str]:
        """The facts and the calculation."""
        for fact in self.facts:
            yield f"Fact: {fact.quote} ({fact.value:g})"
        yield f"Calculation: {self.expression}"

    def arrange(self, draw: Random) -> Item:
        """The question; the key is the number alone."""
        return self._item(self.question, key=f"{self.answer:g}" if abs(self.answer) < 1e6 else f"{self.answer:.10g}")

    def faults(self, passage: str) -> Iterator[Fault]:
        """Facts are quoted and hold their value; the expression uses them and gives the answer."""
        yield from unquoted([fact.quote for fact in self.facts], passage)
        for fact in self.facts:
            if not any(same_number(fact.value, value) for value in numbers(fact.quote)):
                yield "recomputed", f"{fact.quote!r} does not state {fact.value:g}"
        yield from self._recomputed()

    def _recomputed(self) -> Iterator[Fault]:
        try:
            value = evaluate(self.expression)
        except CalculateError as error:
            yield "recomputed", f"{self.expression!r}: {error}"
            return
        if isinstance(value, bool) or not isinstance(value, int | float) or not same_number(value, self.answer):
            yield "recomputed", f"{self.expression} gives {value}, not {self.answer:g}"
        unused = [
            fact.value
            for fact in self.facts
            if not any(same_number(abs(fact.value), abs(n)) for n in numbers(self.expression))
        ]
        if unused:
            yield "recomputed", f"the expression does not use {unused[0]:g}"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Numbers are compared up to rounding."""
        stated = numbers(answer)
        return bool(stated) and any(same_number(float(key), value) for value in stated[:1] + stated[-1:])


class Essay(Form):
    """An open question, judged against the points a full answer covers."""

    name: ClassVar[str] = "essay"
    definite: ClassVar[bool] = False
    question: str = Field(min_length=8)
    points: tuple[str, ...] = Field(min_length=2, max_length=6)

    def notes(self) -> Iterator[str]:
        """The points of a full answer."""
        for point in self.points:
            yield f"Point: {point}"

    def arrange(self, draw: Random) -> Item:
        """The question alone: an essay has no key."""
        return self._item(self.question)

    def faults(self, passage: str) -> Iterator[Fault]:
        """Points must be distinct."""
        yield from repeated(self.points, "points")

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Only a reader can tell."""
        return None


class Quote(Form):
    """Find the words of the passage that show something."""

    name: ClassVar[str] = "quote"
    quotes: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations from the passage.")
    question: str = Field(min_length=8)

    def arrange(self, draw: Random) -> Item:
        """The question; the key is the quotations."""
        return self._item(self.question, key="; ".join(f'"{quote}"' for quote in self.quotes))

    def faults(self, passage: str) -> Iterator[Fault]:
        """The key must stand in the passage."""
        yield from unquoted(self.quotes, passage)

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """An answer that contains the key's words, or is contained in them, agrees."""
        within = contains(answer, key) or (contains(key, answer) and overlap(key, answer) >= 0.5)
        return True if within or overlap(key, answer) >= 0.8 else None


_PROGRAM_NAMES = re.compile("|".join([*(rf"\b{kind}\b" for kind in get_args(Kind) if "_" in kind), r"\bConstraints:"]))


class Revision(Form):
    """A change to make to a text, with the machine-checkable part of it."""

    name: ClassVar[str] = "revision"
    definite: ClassVar[bool] = False
    question: str = Field(min_length=8, alias="instruction")
    constraints: tuple[Constraint, ...] = Field(max_length=6)

    def notes(self) -> Iterator[str]:
        """The constraints, which a refinement builds on."""
        for constraint in self.constraints:
            yield f"Constraint: {constraint}"

    def arrange(self, draw: Random) -> Item:
        """The instruction as it is."""
        return self._item(self.question)

    def faults(self, passage: str) -> Iterator[Fault]:
        """Constraints must be well formed, fit the text and leave something to do."""
        if name := _PROGRAM_NAMES.search(self.question):
            yield "form", f"the instruction holds {name[0]!r}, which is no user's word"
        if bare(self.question) in bare(passage):
            yield "form", "the instruction is a piece of the text itself"
        for fault in unfit(self.constraints, passage):
            yield "form", fault

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key."""
        return None
