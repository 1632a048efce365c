"""Checks of an item before anyone has answered it: it is well formed, grounded, and what its goal asked for."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from agentinstruct.agents.checks.check import Bench, Check, Opinion
from agentinstruct.agents.forms import Choice, Match, Optioned, Order, Pair, Revision, read_form
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.tools.quotes import contains, fold

_SLOT = re.compile(r"\[[a-z][^\[\]]{2,40}\]|…(?=\s*\?)")
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


async def _form(draft: Draft, bench: Bench) -> Opinion:
    """The faults of an item, and which of the two great kinds it has been cleared of."""
    faults = list(_faults(draft, bench))
    failed = [Verdict(check=name, passed=False, evidence=evidence) for name, evidence in faults]
    cleared = {"form", *(["grounded"] if _quotes(draft) else [])} - {name for name, _ in faults}
    return [*(Verdict(check=name, passed=True) for name in sorted(cleared)), *failed], []


def _faults(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form = read_form(draft.item)
    if draft.outcome != "unanswerable":
        yield from form.faults(draft.passage)
    if (slot := _SLOT.search(draft.item.question)) and slot[0] not in draft.passage:
        yield "form", f"a slot of the model question was not filled: {slot[0]}"
    asked_anew = draft.outcome in ("original", "kept") and draft.item.form in _ASKING
    if asked_anew and _names_nothing(draft.item.question, draft.passage):
        yield "form", "the question names nothing that the passage speaks of"
    states = bench.category.states
    if isinstance(form, Revision) and states and not {c.kind for c in form.constraints} & set(states):
        yield "form", f"states nothing exact, though its type must: {', '.join(states)}"


def _names_nothing(question: str, passage: str) -> bool:
    """Whether a question could stand under any text: no number or word of substance in it is of the passage."""
    words, known = set(re.findall(r"[^\W\d_]{4,}|\d+", fold(question))) - _GENERIC, fold(passage)
    quoted = any(contains(passage, quote) for quote in re.findall(r'"([^"]{6,})"', fold(question)))
    return question.isascii() and not quoted and not any(word[:5] in known for word in words)


def _quotes(draft: Draft) -> bool:
    return draft.outcome != "unanswerable" and any(
        draft.item.written.get(key) for key in ("evidence", "quotes", "facts")
    )


async def _changed(draft: Draft, bench: Bench) -> Opinion:
    if not bench.parent:
        return [], []
    goal = bench.skill.goals.get(draft.goal)
    same_passage = fold(draft.passage) == fold(bench.parent.passage)
    if goal and goal.changes == "both" and same_passage:
        return [_verdict("changed", False, "the passage is as it was")], []
    if goal and goal.changes == "passage" and draft.outcome == "kept":
        said = "the passage is as it was" if same_passage else "the passage was changed"
        return [_verdict("changed", not same_passage, said)], []
    return [changed(draft, bench.parent)], []


def changed(draft: Draft, parent: Draft) -> Verdict:
    """Whether an edit changed what its goal says, and only that."""
    same_passage = fold(draft.passage) == fold(parent.passage)
    same_item = fold(draft.item.question) == fold(parent.item.question) and _options(draft) == _options(parent)
    if draft.outcome == "kept" and draft.item.passage:  # put together by the program, so not an edit of the editor's
        same_item = same_item and same_passage
    if draft.outcome == "kept" and (same_passage or draft.item.passage):
        return _verdict("changed", not same_item, "the item is as it was" if same_item else "the item was rewritten")
    if draft.outcome == "kept":
        return _touched(draft, parent)
    if same_passage:
        return _verdict("changed", False, "the passage is as it was")
    if not same_item:
        return _verdict("changed", False, "the question or its options changed, though only the passage may")
    if problem := _outcome_missed(draft, parent):
        return _verdict("changed", False, problem)
    return _touched(draft, parent)


def _touched(draft: Draft, parent: Draft) -> Verdict:
    kept = _kept(parent.passage.split(), draft.passage.split())
    return _verdict("changed", kept >= UNTOUCHED, f"{kept:.0%} of the passage is as it was")


def _kept(before: list[str], now: list[str]) -> float:
    """The share of words that stayed; what begins and ends both texts need not be matched word by word."""
    least = min(len(before), len(now))
    first = next((i for i in range(least) if before[i] != now[i]), least)
    last = next((i for i in range(least - first) if before[-1 - i] != now[-1 - i]), least - first)
    inner = SequenceMatcher(
        None, before[first : len(before) - last], now[first : len(now) - last], autojunk=False
    ).get_matching_blocks()
    both = len(before) + len(now)
    return 2 * (first + last + sum(block.size for block in inner)) / both if both else 1.0


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
        case Optioned() as form:
            return _sides(option=form.offered())
    return _sides(shown=[draft.item.options, draft.item.output])


def _sides(**sides: Sequence[str]) -> frozenset[tuple[str, str]]:
    return frozenset((side, fold(text)) for side, texts in sides.items() for text in texts)


def _verdict(check: str, passed: bool, evidence: str) -> Verdict:
    return Verdict(check=check, passed=passed, evidence=evidence)


CHECKS = (
    Check(
        "form",
        "The item is whole, its quotations stand in the passage, and its numbers recompute.",
        "exact",
        "item",
        _form,
    ),
    Check(
        "changed",
        "An edit changed what its goal says, and only that.",
        "exact",
        "item",
        _changed,
    ),
)
