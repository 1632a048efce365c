"""Checks: what must hold before a draft becomes a record.

Exact checks (this module) prove something by computing it: quotations stand in the passage, numbers
recompute, an edit changed what its goal says, a final answer is the key. Model checks (`panel.py`) ask
other agents, and come after.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher

from agentinstruct.agents.forms import (
    FORMS,
    Choice,
    Match,
    Order,
    Pair,
    Revision,
    final_answer,
    read_form,
    says_unanswerable,
)
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.agents.skill import Category
from agentinstruct.tools.constraints import check as check_constraints
from agentinstruct.tools.quotes import contains, fold

_SLOT = re.compile(r"\[[a-z][^\[\]]{2,40}\]|…(?=\s*\?)")
_TRACES = re.compile(
    r"</?(?:request|passage|question|options|item|suggestion|response|reference|rubric|text|form)>"
    r"|<\|[a-z_]+\|>|\[/?INST\]|\bas an ai(?: language)? model\b|\bmy instructions\b|\bsystem prompt\b",
    re.IGNORECASE,
)
_FRAME = re.compile(r"\"{3}|`{3}|-{3,}$|#+ (?:text|passage)$|(?:modified |input )?text:", re.IGNORECASE | re.MULTILINE)
_ASKING = ("short", "list", "number")
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        "about according answer author does from have many mentioned much name named names passage people person "
        "question said some state stated states story text that their them there they thing things this what when "
        "where which whom whose with word words writer",
    )
)
UNTOUCHED = 0.3
"""An edit of the passage must leave at least this share of it as it was: an edit, not another text."""


def item_verdicts(draft: Draft, parent: Draft | None, category: Category) -> tuple[Verdict, ...]:
    """What can be said of an item before anyone has answered it."""
    form = read_form(draft.item)
    unanswerable = draft.outcome == "unanswerable"
    faults = [] if unanswerable else list(form.faults(draft.passage))
    if (slot := _SLOT.search(draft.item.question)) and slot[0] not in draft.passage:
        faults.append(("form", f"a slot of the model question was not filled: {slot[0]}"))
    asked_anew = draft.outcome in ("original", "kept") and draft.item.form in _ASKING
    if asked_anew and _names_nothing(draft.item.question, draft.passage):
        faults.append(("form", "the question names nothing that the passage speaks of"))
    if isinstance(form, Revision) and category.states and not {c.kind for c in form.constraints} & set(category.states):
        faults.append(("form", f"states nothing exact, though its type must: {', '.join(category.states)}"))
    names = dict.fromkeys(["form", *(["grounded"] if _quotes(draft) else []), *(name for name, _ in faults)])
    found = [Verdict(check=name, passed=True, evidence="") for name in names if not any(f[0] == name for f in faults)]
    found += [Verdict(check=name, passed=False, evidence=evidence) for name, evidence in faults]
    return (*found, *([changed(draft, parent)] if parent else []))


def _names_nothing(question: str, passage: str) -> bool:
    """Whether a question could stand under any text: no number or word of substance in it is of the passage."""
    words, known = set(re.findall(r"[^\W\d_]{4,}|\d+", fold(question))) - _GENERIC, fold(passage)
    quoted = any(contains(passage, quote) for quote in re.findall(r'"([^"]{6,})"', fold(question)))
    return question.isascii() and not quoted and not any(word[:5] in known for word in words)


def _quotes(draft: Draft) -> bool:
    return draft.outcome != "unanswerable" and any(
        draft.item.written.get(key) for key in ("evidence", "quotes", "facts")
    )


def changed(draft: Draft, parent: Draft) -> Verdict:
    """Whether an edit changed what its goal says, and only that."""
    same_passage = fold(draft.passage) == fold(parent.passage)
    same_item = fold(draft.item.question) == fold(parent.item.question) and _options(draft) == _options(parent)
    if draft.outcome == "kept":
        return _verdict("changed", not same_item, "the item is as it was" if same_item else "the item was rewritten")
    if same_passage:
        return _verdict("changed", False, "the passage is as it was")
    if not same_item:
        return _verdict("changed", False, "the question or its options changed, though only the passage may")
    if problem := _outcome_missed(draft, parent):
        return _verdict("changed", False, problem)
    kept = SequenceMatcher(None, parent.passage.split(), draft.passage.split(), autojunk=False).ratio()
    return _verdict("changed", kept >= UNTOUCHED, f"{kept:.0%} of the passage is as it was")


def _outcome_missed(draft: Draft, parent: Draft) -> str:
    """Why an edited passage cannot have the outcome it was to have, as far as comparing words tells."""
    form, before = read_form(draft.item), read_form(parent.item)
    if draft.outcome == "flipped" and isinstance(form, Pair) and isinstance(before, Pair):
        same = fold(form.true_statement) == fold(before.true_statement)
        return "the two statements did not change places" if same else ""
    written = parent.item.written
    quotes = [*written.get("evidence", ()), *written.get("quotes", ())]
    quotes += [fact["quote"] for fact in written.get("facts", ())]
    stands = draft.outcome == "unanswerable" and quotes and all(contains(draft.passage, quote) for quote in quotes)
    return "the evidence still stands in the passage" if stands else ""


def _options(draft: Draft) -> frozenset[tuple[str, str]]:
    """What a question offers to choose from, in no order: an edit of the passage leaves it as it was."""
    match read_form(draft.item):
        case Choice() as form:
            return _sides(option=(form.right, *form.wrong))
        case Pair() as form:
            return _sides(option=(form.true_statement, form.false_statement))
        case Match() as form:
            return _sides(left=[pair.left for pair in form.pairs], right=[pair.right for pair in form.pairs])
        case Order() as form:
            return _sides(option=form.events)
    return frozenset()


def _sides(**sides: Sequence[str]) -> frozenset[tuple[str, str]]:
    return frozenset((side, fold(text)) for side, texts in sides.items() for text in texts)


def answered(draft: Draft) -> bool | None:
    """Whether the response's final answer is the key; None when only a reader can tell."""
    final = final_answer(draft.response)
    if draft.outcome == "unanswerable":
        return says_unanswerable(final)
    if not final or (says_unanswerable(final) and draft.item.key != "Not Given"):
        return False
    return FORMS[draft.item.form].agrees(draft.item.key, final)


