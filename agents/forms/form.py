"""What a form of item is: what its writer writes, how it is shown, and which answer is the key.

The program, not the model, shuffles options and computes the key, so key positions are balanced and a key
is right by construction wherever that is possible.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel

from agentinstruct.agents.records import Frozen, Item, Passage
from agentinstruct.agents.replies import Solution
from agentinstruct.agents.spoken import Explained, Spoken
from agentinstruct.tools.quotes import bare, contains

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category, Goal

UNANSWERABLE = "not answerable from the passage"
Material = dict[str, Any]
"""What the program decides before a writer is asked, as JSON values: a puzzle's core, a label to aim at."""
_FINAL = re.compile(r"^[ \t>*_#-]*(?:the )?(?:final )?answer[*_]*[ \t]*[:：]", re.IGNORECASE | re.MULTILINE)
_LETTER = re.compile(
    r"[\W_]*((?:the )?(?:(?:correct|right|best|true|final) )?(?:answer|option|choice|statement)(?: is)?[\W_]+)?"
    r"([A-J])(?![\w'’])(?! ?(?:,|/|&|and\b|or\b) ?\(?[A-J](?![\w'’]))([\W_]*)(\w*)",
    re.IGNORECASE,
)
_AFTER_A = frozenset({"", "is", "because", "since", "as"})
"""What may follow a bare A or I that names an option and is no word of a sentence."""
_DECLINES = re.compile(
    r"(?:(?:this|that|it|answer|question) )*(?:is )?(?:not (?:answerable|stated|specified|mentioned)"
    r"|unanswerable(?=$| (?:from|by|with|given|because))"
    r"|cannot be (?:answered|determined|known|said)"
    r"|(?:passage|text) does not (?:say|state|tell|mention|specify|give|provide|contain))\b"
)

_GOES_ON = re.compile(r"\b(?:(?P<turn>but|however)|probably|presumably|perhaps|maybe|likely)\b *(?P<rest>\w.*)")
"""A decline that is followed by an answer all the same; a `but` may also lead to a second decline."""
_DENIES = re.compile(r"\b(?:not|no|never|nothing|nobody|neither|none|cannot)\b|n t\b")

Fault = tuple[str, str]
"""A check that fails on the item alone, and the evidence."""


def final_answer(response: str) -> str:
    """What a response ends with after its last `Answer:`; empty when there is no such line."""
    for found in reversed(list(_FINAL.finditer(response))):
        paragraph = re.split(r"\n[ \t]*\n", response[found.end() :].strip(), maxsplit=1)[0]
        if said := paragraph.strip(" \t\n*_`"):
            return said
    return ""


def says_unanswerable(answer: str) -> bool:
    """Whether a final answer declines because the passage does not decide the question, and leaves it at that."""
    said = bare(answer)
    if not (declined := _DECLINES.match(said)):
        return False
    more = _GOES_ON.search(said, declined.end())
    return more is None or bool(more["turn"] and _DENIES.search(more["rest"]))


class Form(Frozen):
    """What one kind of item consists of."""

    name: ClassVar[str]
    definite: ClassVar[bool] = True
    """Whether it has a key that answers are compared with."""
    spoken: ClassVar[type[Spoken]] = Explained
    """What the teacher replies."""
    solution: ClassVar[type[Solution]] = Solution
    """What an independent solver replies."""
    writes: ClassVar[type[BaseModel] | None] = None
    """What writer and editor fill in, where that is not the form itself."""
    outputs: ClassVar[tuple[str, ...]] = ()
    """The formats a reply can be asked in; a skill says for each what its users demand."""
    shows: ClassVar[frozenset[str]] = frozenset()
    """What a demand may show of an item: the keys of `shown`."""
    sampled: ClassVar[bool] = False
    """Whether the program decides part of each item before its writer is asked: see `sample`."""
    becomes: ClassVar[tuple[str, ...]] = ()
    """The names of the forms, one of which an item has once it is made; empty where it keeps this one."""

    @classmethod
    def written_for(cls, category: "Category") -> type[BaseModel]:
        """What a writer of this category fills in: the same for all, unless the form needs less of some."""
        return cls.writes or cls

    @classmethod
    def edited_for(cls, goal: "Goal") -> type[BaseModel]:
        """What an editor fills in under this goal: what a writer does, unless the form keeps some of it."""
        return cls.writes or cls

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """What the program decides of one item; None when this passage gives nothing to decide from."""
        raise NotImplementedError

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The item from what its writer wrote, completed by the program where a form says so.

        Raises:
            ReplyError: it cannot be completed: code that does not run, a core that has no solution.
        """
        return cls.model_validate(written.model_dump(mode="json", by_alias=True))

    def refined(self, goal: "Goal", draw: Random) -> Material | None:
        """New material for an edit under this goal; by default what the item was made with."""
        return self.material

    @property
    def material(self) -> Material | None:
        """What the program decided of this item, if its form is sampled."""
        return None

    def arrange(self, draw: Random) -> Item:
        """The item as a user sees it, with its key."""
        raise NotImplementedError

    def faults(self, passage: str) -> Iterator[Fault]:
        """What is wrong with the item by itself or against its passage."""
        raise NotImplementedError

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Whether an answer is the key; None when only a reader can tell."""
        raise NotImplementedError

    def shown(self) -> Mapping[str, Any]:
        """What a demand for a format may show of the item."""
        return {}

    def notes(self) -> Iterator[str]:
        """What stands behind the item, for the agents that refine it: its evidence, unless the form says more."""
        for quote in getattr(self, "evidence", ()):
            yield f"Evidence: {quote}"

    def _item(self, question: str, options: str = "", key: str = "", output: str = "") -> Item:
        return Item(
            form=self.name,
            question=question,
            options=options,
            key=key,
            output=output,
            notes="\n".join(self.notes()),
            written=self.model_dump(mode="json", by_alias=True),
        )


def labelled(options: Sequence[str]) -> str:
    """Options one to a line under capital letters."""
    return "\n".join(f"{ascii_uppercase[i]}. {option}" for i, option in enumerate(options))


def letter(answer: str) -> str:
    """The option letter an answer names, or nothing: `**C**`, `(c) because …`, but not `A dog` or `B and C`."""
    match = _LETTER.match(answer)
    if not match:
        return ""
    named, found, gap, word = match.groups()
    is_word = found in "AaIi" and not named and not gap.strip() and word.casefold() not in _AFTER_A
    return "" if is_word else str(found).upper()


def unquoted(quotes: Sequence[str], passage: str) -> Iterator[Fault]:
    """Quotations that do not stand in the passage."""
    for quote in quotes:
        if not contains(passage, quote):
            yield "grounded", f"not in the passage: {quote!r}"


def repeated(parts: Sequence[Any], what: str) -> Iterator[Fault]:
    """A list in which something stands twice."""
    folded = [bare(str(part)) or str(part).strip() for part in parts]
    if len(set(folded)) < len(folded):
        yield "form", f"the {what} are not distinct"
