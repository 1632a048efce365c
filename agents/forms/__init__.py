"""Every form there is, by the name a taxonomy gives it."""

from agentinstruct.agents.forms.closed import Blank, Choice, Match, Matching, Order, Pair, Tristate
from agentinstruct.agents.forms.form import UNANSWERABLE, Form, final_answer, says_unanswerable
from agentinstruct.agents.forms.open import Essay, Fact, Listing, Number, Quote, Revision, Short
from agentinstruct.agents.forms.sourced import SOURCED, Sourced
from agentinstruct.agents.records import Item
from agentinstruct.agents.toolcalls import ToolTask

__all__ = [
    "FORMS",
    "UNANSWERABLE",
    "Blank",
    "Choice",
    "Essay",
    "Fact",
    "Form",
    "Listing",
    "Match",
    "Matching",
    "Number",
    "Order",
    "Pair",
    "Quote",
    "Revision",
    "Short",
    "Sourced",
    "ToolTask",
    "Tristate",
    "final_answer",
    "read_form",
    "says_unanswerable",
]

FORMS: dict[str, type[Form]] = {
    form.name: form
    for form in (
        *(Short, Listing, Choice, Blank, Pair, Number, Match, Order, Tristate, Essay, Quote, Revision, ToolTask),
        *SOURCED,
    )
}


def read_form(item: Item) -> Form:
    """The writer's reply behind an item."""
    return FORMS[item.form].model_validate(item.written)
