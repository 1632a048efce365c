"""What writers and editors of retrieval-augmented items fill in: of each kind of item only what it needs."""

from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from agentinstruct.agents.sources import Written


class Blank(BaseModel):
    """A form to be filled in; what it does not ask for is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Support(Blank):
    """A quotation that proves the answer."""

    document: str = Field(description="The letter of the document in which it stands.")
    quote: str = Field(min_length=2, description="Exact words of that document: a clause or a sentence.")


class Asked(Blank):
    """Everything that can be filled in."""

    support: tuple[Support, ...] = ()
    query: str = Field(min_length=6, description="What the user asks.")
    answer: str = ""
    answers: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    missing: str = ""
    added: tuple[Written, ...] = ()


_SUPPORT = (tuple[Support, ...], Field(min_length=1, max_length=6, description="The quotations that prove the answer."))
_QUERY = (str, Field(min_length=6, description="What the user asks."))
_ANSWER = (str, Field(min_length=1, description="The answer, as short as is complete."))
_PARTS = (tuple[str, ...], Field(min_length=2, max_length=6, description="The parts of the answer, each by itself."))
_MISSING = (str, Field(min_length=3, description="What the documents leave open, in a few words."))
_OPTION = Annotated[str, Field(min_length=1)]
FIELDS: dict[str, dict[str, Any]] = {
    "fact": {"answer": _ANSWER},
    "nothing": {"answer": _ANSWER},
    "list": {"answers": _PARTS},
    "conflict": {"answers": _PARTS},
    "open": {"answers": _PARTS},
    "decision": {"answer": (Literal["yes", "no"], Field(description="What the evidence decides."))},
    "choice": {
        "answer": (_OPTION, Field(description="The right option.")),
        "wrong": (tuple[_OPTION, ...], Field(min_length=3, max_length=4, description="Wrong options of its shape.")),
    },
    "partial": {"answer": _ANSWER, "missing": _MISSING},
    "queries": {"answer": _ANSWER, "missing": _MISSING},
}
"""What a writer fills in besides quotations and query, by the kind of item."""


@lru_cache(maxsize=32)
def asked_for(kind: str) -> type[BaseModel]:
    """What a writer of this kind of item fills in."""
    fields: dict[str, Any] = {"support": _SUPPORT, "query": _QUERY, **FIELDS[kind]}
    made: type[BaseModel] = create_model(f"Asked_{kind}", __base__=Blank, **fields)
    return made


class Reworded(Blank):
    """What most editors fill in: the program keeps all the rest."""

    query: str = Field(min_length=6, description="The query as it is now.")


class Joined(Reworded):
    """What an editor who adds documents fills in."""

    added: tuple[Written, ...] = Field(min_length=1, max_length=3, description="The documents to be added.")
