"""Exact checks of items and replies about documents: nothing here is judged, gold is known by construction.

distractors        no document but gold holds the evidence; gold is there, or has been taken out
sources_refined    a refined list or query is what its goal says
reply_format       the reply has the format that the request asks for
cited_ids          every id that is cited is one of the list
refusal            it declines exactly where the documents do not answer
citations          what is cited is what is gold: precision and recall
not_from_others    a short answer says nothing that only other documents say
cited_figures      every figure of a sentence stands in a document that the sentence cites
answer_key         the answer is the key, where comparing words can tell
"""

import re
from collections.abc import Iterator, Sequence

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.retrieved import RETRIEVED, Retrieved, RetrievedCited
from agentinstruct.agents.forms.retrieved_kinds import chosen
from agentinstruct.agents.records import Draft
from agentinstruct.agents.reply_formats import Given, declines, given
from agentinstruct.tools.quotes import contains, fold
from agentinstruct.tools.snippets import substance

NAMES = frozenset(form.name for form in RETRIEVED)
DECLINED = ("nothing", "queries")
"""Kinds of item to which the documents hold no answer."""
_FIGURE = re.compile(r"(?<![\w.,])\d[\d.,]*\d|(?<![\w.,])\d")
_NEW_WORDS = 0.8
"""A paraphrase shares no more than this part of its words of substance with the query it was made from."""


def retrieved(draft: Draft) -> Retrieved:
    """The item behind a draft, in the order in which its documents are shown."""
    form = read_form(draft.item)
    assert isinstance(form, Retrieved)
    return form


