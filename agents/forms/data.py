"""Forms of data to text: a free text with exact demands, a question over the data, filled templates, an alert.

What can be computed from the data is computed: the answer to a question, the sentence of every row, the rows that an
alert must name, the figures that a report must state. Only free prose is left to other checks.
"""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import BaseModel, Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.form import Fault, Form, Material
from agentinstruct.agents.forms.lookups import DERIVED, HARD, SIMPLE, sampled, stated
from agentinstruct.agents.records import Frozen, Item, Passage
from agentinstruct.agents.spoken import Changed, Spoken
from agentinstruct.tools.constraints import Constraint
from agentinstruct.tools.constraints import faults as unfit
from agentinstruct.tools.quotes import bare, contains, fold, numbers, stated_number
from agentinstruct.tools.tables import Data, Table, TableError, ask, chosen, read
from agentinstruct.tools.tables.query import calls_in

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category, Goal

_SLOT = re.compile(r"\{([^{}]+)\}")
_OPERATIONS = {"simple": SIMPLE, "derived": DERIVED, "hard": HARD}


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
    words: tuple[str, ...] = Field((), max_length=6, description="The words required, forbidden, or to begin or end with.")

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
        (), max_length=12, description="Names of rows, groups or columns, copied from the data, that the text must mention."
    )
    figures: tuple[Figure, ...] = Field((), max_length=3, description="Derived numbers that the instruction asks for.")
    no_causes: bool = Field(False, description="True if the instruction forbids explanations that the data does not give.")
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
        re.search(r"\b(?:not?|without|never|avoid|leave out|refrain|only|nor|don't|stick|keep|free of|strictly|just)\b", said)
        and re.search(r"caus|reason|explan|explain|\bwhy\b|speculat|interpret|attribut|due to|driver|behind|what the (?:data|figures)", said)
    )


