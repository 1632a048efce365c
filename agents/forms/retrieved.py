"""Queries to be answered from a list of documents, one form for each format of reply.

sample   the program chooses the documents, which of them the writer may use, and the format
write    evidence by quotation, the query, the answer
make     the program puts the list together: what holds the evidence is gold, and no other document holds the answer
arrange  the list is shuffled and numbered; gold ids are known by construction
"""

import re
from collections.abc import Iterator, Mapping
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel

from agentinstruct.agents.asking import Asked, Joined, Reworded, asked_for
from agentinstruct.agents.forms.form import Fault, Material, labelled
from agentinstruct.agents.forms.retrieved_kinds import Keyed
from agentinstruct.agents.records import Item, Passage
from agentinstruct.agents.sources import Document, holding, listing
from agentinstruct.agents.sourcing import altered, assembled, by_likeness, drawn, enough_left
from agentinstruct.agents.spoken import Explained, Spoken, Text
from agentinstruct.tools.quotes import bare

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category, Goal

NOTHING = "not in the documents"
_POINTS_AT = re.compile(r"\bdocument (?:id )?\d|\bsnippet \d|(?<![\w`])\[\d+\]", re.IGNORECASE)


class Retrieved(Keyed):
    """A query with its documents; its subclasses say in which format the reply is wanted."""

    name: ClassVar[str] = "retrieved"
    sampled: ClassVar[bool] = True
    becomes: ClassVar[tuple[str, ...]] = (
        *("retrieved_json", "retrieved_cited", "retrieved_short", "retrieved_choice", "retrieved_queries"),
    )
    writes: ClassVar[type[BaseModel] | None] = Asked
    spoken: ClassVar[type[Spoken]] = Text
    documents: tuple[Document, ...]
    support: tuple[str, ...]
    least: int = 1
    limit: int = 0
    ordered: bool = False
    removed: tuple[Document, ...] = ()
    reserve: tuple[Document, ...] = ()

    @classmethod
    def written_for(cls, category: "Category") -> type[BaseModel]:
        """Only what this kind of item needs."""
        return asked_for(str(category.settings["kind"]))

    @classmethod
    def edited_for(cls, goal: "Goal") -> type[BaseModel]:
        """The query, and documents where some are added."""
        return Joined if goal.name == "more_distractors" else Reworded

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """The documents, which of them to write from, and the format."""
        return drawn(category.settings, passage, draw)

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The item from what was written; raises ReplyError where its list cannot be put together."""
        given = material or {}
        form = REPLIES.get(str(given.get("format")), cls)
        made = form.model_validate(assembled(Asked.model_validate(written.model_dump()), given))
        if given.get("ranked"):
            ranked = tuple(by_likeness(made.documents, made.query))
            made = made.model_copy(update={"documents": ranked, "ordered": True})
        item: Any = made  # of the subclass that the material names
        return item  # type: ignore[no-any-return]

    def refined(self, goal: "Goal", draw: Random) -> Material | None:
        """The item's material, changed as far as the program carries out the goal."""
        texts = self.support if self.name == RetrievedCited.name else (self.answer, *self.answers)
        words = len(" ".join(texts).split())
        return altered(self.material or {}, goal.name, self.query, words)

    def open_to(self, goal: str) -> bool:
        """Whether there is anything in it that a goal could work on."""
        if goal == "remove_gold" and not enough_left(self.documents):
            return False
        if goal in ("remove_gold", "require_citing", "strict_format"):
            return self.kind in ("fact", "list", "decision")
        if goal == "lower_rank":
            return bool(self.gold) and self.kind != "conflict"
        return goal != "more_distractors" or self.kind != "queries"

    @property
    def material(self) -> Material | None:
        """What it would be made from again: the same list in the same order, gold marked as what to write from."""
        listed = [*self.documents, *self.removed]
        return {
            "kind": self.kind,
            "format": self.name.removeprefix("retrieved_"),
            "documents": [
                {**one.model_dump(), "name": chr(65 + place), "lead": one.part in ("gold", "removed")}
                for place, one in enumerate(listed)
            ],
            "reserve": [one.model_dump() for one in self.reserve],
            "kept": self.model_dump(include={"answer", "answers", "wrong", "missing", "support"}, mode="json"),
            "points": [],
            "hint": "",
            "least": self.least,
            "limit": self.limit,
        }

    @property
    def gold(self) -> list[int]:
        """The ids of the documents that answer."""
        return [number for number, one in enumerate(self.documents, 1) if one.part == "gold"]

    def arrange(self, draw: Random) -> Item:
        """The list shuffled, so that gold stands anywhere, and options under letters."""
        documents, options = list(self.documents), [self.answer, *self.wrong]
        if not self.ordered:
            draw.shuffle(documents)
        draw.shuffle(options)
        placed = self.model_copy(update={"documents": tuple(documents)})
        shown = labelled(options) if self.kind == "choice" else ""
        key = placed.key(chr(65 + options.index(self.answer)))
        return placed._item(self.query, shown, key).model_copy(update={"passage": listing(documents)})

    def key(self, right: str) -> str:
        """The expected answer and the ids that belong to it."""
        texts: Mapping[str, str] = {
            "choice": f"{right}. {self.answer}",
            "list": "; ".join(self.answers),
            "conflict": " / ".join(self.answers),
            "open": "\n".join(f"- {point}" for point in self.answers),
            "nothing": NOTHING,
            "partial": f"{self.answer}; {NOTHING}: {self.missing}",
            "queries": f"{NOTHING}: {self.missing}",
        }
        return "".join([texts.get(self.kind, self.answer), *(f" [{number}]" for number in self.gold)])

    def notes(self) -> Iterator[str]:
        """The evidence, and what the documents leave open."""
        yield from (f"Evidence: {quote}" for quote in self.support)
        if self.missing:
            yield f"Missing: {self.missing}"

    def faults(self, passage: str) -> Iterator[Fault]:
        """Evidence stands in gold documents, enough of them; the answer follows its kind; the query stands alone."""
        gold = [one for one in self.documents if one.part == "gold"] or list(self.removed)
        for quote in self.support:
            if not holding([*gold, *self.removed], quote):
                yield "grounded", f"not in the documents: {quote!r}"
        if not self.support:
            yield "grounded", "nothing is quoted"
        if len(gold) < self.least:
            yield "form", f"the evidence comes from {len(gold)} documents, not {self.least}"
        if found := _POINTS_AT.search(self.query):
            yield "form", f"the query points at a document: {found[0]!r}"
        yield from self.kind_faults(" ".join(one.text for one in gold))

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Without the item only equal words can be told (see `holds`)."""
        return True if bare(key) == bare(answer) else None


class RetrievedJson(Retrieved):
    """The reply is a JSON object: the answer and the ids."""

    name: ClassVar[str] = "retrieved_json"


class RetrievedCited(Retrieved):
    """The reply is prose with ids in brackets after each sentence."""

    name: ClassVar[str] = "retrieved_cited"


class RetrievedShort(Retrieved):
    """The reply is a line with the answer and a line with the sources."""

    name: ClassVar[str] = "retrieved_short"


class RetrievedChoice(Retrieved):
    """The reply is reasons with ids, and a letter."""

    name: ClassVar[str] = "retrieved_choice"
    spoken: ClassVar[type[Spoken]] = Explained


class RetrievedQueries(Retrieved):
    """The reply says what is missing and proposes searches."""

    name: ClassVar[str] = "retrieved_queries"


RETRIEVED = (Retrieved, RetrievedJson, RetrievedCited, RetrievedShort, RetrievedChoice, RetrievedQueries)
REPLIES: Mapping[str, type[Retrieved]] = MappingProxyType(
    {form.name.removeprefix("retrieved_"): form for form in RETRIEVED}
)
"""The forms by the format of reply that they ask for."""
