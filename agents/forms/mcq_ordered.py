"""Multiple-choice items with an order that is not the program's to shuffle: of their entries, or of their options.

sequence    entries in their true order: the options are permutations
assertion   assertion and reason: five fixed options; the program says beforehand what is to be true
"""

from collections.abc import Iterator
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field

from agentinstruct.agents.forms.form import Fault, Material, repeated
from agentinstruct.agents.forms.mcq import LABELLED, Evidenced, Optioned, labels_drawn
from agentinstruct.agents.records import Frozen, Item

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category


class WrittenSequence(Evidenced):
    """What the writer of an order fills in."""

    entries: tuple[str, ...] = Field(min_length=3, max_length=6, description="The entries in their TRUE order.")
    why: str = Field(description="What fixes the order, in a sentence or two.")


class Sequenced(Optioned):
    """Entries to be put in order, with sequences as options."""

    name: ClassVar[str] = "sequence"
    writes: ClassVar[type[BaseModel]] = WrittenSequence
    question: str
    entries: tuple[str, ...]
    why: str

    @classmethod
    def drawn(cls, category: "Category", draw: Random) -> Material:
        """Labels that cannot be taken for the entries' numbers, and how many entries are wanted."""
        return {**labels_drawn(("letters", "letters", "roman"), draw), "entries": draw.choice((3, 4, 4, 5))}

    def authored(self) -> tuple[str, ...]:
        """The entries."""
        return self.entries

    def arrange(self, draw: Random) -> Item:
        """The entries shuffled and numbered, and sequences of those numbers as options."""
        shown = draw.sample(range(len(self.entries)), len(self.entries))
        right = tuple(shown.index(i) + 1 for i in range(len(shown)))
        others = [some for some in permutations(right) if some != right]
        draw.shuffle(others)
        others.sort(key=lambda some: sum(a != b for a, b in zip(some, right, strict=True)) > 3)
        options = [right, *others[: draw.choice((3, 3, 4))]]
        draw.shuffle(options)
        item = self._shown(self.question, [", ".join(map(str, some)) for some in options], options.index(right))
        listed = "\n".join(f"{place}. {self.entries[i]}" for place, i in enumerate(shown, 1))
        return item.model_copy(update={"options": f"{listed}\n\n{item.options}"})

    def notes(self) -> Iterator[str]:
        """The evidence, the true order and what fixes it."""
        yield from super().notes()
        yield f"True order: {'; '.join(self.entries)}"
        yield f"Why: {self.why}"


class WrittenAssertion(Frozen):
    """What the writer of an assertion and a reason fills in."""

    evidence: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations from the material.")
    assertion: str = Field(min_length=8)
    reason: str = Field(min_length=8)
    why: str = Field(description="Why each is true or false, and whether the one explains the other.")


class Assertion(Optioned):
    """An assertion and a reason, with five fixed options."""

    name: ClassVar[str] = "assertion"
    writes: ClassVar[type[BaseModel]] = WrittenAssertion
    decided: ClassVar[tuple[str, ...]] = ("labels", "mark", "options", "case")
    assertion: str
    reason: str
    why: str
    options: tuple[str, ...]
    case: int = Field(ge=0, le=4)

    @classmethod
    def drawn(cls, category: "Category", draw: Random) -> Material:
        """Which of the five cases the writer is to write."""
        case = draw.randrange(5)
        options: Any = category.settings["options"]
        asked = {"assertion": case in (0, 1, 2), "reason": case in (0, 1, 3), "explains": case == 0}
        return {**labels_drawn(LABELLED, draw), "options": list(options), "case": case, **asked}

    @property
    def material(self) -> Material:
        """What was decided, put as the writer is asked for it."""
        case = self.case
        asked = {"assertion": case in (0, 1, 2), "reason": case in (0, 1, 3), "explains": case == 0}
        return {**super().material, "options": list(self.options), **asked}

    def arrange(self, draw: Random) -> Item:
        """Both sentences, and the options in their fixed order."""
        question = f"Assertion: {self.assertion}\nReason: {self.reason}"
        return self._shown(question, self.options, self.case)

    def notes(self) -> Iterator[str]:
        """The evidence and what makes the case."""
        yield from super().notes()
        yield f"Why: {self.why}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """Two different sentences."""
        yield from super().faults(passage)
        yield from repeated((self.assertion, self.reason), "assertion and reason")
