"""Who and what a puzzle is about: names taken from a document, cleaned so that they can stand in any sentence."""

import re
from collections.abc import Iterable, Iterator
from random import Random

from pydantic import BaseModel, ConfigDict

from agentinstruct.tools.solver import identifier

_NAME = re.compile(r"[^\W_][\w'’-]*(?: [^\W_][\w'’-]*){0,3}")
_JOINS = re.compile(r"\b(?:and|or|but|not|if|then|with|before|after|next|than|is|are|has|says)\b", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:the|an?) ", re.IGNORECASE)


class TooFew(ValueError):
    """The document does not give a puzzle enough names."""


class Cast(BaseModel):
    """The names that a puzzle can use, by kind; kinds of being are plural nouns."""

    model_config = ConfigDict(frozen=True)

    people: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    @classmethod
    def of(cls, **names: Iterable[str]) -> "Cast":
        """The names that can be used, each once, none a part of another of its list."""
        cleaned = {kind: tuple(_clean(given, article=kind in ("things", "places"))) for kind, given in names.items()}
        return cls(**cleaned)

    def some(self, kind: str, count: int, draw: Random) -> tuple[str, ...]:
        """So many names of a kind, drawn.

        Raises:
            TooFew: there are not that many.
        """
        known: tuple[str, ...] = getattr(self, kind)
        if len(known) < count:
            raise TooFew(f"{count} {kind} are needed, and there are {len(known)}")
        return tuple(draw.sample(known, count))


def _clean(names: Iterable[str], article: bool) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        words = " ".join(name.split()).strip(" .,;:\"'")
        bare = _ARTICLE.sub("", words)
        folded = identifier(bare)
        usable = _NAME.fullmatch(bare) and not _JOINS.search(bare) and len(bare) <= 32 and bare[0].isalpha()
        clear = len(folded) > 1 and not any(folded in other or other in folded for other in seen)
        if usable and clear and not folded.startswith("x_"):
            seen.add(folded)
            named = article or words.startswith("the ")
            yield f"the {bare}" if named and bare[0].islower() else bare


def listed(names: Iterable[str]) -> str:
    """Names in a row, by commas: this is how settings state them, and how they can be read back."""
    return ", ".join(names)
