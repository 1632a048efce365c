"""Exact checks of questions that stand alone, and of responses given without the passage behind them.

evidence_holds    no evidence is taken from what a passage calls a mistake
as_asked          where the user wants the bare answer, the response is that
further_step      a computation made harder has more operations and more figures
"""

import re
from collections.abc import Iterator

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.forms import Quantity, final_answer, read_form
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft
from agentinstruct.agents.shapes_mistakes import mistaken
from agentinstruct.tools.quotes import contains, numbers

_BARE = re.compile(
    r"\b(?:only (?:the|your) (?:result|choice|answer)|just the (?:answer|result)|(?:choice|answer) only"
    r"|and nothing else|without an explanation)\b",
    re.IGNORECASE,
)
_OPERATION = re.compile(r"(?<=[\d)])\s*(?:\*\*|[-+*/])")


def _as_asked(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    if not _BARE.search(draft.request.replace(draft.item.question, "").replace(draft.item.options, "")):
        return None
    return _more_than_answer(draft.response)


def _more_than_answer(response: str) -> Iterator[Fault]:
    said = [line for line in response.splitlines() if line.strip()]
    if len(said) > 1 or not final_answer(response):
        yield "as_asked", f"the user wants the bare answer; the response begins {response[:80]!r}"


def _further_step(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form, before = read_form(draft.item), bench.parent and read_form(bench.parent.item)
    if not isinstance(form, Quantity) or not isinstance(before, Quantity):
        return None
    return _no_further(form, before)


def _no_further(form: Quantity, before: Quantity) -> Iterator[Fault]:
    steps = [len(_OPERATION.findall(one.expression)) for one in (before, form)]
    if steps[1] <= steps[0]:
        yield "further_step", f"{form.expression} takes no more steps than {before.expression}"
    if len(set(numbers(form.question))) <= len(set(numbers(before.question))):
        yield "further_step", "the question states no more figures than before"


def _evidence_holds(draft: Draft, bench: Bench) -> Iterator[Fault]:
    wrong = mistaken(draft.passage)
    for quote in draft.item.written.get("evidence", ()):
        if any(contains(line, quote) for line in wrong):
            yield "evidence_holds", f"the material calls this a mistake: {quote!r}"


CHECKS = (
    exact("evidence_holds", "No evidence is taken from what the material calls a mistake.", "item", _evidence_holds),
    exact("as_asked", "Where the user wants the bare answer, the response is that.", "response", _as_asked),
    exact(
        "further_step",
        "A problem made harder has more operations and more figures than before.",
        "item",
        _further_step,
        forms=["quantity"],
    ),
)
