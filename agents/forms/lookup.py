"""A question over data that the program draws and answers; a writer only words it."""

import re
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import BaseModel, Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.data import data_in
from agentinstruct.agents.forms.form import Fault, Form, Material
from agentinstruct.agents.forms.lookups import DERIVED, HARD, SIMPLE, sampled, stated
from agentinstruct.agents.records import Frozen, Item, Passage
from agentinstruct.tools.quotes import bare, contains, fold, stated_number
from agentinstruct.tools.tables import Data, TableError, ask
from agentinstruct.tools.tables.query import calls_in

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category, Goal


_OPERATIONS = {"simple": SIMPLE, "derived": DERIVED, "hard": HARD}


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
        return _drawn(data, str(category.settings.get("level", "simple")), draw) if data else None

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The question with its computed answer."""
        if not material or not isinstance(written, Worded):
            raise ReplyError("no core", "the data answers no question of this kind")
        return cls(
            question=written.question, **{key: material[key] for key in ("query", "asks", "answer", "unit", "data")}
        )

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
        how = (
            f" Round to {places}."
            if places and "round" not in self.question.casefold() and "decimal" not in self.question
            else ""
        )
        return self._item(f"{self.question.strip()}{how}", key=f"{self.answer} {self.unit}".strip())

    def notes(self) -> Iterator[str]:
        """How the answer is computed."""
        yield f"Asks for: {self.asks}"
        yield f"Computed as: {self.query}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """The answer must follow from the passage, and not stand in the question."""
        data, places = data_in(passage), len(self.answer.partition(".")[2])
        try:
            computed = stated(ask(self.query, data), places) if data else ""
        except TableError as error:
            computed = f"nothing: {error}"
        if computed != self.answer:
            yield "form", f"the data gives {computed or 'nothing'}, the item {self.answer}"
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
