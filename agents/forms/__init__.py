"""Every form there is, by the name a taxonomy gives it."""

from agentinstruct.agents.forms.asking import Definite, Open, Premise, Quantity
from agentinstruct.agents.forms.closed import Blank, Choice, Match, Matching, Order, Pair, Tristate
from agentinstruct.agents.forms.form import UNANSWERABLE, Form, final_answer, says_unanswerable
from agentinstruct.agents.forms.mcq import Optioned
from agentinstruct.agents.forms.mcq_built import Select, Worked
from agentinstruct.agents.forms.mcq_ordered import Assertion, Sequenced
from agentinstruct.agents.forms.mcq_written import Above, Single
from agentinstruct.agents.forms.open import Essay, Fact, Listing, Number, Quote, Revision, Short
from agentinstruct.agents.records import Item
from agentinstruct.agents.toolcalls import ToolTask

__all__ = [
    "FORMS",
    "UNANSWERABLE",
    "Above",
    "Assertion",
    "Blank",
    "Choice",
    "Definite",
    "Essay",
    "Fact",
    "Form",
    "Listing",
    "Match",
    "Matching",
    "Number",
    "Open",
    "Optioned",
    "Order",
    "Pair",
    "Premise",
    "Quantity",
    "Quote",
    "Revision",
    "Select",
    "Sequenced",
    "Short",
    "Single",
    "ToolTask",
    "Tristate",
    "Worked",
    "final_answer",
    "read_form",
    "says_unanswerable",
]

FORMS: dict[str, type[Form]] = {
    form.name: form
    for form in (
        *(Short, Listing, Choice, Blank, Pair, Number, Match, Order, Tristate, Essay, Quote, Revision, ToolTask),
        *(Open, Definite, Quantity, Premise),
        *(Single, Above, Worked, Select, Sequenced, Assertion),
    )
}


def read_form(item: Item) -> Form:
    """The writer's reply behind an item."""
    return FORMS[item.form].model_validate(item.written)
