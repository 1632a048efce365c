"""Every form there is, by the name a taxonomy gives it."""

from typing import Any

from agentinstruct.agents.forms.asking import Definite, Open, Premise, Quantity
from agentinstruct.agents.forms.classification import Classification
from agentinstruct.agents.forms.closed import Blank, Choice, Match, Matching, Order, Pair, Tristate
from agentinstruct.agents.forms.data import Alert, Verbal
from agentinstruct.agents.forms.exemplars import Imitation, Induction, OddOne
from agentinstruct.agents.forms.extraction import EXTRACTIONS, Extraction
from agentinstruct.agents.forms.fermi import Comparison, Estimate
from agentinstruct.agents.forms.form import UNANSWERABLE, Form, final_answer, says_unanswerable
from agentinstruct.agents.forms.lookup import Lookup
from agentinstruct.agents.forms.mcq import Optioned
from agentinstruct.agents.forms.mcq_built import Select, Worked
from agentinstruct.agents.forms.mcq_ordered import Assertion, Sequenced
from agentinstruct.agents.forms.mcq_written import Above, Single
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
from agentinstruct.agents.forms.puzzle import Case, Game, Inference, Puzzle, Riddle, Ruling
from agentinstruct.agents.forms.retrieved import RETRIEVED, Retrieved
from agentinstruct.agents.forms.rows import Rows
from agentinstruct.agents.forms.talk import Talk
from agentinstruct.agents.forms.web import WebStep, WebTask
from agentinstruct.agents.records import Item
from agentinstruct.agents.toolcalls import ToolTask

__all__ = [
    "EXTRACTIONS",
    "FORMS",
    "UNANSWERABLE",
    "Above",
    "Assertion",
    "Blank",
    "Case",
    "Choice",
    "Classification",
    "Definite",
    "Essay",
    "Extraction",
    "Fact",
    "Form",
    "Game",
    "Inference",
    "Listing",
    "Match",
    "Matching",
    "Number",
    "Open",
    "Optioned",
    "Order",
    "Pair",
    "Piece",
    "Premise",
    "Puzzle",
    "Quantity",
    "Quote",
    "Retrieved",
    "Revision",
    "Riddle",
    "Ruling",
    "Select",
    "Sequenced",
    "Short",
    "Single",
    "Sourced",
    "Talk",
    "ToolTask",
    "Tristate",
    "WebStep",
    "WebTask",
    "Worked",
    "final_answer",
    "read_form",
    "says_unanswerable",
]

FORMS: dict[str, type[Form]] = {
    form.name: form
    for form in (
        *(Short, Listing, Choice, Blank, Pair, Number, Match, Order, Tristate, Essay, Quote),
        *(Revision, Piece, Sourced),
        *(ToolTask, WebTask, WebStep, Talk),
        *EXTRACTIONS,
        Classification,
        *RETRIEVED,
        *(Open, Definite, Quantity, Premise),
        *(Single, Above, Worked, Select, Sequenced, Assertion),
        *(Verbal, Lookup, Rows, Alert, Estimate, Comparison),
        *(Program, Completion, Repair, Crash, Refactor, Speedup, Extension, CodeReview),
        *(Output, Walkthrough, Testing, Documentation, Translation, SqlQuery),
        *(Induction, Imitation, OddOne),
        *(Puzzle, Game, Inference, Ruling, Case, Riddle),
    )
}
"""The forms of each family: of texts, of pieces, of dialogues, of data, of code."""


_MOST_READ = 1024
_READ: dict[int, tuple[Any, Form]] = {}
"""The replies read last, each beside what was written: checks and nodes read an item's a dozen times."""


def read_form(item: Item) -> Form:
    """The writer's reply behind an item."""
    written, form = _READ.get(id(item.written), (None, None))
    if form is None or written is not item.written or form.name != item.form:
        form = FORMS[item.form].model_validate(item.written)
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        _READ[id(item.written)] = item.written, form
    return form