def _distractors(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form = retrieved(draft)
    others = [one for one in form.documents if one.part != "gold"]
    for number, one in enumerate(form.documents, 1):
        if one.part != "gold" and (quote := next((q for q in form.support if contains(one.text, q)), "")):
            yield "distractors", f"document {number} is not gold and holds the evidence {quote[:80]!r}"
    if form.kind in DECLINED and form.gold:
        yield "distractors", "the documents that answer were not taken out"
    if form.kind not in DECLINED and not form.gold:
        yield "distractors", "no document of the list answers"
    if not others and form.kind != "conflict":
        yield "distractors", "every document of the list answers: nothing has to be found"


def _goal_met(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    if bench.parent is None or draft.goal not in GOALS:
        return None
    before, now = retrieved(bench.parent), retrieved(draft)
    return (("sources_refined", fault) for fault in [*GOALS[draft.goal](before, now), *_same_key(draft, before, now)])


def _same_key(draft: Draft, before: Retrieved, now: Retrieved) -> Iterator[str]:
    """An edit that keeps the answer keeps the documents that hold it."""
    if draft.outcome == "kept" and _texts(before, "gold") != _texts(now, "gold"):
        yield "other documents answer than before"


def _texts(form: Retrieved, part: str) -> set[str]:
    return {fold(one.text) for one in form.documents if one.part == part}


def _more(before: Retrieved, now: Retrieved) -> Iterator[str]:
    if len(now.documents) <= len(before.documents):
        yield f"{len(before.documents)} documents, now {len(now.documents)}"


def _lower(before: Retrieved, now: Retrieved) -> Iterator[str]:
    if not now.ordered or min(now.gold, default=0) <= 1:
        yield "the documents that answer still come first"


def _reworded(before: Retrieved, now: Retrieved) -> Iterator[str]:
    old, new = set(substance(before.query)), set(substance(now.query))
    if new and len(old & new) / len(new) > _NEW_WORDS:
        yield "the query is asked in the same words"


def _cited(before: Retrieved, now: Retrieved) -> Iterator[str]:
    if now.name != RetrievedCited.name:
        yield "the reply is not asked for with citations"


def _stricter(before: Retrieved, now: Retrieved) -> Iterator[str]:
    if not now.limit or str(now.limit) not in now.query:
        yield f"the query does not state the limit of {now.limit} words"


def _emptied(before: Retrieved, now: Retrieved) -> Iterator[str]:
    if now.gold or any(text in _texts(now, part) for text in _texts(before, "gold") for part in ("other", "near")):
        yield "the documents that answer are still there"


GOALS = {
    "more_distractors": _more,
    "lower_rank": _lower,
    "paraphrase_query": _reworded,
    "require_citing": _cited,
    "strict_format": _stricter,
    "remove_gold": _emptied,
}


def _reply_format(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form, reply = retrieved(draft), given(draft)
    if reply.fault:
        yield "reply_format", reply.fault
    elif form.limit and (words := len(reply.answer.split())) > form.limit:
        yield "reply_format", f"the answer has {words} words, more than {form.limit}"


def _cited_ids(draft: Draft, bench: Bench) -> Iterator[Fault]:
    count = len(retrieved(draft).documents)
    if invented := sorted(one for one in given(draft).ids if not 1 <= one <= count):
        yield "cited_ids", f"there is no document {invented[0]} among {count}"


def _refusal(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form, reply = retrieved(draft), given(draft)
    said = declines(reply.answer)
    if form.kind in DECLINED and not said and form.kind == "nothing":
        yield "refusal", f"the documents do not answer, and the reply is {reply.answer[:80]!r}"
    elif form.kind == "partial" and not said:
        yield "refusal", "the reply does not say what the documents leave open"
    elif form.kind not in (*DECLINED, "partial", "conflict", "open") and said and not form.holds(reply.answer):
        yield "refusal", f"the documents answer, and the reply is {reply.answer[:80]!r}"


def _citations(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form, reply = retrieved(draft), given(draft)
    gold, cited = set(form.gold), set(reply.ids)
    if missed := sorted(gold - cited):
        yield "citations", f"recall {len(gold & cited)} of {len(gold)}: document {missed[0]} is not cited"
    if wrong := sorted(cited - gold - _mentionable(form)):
        yield "citations", f"precision {len(gold & cited)} of {len(cited)}: document {wrong[0]} does not answer"
    if bare := next((one.text for one in reply.statements if not one.ids and not declines(one.text)), ""):
        yield "citations", f"a sentence without a citation: {bare[:80]!r}"


def _mentionable(form: Retrieved) -> set[int]:
    """What prose may speak of though it does not answer: an earlier version, the other side, what comes nearest."""
    if form.name != RetrievedCited.name:
        return set()
    if form.kind == "nothing":
        return set(range(1, len(form.documents) + 1))
    return {number for number, one in enumerate(form.documents, 1) if one.part in ("outdated", "side")}


def _not_from_others(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form, reply = retrieved(draft), given(draft)
    if form.kind not in ("fact", "list", "decision") or reply.statements:
        return None
    return _borrowed(form, reply.answer)


def _borrowed(form: Retrieved, answer: str) -> Iterator[Fault]:
    gold = " ".join(
        [form.query, form.answer, *(f"{one.title} {one.text}" for one in form.documents if one.part == "gold")]
    )
    known = set(substance(gold))
    for number, one in enumerate(form.documents, 1):
        taken = (set(substance(answer)) - known) & set(substance(one.text))
        if one.part != "gold" and taken:
            yield "not_from_others", f"{min(taken)!r} stands in document {number} and in none that answers"


def _cited_figures(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form, reply = retrieved(draft), given(draft)
    return _unfounded(form, reply) if reply.statements else None


def _unfounded(form: Retrieved, reply: Given) -> Iterator[Fault]:
    for statement in reply.statements:
        texts = [_whole(form, number) for number in statement.ids if 1 <= number <= len(form.documents)]
        known = _figures(f"{form.query} {' '.join(texts)}")
        for figure in _figures(statement.text):
            if statement.ids and figure not in known:
                yield "cited_figures", f"{figure} stands in none of the documents {sorted(statement.ids)}"


def _whole(form: Retrieved, number: int) -> str:
    one = form.documents[number - 1]
    return f"{one.title} {one.date} {one.text}"


def _figures(text: str) -> list[str]:
    return [found.replace(",", "").rstrip(".") for found in _FIGURE.findall(text)]


def _answer_key(draft: Draft, bench: Bench) -> Sequence[Fault] | None:
    form, answer = retrieved(draft), given(draft).answer
    same = chosen(answer, draft.item.key) if form.kind == "choice" else form.holds(answer)
    if same is None:
        return None
    return [] if same else [("answer_key", f"{answer[:80]!r} against the key {draft.item.key[:80]!r}")]


CHECKS = tuple(
    exact(name, proves, "item" if name in ("distractors", "sources_refined") else "response", find, forms=NAMES)
    for name, proves, find in (
        ("distractors", "No document but gold holds the evidence, and gold is there or taken out.", _distractors),
        ("sources_refined", "A refined item is what its goal says, with the same documents answering.", _goal_met),
        ("reply_format", "The reply has the format that was asked for.", _reply_format),
        ("cited_ids", "Every id cited is one of the list.", _cited_ids),
        ("refusal", "The reply declines exactly where the documents do not answer.", _refusal),
        ("citations", "What is cited is what is gold: full precision and recall, no sentence without.", _citations),
        ("not_from_others", "A short answer takes nothing from documents that do not answer.", _not_from_others),
        ("cited_figures", "Each figure stands in a document cited for it.", _cited_figures),
        ("answer_key", "The answer is the key, where words can tell.", _answer_key),
    )
)
