"""Forms whose answer is words or a number: short answers, lists, calculations, essays, quotations, revisions.

Fields stand in the order in which they are best written: what the passage says before what is asked of it.
"""

import re
from collections.abc import Iterator
from random import Random
from typing import ClassVar, get_args

from pydantic import BaseModel, Field

from agentinstruct.agents.forms.figures import unstated, unused, worked_out
from agentinstruct.agents.forms.form import Fault, Form, repeated, unquoted
from agentinstruct.agents.records import Frozen, Item
from agentinstruct.agents.spoken import Changed, Spoken, Text
from agentinstruct.tools.calculate import CalculateError
from agentinstruct.tools.constraints import Constraint, EditKind, Kind
from agentinstruct.tools.constraints import faults as unfit
from agentinstruct.tools.quotes import (
    bare,
    contains,
    contradicts,
    fold,
    numbers,
    overlap,
    same_number,
    stated_number,
    units,
    within,
)

_WORD = re.compile(r"[^\W\d_]{2}|[\u3040-\ud7a3]")
"""Something that can name a person, a place or a reason: two letters, or one sign of a script that needs no more."""
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")


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
        """Equal words agree, another number or a negation does not, other words are for a reader to judge."""
        if fold(key) == fold(answer) or (bare(key) and bare(key) == bare(answer)):
            return True
        return False if contradicts(key, answer) else None


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
        """The same set of parts agrees, another number or a negation does not; anything else is for a reader."""
        first, second = (_parts(text) for text in (key, answer))
        if first == second:
            return True
        return False if contradicts("; ".join(first), "; ".join(second)) else None


def _parts(text: str) -> set[str]:
    return {bare(_BULLET.sub("", part).strip(" -")) for part in re.split(r"[;\n]", text)} - {""}


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
        """The question; the key is the number with its unit."""
        whole = self.answer % 1 == 0 or abs(self.answer) >= 1e6
        value = f"{self.answer:.0f}" if whole else f"{self.answer:g}"
        return self._item(self.question, key=f"{value} {self.unit}".strip())

    def faults(self, passage: str) -> Iterator[Fault]:
        """Facts are quoted and hold their value; the expression uses them and gives the answer."""
        yield from unquoted([fact.quote for fact in self.facts], passage)
        for fact in self.facts:
            if not any(same_number(fact.value, value) for value in numbers(fact.quote)):
                yield "recomputed", f"{fact.quote!r} does not state {fact.value:g}"
        yield from self._recomputed()

    def _recomputed(self) -> Iterator[Fault]:
        try:
            value = worked_out(self.expression)
        except CalculateError as error:
            yield "recomputed", f"{self.expression!r}: {error}"
            return
        if not same_number(value, self.answer):
            yield "recomputed", f"{self.expression} gives {value}, not {self.answer:g}"
        facts = [abs(fact.value) for fact in self.facts]
        for value in unused(self.expression, facts)[:1]:
            yield "recomputed", f"the expression does not use {value:g}"
        for unknown in unstated(self.expression, [*facts, len(facts)])[:1]:
            yield "recomputed", f"the expression uses {unknown:g}, which no fact states"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The number the answer comes to, up to rounding; where both name a unit, it must be the same."""
        value, _, unit = key.partition(" ")
        stated = stated_number(answer)
        expected, named = units(unit), units(answer)
        return (
            stated is not None
            and same_number(float(value), stated)
            and not (expected and named and not expected & named)
        )


class Essay(Form):
    """An open question, judged against the points a full answer covers."""

    name: ClassVar[str] = "essay"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Text
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
        """An answer that holds every quotation, or is most of the one, agrees; others are for a reader to judge."""
        quotes = key.strip('"').split('"; "')
        if all(within(quote, answer) for quote in quotes):
            return True
        return False if contradicts(key, answer) else None


PROGRAM_NAMES = re.compile("|".join([*(rf"\b{kind}\b" for kind in get_args(Kind) if "_" in kind), r"\bConstraints:"]))


class EditDemand(Constraint):
    """A demand on a change: no demand on a form that only a new piece can have."""

    kind: EditKind = Field(description="What is demanded.")


class Change(Frozen):
    """What the writer of a revision fills in."""

    question: str = Field(min_length=8, alias="instruction")
    constraints: tuple[EditDemand, ...] = Field(max_length=6)


class Revision(Form):
    """A change to make to a text, with the machine-checkable part of it."""

    name: ClassVar[str] = "revision"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Changed
    writes: ClassVar[type[BaseModel] | None] = Change
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
        if name := PROGRAM_NAMES.search(self.question):
            yield "form", f"the instruction holds {name[0]!r}, which is no user's word"
        if bare(self.question) in bare(passage):
            yield "form", "the instruction is a piece of the text itself"
        for fault in unfit(self.constraints, passage):
            yield "form", fault

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key."""
        return None
