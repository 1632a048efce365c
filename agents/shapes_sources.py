"""What the transforms of retrieval-augmented generation reply with: documents whose parts are known, or searches."""

from collections.abc import Mapping
from itertools import cycle
from types import MappingProxyType
from typing import ClassVar

from pydantic import Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.records import Frozen, Passage, Seed
from agentinstruct.agents.replies import Reshaped
from agentinstruct.agents.sources import Document, Written, holding, listing, own
from agentinstruct.tools.quotes import contains, fold
from agentinstruct.tools.snippets import nearest

SHORTEST = 20
"""Characters of a document, at least."""


class Searches(Reshaped):
    """What people would type to find what the source says."""

    queries: tuple[str, ...] = Field(max_length=6, description="Three to five search queries; none when not suitable.")

    @property
    def passage_text(self) -> str:
        """The queries, one to a line."""
        return "\n".join(query.strip() for query in self.queries if query.strip())


class Sources(Reshaped):
    """A shape that is documents."""

    @property
    def documents(self) -> list[Document]:
        """The documents with their parts."""
        raise NotImplementedError

    @property
    def passage_text(self) -> str:
        """All documents, as a list."""
        return listing(self.documents)

    def unfit(self) -> str:
        """Each document must have a text, and another one than the others."""
        texts = [fold(document.text) for document in self.documents]
        if any(len(text) < SHORTEST for text in texts):
            return f"a document is shorter than {SHORTEST} characters"
        return "" if len(set(texts)) == len(texts) else "two documents have the same text"


class Documents(Sources):
    """Documents that answer, and documents that nearly do."""

    FEWEST: ClassVar[int] = 2
    answering: tuple[Written, ...] = Field(max_length=5, description="Documents that hold the source's facts.")
    near_misses: tuple[Written, ...] = Field(max_length=4, description="Documents about neighbours of these things.")

    @property
    def documents(self) -> list[Document]:
        """Those that answer first."""
        answering = [one.document("gold") for one in self.answering]
        return [*answering, *(one.document("near") for one in self.near_misses)]

    def unfit(self) -> str:
        """At least two documents must answer, and they must differ."""
        if len(self.answering) < self.FEWEST:
            return f"answering holds {len(self.answering)} documents, not at least {self.FEWEST}"
        return super().unfit()


class Point(Frozen):
    """What two documents say of one matter."""

    matter: str = Field(description="The matter on which they differ, in a few words.")
    first: str = Field(description="Exact quotation from the first document.")
    second: str = Field(description="Exact quotation from the second document.")


class Differing(Sources):
    """Two documents that differ on some points, and others."""

    first: Written
    second: Written
    points: tuple[Point, ...] = Field(max_length=4, description="Every point on which the two differ.")
    others: tuple[Written, ...] = Field(max_length=4, description="Further documents, which do not settle the points.")

    def unfit(self) -> str:
        """Every point must stand in its own document, and in no other."""
        if not self.points or not all(point.first.strip() and point.second.strip() for point in self.points):
            return "points is empty, or one of them quotes nothing"
        rest = [one.document("other") for one in self.others]
        for point in self.points:
            for name, quote, mine, other in (
                ("first", point.first, self.first, self.second),
                ("second", point.second, self.second, self.first),
            ):
                if not contains(mine.text, quote):
                    return f"points: {quote!r} does not stand in {name}"
                if contains(other.text, quote) or holding(rest, quote):
                    return f"points: {quote!r} stands in another document too"
        return super().unfit()


class Contradiction(Differing):
    """Two documents that contradict each other."""

    @property
    def documents(self) -> list[Document]:
        """The two that contradict, then those that do not settle it."""
        sides = [self.first.document("side"), self.second.document("side")]
        return [*sides, *(one.document("gold") for one in self.others)]


class Versions(Differing):
    """An earlier and a later version: `first` is the earlier."""

    first_date: str = Field(description="Date of the earlier version, as YYYY-MM-DD.")
    second_date: str = Field(description="Date of the later version, as YYYY-MM-DD.")

    @property
    def documents(self) -> list[Document]:
        """The later version answers; the earlier is outdated."""
        now, before = self.second.document("gold", self.second_date), self.first.document("outdated", self.first_date)
        # The others are as old as one of the two, so that a date does not mark what matters.
        dates = cycle((before.date, now.date))
        return [now, before, *(one.document("near", next(dates)) for one in self.others)]

    def unfit(self) -> str:
        """As for all that differ, and the dates must be in order."""
        now, before = self.documents[:2]
        if not (before.date and before.date < now.date):
            return "first_date and second_date are not two dates as YYYY-MM-DD, the earlier one first"
        return super().unfit()


class Gap(Sources):
    """Documents from which one piece of information was taken."""

    taken: str = Field(description="Exact quotation of the source: the clause with the information that was taken out.")
    question: str = Field(description="A question that this clause answers and the documents no longer do.")
    rewritten: tuple[Written, ...] = Field(max_length=5, description="The source as documents, without it.")

    @property
    def documents(self) -> list[Document]:
        """The documents with the gap."""
        return [one.document("gap") for one in self.rewritten]

    def unfit(self) -> str:
        """What was taken must be gone, and something must be left."""
        if len(self.rewritten) < Documents.FEWEST:
            return f"rewritten holds {len(self.rewritten)} documents, not at least {Documents.FEWEST}"
        if not self.taken.strip():
            return "taken is empty"
        return "taken still stands in a document" if holding(self.documents, self.taken) else super().unfit()


SHAPED: Mapping[str, type[Sources]] = MappingProxyType(
    {"split": Documents, "near_miss": Documents, "contradiction": Contradiction, "outdated": Versions, "gap": Gap}
)
"""What each transform that writes documents replies with."""


def gathered(passage: Passage, seed: Seed) -> list[Document]:
    """The documents that a seed gives: its own snippets, or what its transform wrote.

    Raises:
        ReplyError: what was taken out of the source is not in it.
    """
    if passage.transform not in SHAPED:
        return own(seed)
    written = SHAPED[passage.transform].model_validate({"suitable": True, "reason": "", **passage.data})
    if not isinstance(written, Gap):
        return written.documents
    if not contains(seed.text, written.taken):
        raise ReplyError("grounded", f"what was taken out is not in the source: {written.taken!r}")
    # A clause with a heading before it, or one that two snippets share, stands whole in none.
    about = nearest(seed.text, written.taken)
    taken = holding(own(seed), written.taken) or [one for one in own(seed) if one.text == about]
    return [*(one.model_copy(update={"part": "removed"}) for one in taken), *written.documents]
