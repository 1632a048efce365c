"""Forms of data to text: a free text with exact demands, a question over the data, filled templates, an alert.

What can be computed from the data is computed: the answer to a question, the sentence of every row, the rows that an
alert must name, the figures that a report must state. Only free prose is left to other checks.
"""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from agentinstruct.agents.forms.form import Fault, Form
from agentinstruct.agents.records import Frozen, Item
from agentinstruct.agents.spoken import Changed, Spoken
from agentinstruct.tools.constraints import Constraint
from agentinstruct.tools.constraints import faults as unfit
from agentinstruct.tools.quotes import contains, fold, numbers
from agentinstruct.tools.tables import Data, Table, TableError, ask, chosen, read

if TYPE_CHECKING:
    pass


def data_in(passage: str) -> Data | None:
    """The data of a passage; None where there is none."""
    try:
        return read(passage)
    except TableError:
        return None


class Demand(Frozen):
    """One demand on the form of a text that a program can check."""

    kind: Literal[
        "max_words",
        "min_words",
        "max_sentences",
        "exact_sentences",
        "max_sentence_words",
        "exact_paragraphs",
        "require_words",
        "forbid_words",
        "starts_with",
        "ends_with",
        "bullets",
        "numbered",
        "headings",
    ]
    number: int = Field(0, ge=0, le=2000, description="The limit; for bullets, numbered and headings how many; else 0.")
    words: tuple[str, ...] = Field(
        (), max_length=6, description="The words required, forbidden, or to begin or end with."
    )

    @property
    def constraint(self) -> Constraint:
        """The same as `tools.constraints` checks it."""
        if self.kind in ("bullets", "numbered", "headings"):
            return Constraint(kind="markup", style=self.kind, number=self.number)
        return Constraint(kind=self.kind, number=self.number, words=self.words)


class Figure(Frozen):
    """A number that a text must state, and how it follows from the data."""

    what: str = Field(description="What it is, as the instruction calls it.")
    query: str = Field(description="How it is computed from the data, such as total('Visitors').")


class Verbal(Form):
    """A text about the data, free in its words and exact in its demands."""

    name: ClassVar[str] = "verbal"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Changed
    question: str = Field(min_length=20, alias="instruction", description="What the user asks for, without the data.")
    names: tuple[str, ...] = Field(
        (),
        max_length=12,
        description="Names of rows, groups or columns, copied from the data, that the text must mention.",
    )
    figures: tuple[Figure, ...] = Field((), max_length=3, description="Derived numbers that the instruction asks for.")
    no_causes: bool = Field(
        False, description="True if the instruction forbids explanations that the data does not give."
    )
    demands: tuple[Demand, ...] = Field((), max_length=5, description="The checkable demands of the instruction.")

    def arrange(self, draw: Random) -> Item:
        """The instruction as it is."""
        return self._item(self.question)

    def notes(self) -> Iterator[str]:
        """The demands behind the words."""
        yield from (f"Must mention: {name}" for name in self.names)
        yield from (f"Must state: {figure.what} = {figure.query}" for figure in self.figures)
        yield from (f"Demand: {demand.constraint}" for demand in self.demands)
        if self.no_causes:
            yield "No causes that the data does not give."

    def faults(self, passage: str) -> Iterator[Fault]:
        """Every demand must have its object in the data and its words in the instruction."""
        data = data_in(passage)
        if data is None:
            yield "form", "the passage holds no data that can be read"
            return
        yield from (("grounded", f"not in the data: {name!r}") for name in self.names if not contains(passage, name))
        for figure in self.figures:
            try:
                ask(figure.query, data)
            except TableError as error:
                yield "form", f"{figure.what} cannot be computed: {error}"
        yield from _unstated(self.demands, self.question)
        if self.no_causes and not _forbids(self.question):
            yield "form", "the instruction does not say that causes are unwanted"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key."""
        return None


def _unstated(demands: Sequence[Demand], instruction: str) -> Iterator[Fault]:
    """Demands that make no sense, or that the instruction does not state."""
    for demand in demands:
        if demand.number and demand.number not in {int(n) for n in numbers(instruction)}:
            yield "form", f"the instruction does not state the number of {demand.constraint}"
        elif lost := next((word for word in demand.words if fold(word) not in fold(instruction)), ""):
            yield "form", f"the instruction does not state {lost!r} of {demand.constraint}"
    found = unfit([demand.constraint for demand in demands], "")
    yield from (("form", fault) for fault in found if not fault.endswith("already is that way"))


def _forbids(instruction: str) -> bool:
    """Whether an instruction says that causes are not to be given."""
    said = fold(instruction)
    return bool(
        re.search(
            r"\b(?:not?|without|never|avoid|leave out|refrain|only|nor|don't|stick|keep|free of|strictly|just)\b", said
        )
        and re.search(
            r"caus|reason|explan|explain|\bwhy\b|speculat|interpret|attribut|due to|driver|behind"
            r"|what the (?:data|figures)",
            said,
        )
    )


class Alert(Form):
    """A notice about the rows that pass a limit, and no others."""

    name: ClassVar[str] = "alert"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Changed
    question: str = Field(
        min_length=20, alias="instruction", description="What the user asks for, with the limit, without the data."
    )
    condition: str = Field(
        min_length=3, description="The limit as a condition on one column of numbers, such as Rain > 60."
    )
    demands: tuple[Demand, ...] = Field((), max_length=3, description="The checkable demands of the instruction.")

    def arrange(self, draw: Random) -> Item:
        """The instruction as it is."""
        return self._item(self.question)

    def notes(self) -> Iterator[str]:
        """The limit, and the demands."""
        yield f"Fires where: {self.condition}"
        yield from (f"Demand: {demand.constraint}" for demand in self.demands)

    def faults(self, passage: str) -> Iterator[Fault]:
        """The limit must be passed by some rows and not by all, and the instruction must state it."""
        data = data_in(passage)
        fires = data and self.fires(data)
        if not fires:
            yield "form", f"{self.condition!r} is no limit that some named rows pass"
            return
        table, rows = fires
        if len(rows) == len(table.rows) or len(rows) > 8:
            yield "form", f"{len(rows)} of {len(table.rows)} rows pass the limit: an alert is about a few"
        if not set(numbers(re.split(r"[<>=]", self.condition)[-1])) <= set(numbers(self.question)):
            yield "form", "the instruction does not state the limit"
        yield from _unstated(self.demands, self.question)

    def fires(self, data: Data) -> tuple[Table, tuple[int, ...]] | None:
        """The first table in which named rows pass the limit, and those rows."""
        for table in data.sources:
            try:
                if table.names and (rows := chosen(table, self.condition)):
                    return table, rows
            except TableError:
                continue
        return None

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key."""
        return None
