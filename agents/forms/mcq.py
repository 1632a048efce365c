"""What all multiple-choice forms share; they stand in `mcq_written`, `mcq_built` and `mcq_ordered`.

The program draws how many options there are, under which labels, and whether the last one is to be right; it shuffles
the others and sets the key. So positions are balanced, whatever the writer's habits are.
"""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import BaseModel, Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.form import Fault, Form, Material, repeated, unquoted
from agentinstruct.agents.forms.labels import MARKS, Style, block, key_of, names_key
from agentinstruct.agents.records import Frozen, Item, Passage

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category

COUNTS = (3, 4, 4, 4, 4, 5, 5, 5, 6, 6, 7, 8, 9, 10)
"""How many options an item has, as often as each stands here."""
STYLES: tuple[Style, ...] = ("letters", "letters", "letters", "digits", "roman", "none")
LABELLED: tuple[Style, ...] = ("letters", "letters", "letters", "digits", "roman")
_LABEL = re.compile(r"\s*(?:\(?(?:[A-Ja-j]|\d{1,2}|[ivx]{1,4})[.):]|[-•*])\s+(?=\S)")
_SWEEPING = re.compile(
    r"\b(?:all|none|both|neither|any) of (?:the (?:above|options|other)|these|those|them)\b|\bboth [a-j] and [a-j]\b",
    re.IGNORECASE,
)
_BY_NUMBER = re.compile(r"[\d.,\s]+(?:%|\w{1,4})?")


class Distractor(Frozen):
    """A wrong option, and the mistake that leads to it."""

    text: str = Field(min_length=1)
    misconception: str = Field(min_length=8, description="What somebody thinks who chooses it.")


class Evidenced(Frozen):
    """What every writer quotes."""

    evidence: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations from the material.")
    question: str = Field(min_length=8)


class Trial(Frozen):
    """An item's statements to be judged one by one, and which of them a sound judge finds right."""

    question: str
    statements: tuple[str, ...]
    right: frozenset[int]


class Optioned(Form):
    """What every multiple-choice form has: quoted evidence, and labels that the program drew."""

    sampled: ClassVar[bool] = True
    decided: ClassVar[tuple[str, ...]] = ("labels", "mark")
    """The fields that come from the program and not from the writer."""
    evidence: tuple[str, ...] = Field(min_length=1, max_length=3, description="Exact quotations from the material.")
    labels: Style
    mark: str

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """Labels and numbers, drawn anew for each item."""
        return cls.drawn(category, draw)

    @classmethod
    def drawn(cls, category: "Category", draw: Random) -> Material:
        """What the program decides of an item of this category."""
        return labels_drawn(STYLES, draw)

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The writer's part and the program's part, together.

        Raises:
            ReplyError: they make no item.
        """
        decided = material or labels_drawn(LABELLED, Random(0))
        try:
            made = cls.model_validate({**written.model_dump(mode="json"), **{k: decided[k] for k in cls.decided}})
        except KeyError as error:
            raise ReplyError("form", f"nothing was decided about {error}") from error
        if lack := made.lack():
            raise ReplyError("form", lack)
        return made

    def lack(self) -> str:
        """What the writer owes of what was asked for, without which there is no item; empty when nothing."""
        return ""

    @property
    def material(self) -> Material:
        """What was decided: an edit keeps it."""
        return {name: getattr(self, name) for name in self.decided}

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Labels are compared; an option without a label by its words, else by a reader."""
        return names_key(key, answer)

    def trial(self) -> Trial | None:
        """Its options as statements to be judged alone; None where that says nothing about the key."""
        return None

    def authored(self) -> tuple[str, ...]:
        """The options that the writer wrote, the right ones first."""
        return ()

    def offered(self) -> Sequence[str]:
        """What there is to choose from, in no order."""
        return self.authored()

    def faults(self, passage: str) -> Iterator[Fault]:
        """Evidence is quoted; what the writer wrote are options, distinct and each for itself."""
        yield from unquoted(self.evidence, passage)
        texts = self.authored()
        yield from repeated(texts, "options")
        for text in texts:
            if found := _SWEEPING.search(text):
                yield "form", f"an option speaks of the others: {found[0]!r}"

    def _shown(self, question: str, options: Sequence[str], right: int) -> Item:
        style: Style = "letters" if self.labels == "digits" and all(map(_BY_NUMBER.fullmatch, options)) else self.labels
        mark = self.mark if style == self.labels else MARKS["letters"][0]
        return self._item(question, block(options, style, mark), key_of(style, options, right))


def labels_drawn(styles: Sequence[Style], draw: Random) -> Material:
    """A style of labels, and how they are set."""
    style = draw.choice(list(styles))
    return {"labels": style, "mark": draw.choice(MARKS[style])}


def evened(texts: Sequence[str]) -> list[str]:
    """Options without labels of their own, all with a full stop or, if one has none, all without."""
    labelled = all(map(_LABEL.match, texts))  # one alone may be no label: `A. thaliana`
    plain = [(_LABEL.sub("", text, count=1) if labelled else text).strip() for text in texts]
    if all(text.endswith(".") for text in plain):
        return plain
    return [text.removesuffix(".") if not text.endswith("..") else text for text in plain]


def trial(question: str, right: Sequence[str], distractors: Sequence[Distractor]) -> Trial:
    """The options in an order that tells nothing, and which of them are right."""
    texts = [*right, *(distractor.text for distractor in distractors)]
    order = sorted(range(len(texts)), key=lambda i: texts[i].casefold())
    true = frozenset(place for place, i in enumerate(order) if i < len(right))
    return Trial(question=question, statements=tuple(texts[i] for i in order), right=true)