class Rows(Form):
    """A sentence for each row, by a template that the user gives."""

    name: ClassVar[str] = "rows"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Changed
    question: str = Field(min_length=20, alias="instruction", description="What the user asks for, without template and data.")
    template: str = Field(min_length=10, description="One sentence with column names in braces, such as {Town} had {Rain} mm.")
    gap: str = Field(min_length=1, max_length=40, description="The words that stand for a missing value.")
    where: str = Field("", description="A condition such as Region = coast or Rain > 60, if only some rows are wanted; else empty.")

    def arrange(self, draw: Random) -> Item:
        """Instruction, template and rules in one."""
        rules = [f"Template: {self.template}", f'For a missing value write "{self.gap}".']
        if self.where:
            rules.append(f"Only rows with {self.where}.")
        return self._item("\n".join([self.question, "", *rules]))

    def faults(self, passage: str) -> Iterator[Fault]:
        """Every slot must be a column, and the condition must hold for some rows."""
        data = data_in(passage)
        table = data and self.table(data)
        if not table:
            yield "form", f"no table has all the columns of {self.template!r}"
            return
        try:
            if not chosen(table, self.where):
                yield "form", f"no row has {self.where}"
        except TableError as error:
            yield "form", str(error)
        if len(_SLOT.findall(self.template)) < 2:
            yield "form", "the template has fewer than two slots"

    def table(self, data: Data) -> Table | None:
        """The table that has all the columns of the template."""
        return next((table for table in data.sources if self._fits(table)), None)

    def _fits(self, table: Table) -> bool:
        try:
            return bool([table.column(slot) for slot in _SLOT.findall(self.template)])
        except TableError:
            return False

    def lines(self, data: Data) -> list[str]:
        """The sentences, as they must come out."""
        table = self.table(data)
        if table is None:
            return []
        return [_SLOT.sub(lambda m, r=r: self._cell(table, r, m[1]), self.template) for r in chosen(table, self.where)]

    def _cell(self, table: Table, row: int, column: str) -> str:
        at = table.column(column)
        if table.rows[row][at] is None:
            return self.gap
        return table.written[row][at] if table.written else stated(table.rows[row][at] or "", 2)

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key: the lines are computed from the data."""
        return None


class Alert(Form):
    """A notice about the rows that pass a limit, and no others."""

    name: ClassVar[str] = "alert"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Changed
    question: str = Field(min_length=20, alias="instruction", description="What the user asks for, with the limit, without the data.")
    condition: str = Field(min_length=3, description="The limit as a condition on one column of numbers, such as Rain > 60.")
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


class Worded(Frozen):
    """What a writer gives of a question that the program has drawn and answered."""

    question: str = Field(min_length=12, description="The question, as somebody who reads the data would put it.")


class Lookup(Form):
    """A question over the data whose answer the program has computed."""

    name: ClassVar[str] = "lookup"
    writes: ClassVar[type[BaseModel] | None] = Worded
    sampled: ClassVar[bool] = True
    question: str
    query: str
    asks: str
    answer: str
    unit: str
    data: str = Field(description="The data it was drawn from.")

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """A question of the category's level (`simple`, `derived` or `hard`) that the data answers."""
        data = data_in(passage.text)
        return data and _drawn(data, str(category.settings.get("level", "simple")), draw)

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The question with its computed answer."""
        if not material or not isinstance(written, Worded):
            raise ReplyError("no core", "the data answers no question of this kind")
        return cls(question=written.question, **{key: material[key] for key in ("query", "asks", "answer", "unit", "data")})

    def refined(self, goal: "Goal", draw: Random) -> Material | None:
        """A harder question over the same data."""
        data = data_in(self.data)
        levels = ("derived", "hard") if self.steps < 2 else ("hard",)
        found = (_drawn(data, level, draw) for level in levels if data)
        return next((m for m in found if m and m["query"] != self.query and calls_in(m["query"]) >= self.steps), None)

    @property
    def steps(self) -> int:
        """How many times it looks something up."""
        return calls_in(self.query)

    def arrange(self, draw: Random) -> Item:
        """The question, with how to round where it must be."""
        decimals = len(self.answer.partition(".")[2])
        places = {1: "one decimal place", 2: "two decimal places"}.get(decimals, "")
        how = f" Round to {places}." if places and "round" not in self.question.casefold() and "decimal" not in self.question else ""
        return self._item(f"{self.question.strip()}{how}", key=f"{self.answer} {self.unit}".strip())

    def notes(self) -> Iterator[str]:
        """How the answer is computed."""
        yield f"Asks for: {self.asks}"
        yield f"Computed as: {self.query}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """The answer must follow from the passage, and not stand in the question."""
        data = data_in(passage)
        try:
            computed = data and ask(self.query, data)
        except TableError as error:
            computed, data = None, None
            yield "form", f"the data does not answer it: {error}"
        if data and computed is not None and stated(computed, len(self.answer.partition(".")[2])) != self.answer:
            yield "form", f"the data gives {computed}, the item {self.answer}"
        if re.search(rf"(?<![\w.]){re.escape(self.answer)}(?![\w.])", self.question) and self.answer not in self.asks:
            yield "form", "the question contains its answer"
        named = [name for name in re.findall(r"'([^']*)'", self.query) if name in self.asks]
        lost = [name for name in named if _unsaid(name, self.question)]
        yield from (("form", f"the question does not name {name!r}") for name in lost[:1])

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Numbers as the key is rounded; names word for word."""
        number = re.match(r"-?\d+(?:\.(\d+))?(?=$| )", key)
        if not number:
            return contains(answer, key) or bare(key) == bare(answer)
        given = stated_number(answer)
        step = 10.0 ** -len(number[1] or "")
        return given is not None and abs(given - float(number[0])) <= 0.5 * step + 1e-9


def _unsaid(name: str, question: str) -> bool:
    """Whether a question has no word of substance of a name."""
    words = re.findall(r"\w{3,}|\d+", fold(re.sub(r"[(\[].*?[)\]]", "", name)))
    return bool(words) and not any(word[:4] in fold(question) for word in words)


def _drawn(data: Data, level: str, draw: Random) -> Material | None:
    core = sampled(data, _OPERATIONS.get(level, SIMPLE), draw)
    if core is None:
        return None
    return {"query": core.query, "asks": core.asks, "answer": core.answer, "unit": core.unit, "data": data.text}
