"""Multiple-choice items whose options the program builds out of what the writer writes.

worked      a calculation: the right value and the wrong ones are computed from expressions
select      statements true and false: all that apply are marked, or combinations are offered

The writer never says which option is right, so no key can be wrong by a slip of the pen.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import BaseModel, Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.figures import unstated, worked_out
from agentinstruct.agents.forms.form import Fault, Material, repeated
from agentinstruct.agents.forms.labels import NAMES, block
from agentinstruct.agents.forms.mcq import COUNTS, LABELLED, Distractor, Evidenced, Optioned, Trial, labels_drawn, trial
from agentinstruct.agents.records import Frozen, Item
from agentinstruct.tools.calculate import CalculateError
from agentinstruct.tools.quotes import numbers

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category

NUMERALS = ("I", "II", "III", "IV", "V", "VI")
"""The numbers of statements that options combine."""
_BEFORE = "$£€"
_LEAST = 2
"""Wrong options that an item must have."""


class Slip(Frozen):
    """A wrong calculation that people make."""

    expression: str
    mistake: str = Field(min_length=8, description="What somebody does wrong who calculates so.")


class WrittenWorked(Evidenced):
    """What the writer of a calculation fills in."""

    expression: str = Field(description="Arithmetic over the question's figures, such as 120 * (1 - 15 / 100).")
    decimals: int = Field(ge=0, le=4, description="Decimals that the result is rounded to.")
    unit: str
    slips: tuple[Slip, ...] = Field(min_length=_LEAST, max_length=11)


class Worked(Optioned):
    """A calculation, with the results of slips as wrong options."""

    name: ClassVar[str] = "worked"
    writes: ClassVar[type[BaseModel]] = WrittenWorked
    decided: ClassVar[tuple[str, ...]] = ("labels", "mark", "wrong")
    question: str
    expression: str
    decimals: int
    unit: str
    slips: tuple[Slip, ...]
    wrong: int

    @classmethod
    def drawn(cls, category: "Category", draw: Random) -> Material:
        """Labels that cannot be taken for values, and how many wrong values are wanted."""
        wrong = min(draw.choice(COUNTS), 6) - 1
        return {**labels_drawn(("letters", "letters", "roman"), draw), "wrong": wrong, "slips": wrong + 2}

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The values, worked out.

        Raises:
            ReplyError: the calculation has no value, or too few slips lead elsewhere.
        """
        made = await super().make(written, {"wrong": 3, **(material or labels_drawn(("letters",), Random(0)))})
        try:
            options = made.options()
        except CalculateError as error:
            raise ReplyError("recomputed", str(error)) from error
        if len(options) <= _LEAST:
            raise ReplyError("recomputed", f"only {len(options) - 1} slips lead to another value: {', '.join(options)}")
        return made

    def options(self) -> list[str]:
        """The right value and those of the slips, as they are shown; slips that lead to no other value are left out."""
        right = round(worked_out(self.expression), self.decimals)
        found = [self._text(right)]
        for slip in self.slips:
            try:
                value = round(worked_out(slip.expression), self.decimals)
            except CalculateError:
                continue
            if self._text(value) not in found and (value > 0) == (right > 0):
                found.append(self._text(value))
        return found[: self.wrong + 1]

    def offered(self) -> Sequence[str]:
        """The values."""
        return self.options()

    def _text(self, value: float) -> str:
        number, unit = f"{value:,.{self.decimals}f}", self.unit.strip()
        if unit and unit in _BEFORE:
            return f"{unit}{number}"
        return f"{number}{'' if unit == '%' else ' '}{unit}".strip()

    def arrange(self, draw: Random) -> Item:
        """The values in random order."""
        options = self.options()
        order = draw.sample(range(len(options)), len(options))
        return self._shown(self.question, [options[i] for i in order], order.index(0))

    def notes(self) -> Iterator[str]:
        """The evidence, the calculation and the slips."""
        yield from super().notes()
        yield f"Calculation: {self.expression}"
        for slip in self.slips:
            yield f"Slip {slip.expression}: {slip.mistake}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """The right calculation has no figure but the question's."""
        yield from super().faults(passage)
        for missing in unstated(self.expression, numbers(self.question))[:1]:
            yield "recomputed", f"the expression uses {missing:g}, which the question does not state"
        if len(numbers(self.expression)) < 2:
            yield "recomputed", f"{self.expression!r} calculates nothing"
        yield from repeated([slip.mistake for slip in self.slips], "mistakes")


