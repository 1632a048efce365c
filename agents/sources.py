"""Documents for retrieval-augmented items: what each is for is known by construction, and no user sees it.

gold      holds evidence                     near      nearly answers: written as a near miss
other     retrieved, or left over            outdated  an earlier version of a gold one
side      one of two that contradict         gap       lacks what was taken out of it
removed   holds evidence and is kept from the list
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import Field

from agentinstruct.agents.records import Frozen, Passage, Seed
from agentinstruct.tools.quotes import contains, fold
from agentinstruct.tools.retrieval import Hit
from agentinstruct.tools.snippets import nearest, pieces

PartOf = Literal["gold", "near", "other", "outdated", "side", "gap", "removed"]
_DATE = re.compile(r"\d{4}(?:-\d{2}){0,2}")
LONGEST = 1200
"""Characters of a snippet."""


class Document(Frozen):
    """A document of the list, with the part it plays."""

    title: str = ""
    url: str = ""
    date: str = ""
    text: str
    part: PartOf = "other"


class Written(Frozen):
    """A document that a model writes."""

    title: str = Field(description="Its title, as the kind of document would have it.")
    text: str = Field(description="The snippet: 30 to 110 words.")

    def document(self, part: PartOf, date: str = "") -> Document:
        """The document with the part it plays."""
        dated = date.strip() if _DATE.fullmatch(date.strip()) else ""
        return Document(title=" ".join(self.title.split())[:120], text=_shortened(self.text), date=dated, part=part)


def own(seed: Seed, part: PartOf = "gold") -> list[Document]:
    """The snippets of a seed."""
    return [_snippet(piece, seed.title, seed.source, part) for piece in pieces(seed.text)]


def found(hits: Iterable[Hit], about: str) -> list[Document]:
    """For each chunk that was found, the snippet of it that is most about something."""
    return [_snippet(nearest(hit.text, about), hit.title, hit.source, "other") for hit in hits]


def _snippet(text: str, title: str, source: str, part: PartOf) -> Document:
    url = source if source.startswith(("http://", "https://")) else ""
    return Document(title=" ".join(title.split())[:120], url=url, text=_shortened(text), part=part)


def _shortened(text: str) -> str:
    """One paragraph, cut between words where it is very long."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST else flat[:LONGEST].rsplit(" ", 1)[0]


def distinct(documents: Iterable[Document]) -> list[Document]:
    """The documents without those whose text another holds already."""
    kept: list[Document] = []
    for document in documents:
        text = fold(document.text)
        if text and not any(text in fold(other.text) or fold(other.text) in text for other in kept):
            kept.append(document)
    return kept


def listing(documents: Sequence[Document]) -> str:
    """The list as its user sees it: numbered by the program, a line for what a document has."""
    return "\n\n".join(_shown(number, document) for number, document in enumerate(documents, 1))


def _shown(number: int, document: Document) -> str:
    lines = [("Title", document.title), ("Url", document.url), ("Date", document.date), ("Snippet", document.text)]
    return "\n".join([f"Document Id: {number}", *(f"{name}: {value}" for name, value in lines if value)])


def holding(documents: Iterable[Document], quote: str) -> list[Document]:
    """The documents in which some words stand."""
    return [document for document in documents if contains(document.text, quote)]


def pool_of(passage: Passage) -> list[Document]:
    """The documents that were gathered for a seed."""
    return [Document.model_validate(one) for one in passage.data.get("pool", ())]


def with_pool(passage: Passage, documents: Sequence[Document]) -> Passage:
    """The passage with the documents gathered for its seed."""
    data: dict[str, Any] = {**passage.data, "pool": [one.model_dump() for one in documents]}
    return passage.model_copy(update={"data": data})
