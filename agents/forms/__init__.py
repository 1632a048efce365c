"""Every form there is, by the name a taxonomy gives it."""

from agentinstruct.agents.forms.classification import Classification
from agentinstruct.agents.forms.closed import Blank, Choice, Match, Matching, Order, Pair, Tristate
from agentinstruct.agents.forms.extraction import EXTRACTIONS, Extraction
from agentinstruct.agents.forms.form import UNANSWERABLE, Form, final_answer, says_unanswerable
from agentinstruct.agents.forms.on_code import Documentation, Output, SqlQuery, Testing, Translation, Walkthrough
from agentinstruct.agents.forms.open import Essay, Fact, Listing, Number, Quote, Revision, Short
from agentinstruct.agents.forms.piece import Piece, Sourced
from agentinstruct.agents.forms.programs import (
    CodeReview,
    Completion,
    Crash,
    Extension,
    Program,
    Refactor,
    Repair,
    Speedup,
)
from agentinstruct.agents.forms.retrieved import RETRIEVED, Retrieved
from agentinstruct.agents.forms.talk import Talk
from agentinstruct.agents.records import Item
from agentinstruct.agents.toolcalls import ToolTask

__all__ = [
    "EXTRACTIONS",
    "FORMS",
    "UNANSWERABLE",
    "Blank",
    "Choice",
    "Classification",
    "Essay",
    "Extraction",
    "Fact",
    "Form",
    "Listing",
    "Match",
    "Matching",
    "Number",
    "Order",
    "Pair",
    "Piece",
    "Quote",
    "Retrieved",
    "Revision",
    "Short",
    "Sourced",
    "Talk",
    "ToolTask",
    "Tristate",
    "final_answer",
    "read_form",
    "says_unanswerable",
]

FORMS: dict[str, type[Form]] = {
    form.name: form
    for form in (
        Short,
        Listing,
        Choice,
        Blank,
        Pair,
        Number,
        Match,
        Order,
        Tristate,
        Essay,
        Quote,
        Revision,
        ToolTask,
        *EXTRACTIONS,
        Classification,
        Piece,
        Sourced,
        Talk,
        Program,
        Completion,
        Repair,
        Crash,
        Refactor,
        Speedup,
        Extension,
        CodeReview,
        Output,
        Walkthrough,
        Testing,
        Documentation,
        Translation,
        SqlQuery,
        *RETRIEVED,
    )
}


def read_form(item: Item) -> Form:
    """The writer's reply behind an item."""
    return FORMS[item.form].model_validate(item.written)
