"""A piece to be written: a client's brief, with the part of it that a program can check.

    brief ─ what the client types         constraints ─ what the brief demands of form, all of it visible in its words

`Piece` stands alone; `Sourced` is handed over together with the material.
"""

import re
from collections.abc import Iterator
from random import Random
from typing import ClassVar

from pydantic import BaseModel, Field

from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.open import PROGRAM_NAMES, Revision
from agentinstruct.agents.records import Item
from agentinstruct.agents.spoken import Changed, Spoken
from agentinstruct.tools.constraints import Constraint, unsound
from agentinstruct.tools.constraints.text import Text, tokens
from agentinstruct.tools.quotes import NUMBER_WORDS, bare, numbers

_COMMON = frozenset(
    re.findall(
        r"\w+",
        "about after again against also always another around because before begin begins between called could does "
        "down each ends every exactly five first four from give have here into just know last least letter like line "
        "lines long made make many more most must name need needs never nobody nothing once only open other over page "
        "part people piece place please poem post read sentence sentences short should some somebody something song "
        "speech start still story such than that their them then there these they thing things this those three "
        "through time title today under until very want wants what when where which while whole with without word "
        "words work would write year your",
    )
)
_TAKEN_OVER = 2
"""Words of substance that a brief must have from its material, or it could have been written without."""


class Written(Changed):
    """A piece, asked for by itself."""

    text: str = Field(min_length=1, description="The whole piece, and nothing besides.")


class Piece(Revision):
    """A brief that stands alone."""

    name: ClassVar[str] = "piece"
    spoken: ClassVar[type[Spoken]] = Written
    writes: ClassVar[type[BaseModel] | None] = None
    question: str = Field(min_length=20, max_length=1500, alias="brief", description="What the client types.")
    constraints: tuple[Constraint, ...] = Field(
        max_length=8, description="What the brief demands of the piece's form and a program can check."
    )

    def arrange(self, draw: Random) -> Item:
        """The brief as it is."""
        return self._item(self.question.strip())

    def faults(self, passage: str) -> Iterator[Fault]:
        """Demands can be checked, can be met together, and stand in the brief; the brief is about this material."""
        if name := PROGRAM_NAMES.search(self.question):
            yield "form", f"the brief holds {name[0]!r}, which is no client's word"
        if bare(self.question) in bare(passage):
            yield "form", "the brief is a piece of the material itself"
        for fault in unsound(self.constraints):
            yield "form", fault
        for constraint in self.constraints:
            if missing := _unstated(constraint, self.question):
                yield "stated", f"{constraint}: the brief does not say {missing!r}"
        if len(matter(self.question) & matter(passage)) < _TAKEN_OVER:
            yield "form", "the brief takes nothing over from the material"


class Sourced(Piece):
    """A brief that is handed over together with its material."""

    name: ClassVar[str] = "sourced"


def matter(text: str) -> set[str]:
    """The words of substance of a text, by how they begin."""
    return {word[:6] for word in tokens(text) if len(word) > 3 and word not in _COMMON}


def _unstated(c: Constraint, brief: str) -> str:
    """What a constraint demands and a brief does not show; empty where it shows it all."""
    text = Text(brief)
    squeezed = re.sub(r"[\W_]", "", brief).casefold()
    for word in c.words:
        spaced = re.sub(r"[\W_]", "", word).casefold()
        if not text.counts(word) and (not spaced or spaced not in squeezed):
            return word
    if c.number and c.number not in _said_numbers(brief) and not _implied(c, text):
        return str(c.number)
    return c.style if c.style in ("haiku", "tanka", "iambic", "trochaic") and c.style not in brief.casefold() else ""


def _said_numbers(brief: str) -> set[float]:
    """The numbers of a brief, those in hyphenated words and the ordinary names of small numbers included."""
    loose = brief.replace("-", " ")
    named = {"couplet": 2, "twice": 2, "pair": 2, "quatrain": 4, "pentameter": 5, "tetrameter": 4, "trimeter": 3}
    named |= {"sonnet": 14, "tercet": 3, "thrice": 3, "limerick": 5}
    words = set(tokens(loose))
    said = {float(value) for name, value in named.items() if words & {name, f"{name}s"}}
    return said | set(numbers(brief)) | set(numbers(loose)) | {v for w, v in NUMBER_WORDS.items() if w in words}


def _implied(c: Constraint, brief: Text) -> bool:
    """Numbers that a brief shows by naming: the speakers, the headings, one of something."""
    return c.number == 1 or (c.kind in ("dialogue", "hashtags", "require_words", "refrain") and bool(c.words))