def response_verdicts(draft: Draft, category: Category, names: tuple[str, ...]) -> Iterator[Verdict]:
    """The exact checks on a response that a skill's policy names."""
    for name in names:
        if name in RESPONSE_CHECKS:
            yield from RESPONSE_CHECKS[name](draft, category)


def _not_copied(draft: Draft, category: Category) -> Iterator[Verdict]:
    same = draft.response.strip() == draft.passage.strip()
    yield _verdict("not_copied", not same, "the response is the text as it was" if same else "")


def _constraints(draft: Draft, category: Category) -> Iterator[Verdict]:
    form = read_form(draft.item)
    stated = form.constraints if isinstance(form, Revision) else ()
    for finding in check_constraints((*stated, *category.requires), draft.passage, draft.response):
        yield _verdict("constraints", finding.passed, f"{finding.constraint}: {finding.evidence}")


def _answered(draft: Draft, category: Category) -> Iterator[Verdict]:
    if FORMS[draft.item.form].definite and (holds := answered(draft)) is not None:
        final = final_answer(draft.response)
        yield _verdict("answered", holds, f"final answer {final[:80]!r}, key {draft.item.key[:80]!r}")


def _clean(draft: Draft, category: Category) -> Iterator[Verdict]:
    """No trace of how it was made: the prompts' tags, chat tokens, disclaimers, or the request said back."""
    trace = next((m[0] for m in _TRACES.finditer(draft.response) if m[0] not in draft.request), "")
    if not trace and draft.item.form == Revision.name:
        said_back = fold(draft.item.question) in fold(draft.response)
        trace = draft.item.question if said_back else _frame(draft)
    yield _verdict("clean", not trace, f"the response holds {trace[:80]!r}" if trace else "")


def _frame(draft: Draft) -> str:
    """A mark that sets the user's text off, or a code fence, said back around the modified text."""
    opening = _FRAME.match(draft.response.strip())
    return opening[0] if opening and not _FRAME.match(draft.passage.strip()) else ""


RESPONSE_CHECKS: dict[str, Callable[[Draft, Category], Iterator[Verdict]]] = {
    "not_copied": _not_copied,
    "constraints": _constraints,
    "clean": _clean,
    "answered": _answered,
}


def _verdict(check: str, passed: bool, evidence: str) -> Verdict:
    return Verdict(check=check, passed=passed, evidence=evidence)
