"""Multiple-choice items whose options the writer writes.

single      one right option among three to ten
above       the same with "all of the above" or "none of the above" as the last option
"""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field

from agentinstruct.agents.forms.form import Fault, Material, repeated
from agentinstruct.agents.forms.labels import MOST
from agentinstruct.agents.forms.mcq import COUNTS, Distractor, Optioned, Trial, evened, trial
from agentinstruct.agents.records import Frozen, Item

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category

_REVERSED = re.compile(r"\b(?:EXCEPT|NOT|LEAST)\b")


class WrittenSingle(Frozen):
    """What the writer of a question with one right option fills in."""

    evidence: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations from the material.")
    question: str = Field(min_length=8)
    right: str = Field(min_length=1, description="The option to choose.")
    why: str = Field(description="What makes it right, in a sentence or two.")
    distractors: tuple[Distractor, ...] = Field(min_length=2, max_length=MOST - 1)


class Single(Optioned):
    """A question with one right option."""

    name: ClassVar[str] = "single"
    writes: ClassVar[type[BaseModel]] = WrittenSingle
    decided: ClassVar[tuple[str, ...]] = ("labels", "mark", "reverse")
    question: str
    right: str
    why: str
    distractors: tuple[Distractor, ...]
    reverse: bool

    @classmethod
    def drawn(cls, category: "Category", draw: Random) -> Material:
        """Labels, how many wrong options are wanted, and whether the question asks for the exception."""
        reverse = bool(category.settings.get("reverse", False))
        return {**super().drawn(category, draw), "wrong": draw.choice(COUNTS) - 1, "reverse": reverse}

    def arrange(self, draw: Random) -> Item:
        """The options in random order."""
        options = evened(self.authored())
        order = draw.sample(range(len(options)), len(options))
        return self._shown(self.question, [options[i] for i in order], order.index(0))

    def authored(self) -> tuple[str, ...]:
        """The right option and the wrong ones."""
        return (self.right, *(distractor.text for distractor in self.distractors))

    def notes(self) -> Iterator[str]:
        """The evidence, the reason, and the mistake behind each wrong option."""
        yield from super().notes()
        yield f"Why: {self.why}"
        yield from _mistakes(self.distractors)

    def faults(self, passage: str) -> Iterator[Fault]:
        """Distinct mistakes behind distinct options; a question for the exception says so in capitals."""
        yield from super().faults(passage)
        if self.reverse and not _REVERSED.search(self.question):
            yield "form", "the question has neither EXCEPT nor NOT in capitals"
        yield from repeated([distractor.misconception for distractor in self.distractors], "misconceptions")

    def trial(self) -> Trial:
        """Every option by itself: exactly the right one is right."""
        return trial(self.question, (self.right,), self.distractors)


class WrittenAbove(Frozen):
    """What the writer of a question with "all" or "none of the above" fills in."""

    evidence: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations from the material.")
    question: str = Field(min_length=8)
    right: tuple[str, ...] = Field(max_length=MOST - 1, description="The options that apply.")
    distractors: tuple[Distractor, ...] = Field(max_length=MOST - 1, description="The options that do not apply.")
    why: str = Field(description="What decides, in a sentence or two.")


class Above(Optioned):
    """A question whose last option speaks of all the others."""

    name: ClassVar[str] = "above"
    writes: ClassVar[type[BaseModel]] = WrittenAbove
    decided: ClassVar[tuple[str, ...]] = ("labels", "mark", "last", "applying", "failing")
    question: str
    right: tuple[str, ...]
    distractors: tuple[Distractor, ...]
    why: str
    last: str
    applying: int
    failing: int

    @classmethod
    def drawn(cls, category: "Category", draw: Random) -> Material:
        """Which last option there is, and how many of the others are to apply: it is the key as often as any other."""
        others = min(draw.choice(COUNTS), 7) - 1
        texts: Any = category.settings["texts"]
        is_key = draw.random() < 1 / (others + 1)
        everything = category.settings["last"] == "all"
        applying = (others if everything else 0) if is_key else 1
        last = draw.choice(list(texts))
        return {**super().drawn(category, draw), "last": last, "applying": applying, "failing": others - applying}

    def arrange(self, draw: Random) -> Item:
        """The written options in random order, and the last one last."""
        written = evened(self.authored())
        order = draw.sample(range(len(written)), len(written))
        place = order.index(0) if len(self.right) == 1 else len(written)
        return self._shown(self.question, [*(written[i] for i in order), self.last], place)

    def authored(self) -> tuple[str, ...]:
        """The options that apply and those that do not, without the last."""
        return (*self.right, *(distractor.text for distractor in self.distractors))

    def notes(self) -> Iterator[str]:
        """The evidence, the reason, and the mistakes."""
        yield from super().notes()
        yield f"Why: {self.why}"
        yield from _mistakes(self.distractors)

    def lack(self) -> str:
        """As many of each kind as were asked for, or the key would be another."""
        found = (len(self.right), len(self.distractors))
        wanted = f"{self.applying} options that apply and {self.failing} that do not"
        return (
            "" if found == (self.applying, self.failing) else f"{wanted} were asked for, not {found[0]} and {found[1]}"
        )

    def trial(self) -> Trial:
        """Every written option by itself: exactly those that apply are right."""
        return trial(self.question, self.right, self.distractors)


def _mistakes(distractors: Sequence[Distractor]) -> Iterator[str]:
    for distractor in distractors:
        yield f"Mistake behind {distractor.text!r}: {distractor.misconception}"
