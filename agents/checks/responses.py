"""Exact checks of a response: the final answer is the key, the demands are met, nothing of the making shows."""

import re
from collections.abc import Iterator

from agentinstruct.agents.checks.check import Bench, Check, Opinion, exact
from agentinstruct.agents.forms import FORMS, Revision, final_answer, read_form, says_unanswerable
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.tools.constraints import check as check_constraints
from agentinstruct.tools.quotes import fold

TRACES = re.compile(
    r"</?(?:request|passage|question|options|item|suggestion|response|reference|rubric|text|form)>"
    r"|<\|[a-z_]+\|>|\[/?INST\]|\bas an ai(?: language)? model\b|\bmy instructions\b|\bsystem prompt\b",
    re.IGNORECASE,
)
_SIGNS = ("as an ai", "my instructions", "system prompt")
_FRAME = re.compile(r"\"{3}|`{3}|-{3,}$|#+ (?:text|passage)$|(?:modified |input )?text:", re.IGNORECASE | re.MULTILINE)


def traces(text: str) -> Iterator[str]:
    """What may be left of the making in a text; one without any of the signs need not be searched."""
    if "<" in text or "[" in text or any(sign in text.lower() for sign in _SIGNS):
        yield from (found[0] for found in TRACES.finditer(text))


def answered(draft: Draft) -> bool | None:
    """Whether the response's final answer is the key; None when only a reader can tell."""
    final = final_answer(draft.response)
    if draft.outcome == "unanswerable":
        return says_unanswerable(final)
    if not final or (says_unanswerable(final) and draft.item.key != "Not Given"):
        return False
    return FORMS[draft.item.form].agrees(draft.item.key, final)


def _not_copied(draft: Draft, bench: Bench) -> Iterator[Fault]:
    if draft.response.strip() == draft.passage.strip():
        yield "not_copied", "the response is the text as it was"


async def _constraints(draft: Draft, bench: Bench) -> Opinion:
    form = read_form(draft.item)
    stated = (*(form.constraints if isinstance(form, Revision) else ()), *bench.category.requires)
    return [
        Verdict(
            check="constraints",
            passed=found.passed,
            evidence=": ".join(filter(None, (found.constraint, found.evidence))),
        )
        for found in check_constraints(stated, draft.passage, draft.response)
    ], []


async def _answered(draft: Draft, bench: Bench) -> Opinion:
    if not FORMS[draft.item.form].definite or (holds := answered(draft)) is None:
        return [], []
    final = final_answer(draft.response)
    evidence = f"final answer {final[:80]!r}, key {draft.item.key[:80]!r}"
    return [Verdict(check="answered", passed=holds, evidence=evidence)], []


def _clean(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """No trace of how it was made: the prompts' tags, chat tokens, disclaimers, or the request said back."""
    trace = next((found for found in traces(draft.response) if found not in draft.request), "")
    if not trace and issubclass(FORMS[draft.item.form], Revision):
        said_back = fold(draft.item.question) in fold(draft.response)
        trace = draft.item.question if said_back else _frame(draft)
    if trace:
        yield "clean", f"the response holds {trace[:80]!r}"


def _frame(draft: Draft) -> str:
    """A mark that sets the user's text off, or a code fence, said back around the modified text."""
    opening = _FRAME.match(draft.response.strip())
    return opening[0] if opening and not _FRAME.match(draft.passage.strip()) else ""


CHECKS = (
    exact("clean", "The response holds no tag, disclaimer or other trace of how it was made.", "response", _clean),
    exact("not_copied", "The response is not the text as it was.", "response", _not_copied),
    Check(
        "constraints",
        "Every exact demand of the instruction is met.",
        "exact",
        "response",
        _constraints,
    ),
    Check("answered", "The response's final answer is the key.", "exact", "response", _answered),
)