class WrittenSelect(Evidenced):
    """What the writer of statements fills in."""

    true_statements: tuple[str, ...] = Field(max_length=6)
    false_statements: tuple[Distractor, ...] = Field(max_length=6)


class Select(Optioned):
    """Several statements, each true or false."""

    name: ClassVar[str] = "select"
    writes: ClassVar[type[BaseModel]] = WrittenSelect
    decided: ClassVar[tuple[str, ...]] = ("labels", "mark", "offer", "truths", "untruths")
    question: str
    true_statements: tuple[str, ...]
    false_statements: tuple[Distractor, ...]
    offer: Literal["all_that_apply", "combination"]
    truths: int
    untruths: int

    @classmethod
    def drawn(cls, category: "Category", draw: Random) -> Material:
        """How many statements are to be true and how many false, from one to all but one."""
        offer = category.settings["offer"]
        total = draw.choice((4, 5, 6)) if offer == "all_that_apply" else draw.choice((3, 4, 4, 5))
        truths = draw.randint(1, total - 1)
        return {**labels_drawn(LABELLED, draw), "offer": offer, "truths": truths, "untruths": total - truths}

    def authored(self) -> tuple[str, ...]:
        """All statements, the true ones first."""
        return (*self.true_statements, *(statement.text for statement in self.false_statements))

    def arrange(self, draw: Random) -> Item:
        """The statements in random order: as options to mark, or with options that combine them."""
        texts = self.authored()
        order = draw.sample(range(len(texts)), len(texts))
        right = [place for place, i in enumerate(order) if i < len(self.true_statements)]
        statements = [texts[i] for i in order]
        if self.offer == "all_that_apply":
            key = ", ".join(NAMES[self.labels][place] for place in right)
            return self._item(self.question, block(statements, self.labels, self.mark), key)
        combined = _combined(right, len(texts), draw)
        item = self._shown(self.question, [_named(some, len(texts)) for some in combined], combined.index(tuple(right)))
        listed = "\n".join(f"{NUMERALS[i]}. {text}" for i, text in enumerate(statements))
        return item.model_copy(update={"options": f"{listed}\n\n{item.options}"})

    def notes(self) -> Iterator[str]:
        """The evidence, and the mistake behind each false statement."""
        yield from super().notes()
        for statement in self.false_statements:
            yield f"False: {statement.text} (mistake: {statement.misconception})"

    def lack(self) -> str:
        """As many of each kind as were asked for, or the key would be another."""
        found = (len(self.true_statements), len(self.false_statements))
        wanted = f"{self.truths} true statements and {self.untruths} false ones"
        return (
            "" if found == (self.truths, self.untruths) else f"{wanted} were asked for, not {found[0]} and {found[1]}"
        )

    def trial(self) -> Trial:
        """Every statement by itself."""
        return trial(self.question, self.true_statements, self.false_statements)


def _combined(right: Sequence[int], total: int, draw: Random) -> list[tuple[int, ...]]:
    """The right combination among others that differ from it in one statement or two, in random order."""
    every = [some for size in range(1, total + 1) for some in combinations(range(total), size)]
    others = [some for some in every if some != tuple(right)]
    draw.shuffle(others)
    others.sort(key=lambda some: len(set(some) ^ set(right)) > 2)
    chosen = [tuple(right), *others[: draw.choice((3, 3, 4))]]
    draw.shuffle(chosen)
    return chosen


def _named(some: Sequence[int], total: int) -> str:
    names = [NUMERALS[i] for i in some]
    joined = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    return joined if len(some) == total else f"{joined} only"
