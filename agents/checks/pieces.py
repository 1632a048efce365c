"""Checks of written pieces: the brief stands alone, a refinement binds it tighter, the piece is new."""

import re
from collections.abc import Iterator

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.checks.standing import points_outside
from agentinstruct.agents.forms import Piece, Revision, Sourced, read_form
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft
from agentinstruct.tools import freshness
from agentinstruct.tools.constraints import Constraint
from agentinstruct.tools.constraints.text import tokens
from agentinstruct.tools.verse import stanzas_of

LONGEST_RUN = 10
"""Words in a row that a piece may have from its material or brief; names and terms need some."""
_REPEATED = 0.12
"""The share of four-word runs that a piece may say again, lines that return by demand not counted."""
_OPENINGS = 0.5
_FEW = 6
_HANDED_OVER = re.compile(
    r"\b(?:the|this|that|my|these) (?:\w+ )?(?:material|brief|sheet|outline|notes|source|passage|above|following)\b"
    r"|\b(?:above|below|attached|following)\b[^.]{0,20}$",
    re.IGNORECASE,
)
_RETURNS = frozenset({"refrain", "anaphora", "sentence_starts", "count", "require_words"})
FORMS = (Piece.name, Sourced.name)


def _stands_alone(draft: Draft, bench: Bench) -> Iterator[Fault]:
    question = draft.item.question
    if words := points_outside(question) or (found[0] if (found := _HANDED_OVER.search(question)) else ""):
        yield "stands_alone", f"the brief points to something its writer has not got: {words!r}"


def _tightened(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    """A demand of the parent may give way to another of its kind, and nothing else of it may be lost."""
    if bench.parent is None or draft.goal not in bench.skill.goals:
        return None
    return _loosened(draft, bench.parent, bench)


def _loosened(draft: Draft, parent: Draft, bench: Bench) -> Iterator[Fault]:
    before, now, adds = _stated(parent), _stated(draft), bench.skill.goals[draft.goal].adds
    kinds = {c.kind for c in now}
    for lost in (c for c in before if c not in now and c.kind not in kinds):
        yield "tightened", f"a demand was lost: {lost}"
    if adds and not any(c.kind in adds and c not in before for c in now):
        yield "tightened", f"no new demand of the kind that the goal names: {', '.join(adds[:6])}"


def _stated(draft: Draft) -> tuple[Constraint, ...]:
    form = read_form(draft.item)
    return form.constraints if isinstance(form, Revision) else ()


def _original(draft: Draft, bench: Bench) -> Iterator[Fault]:
    own = [word for constraint in _stated(draft) for word in constraint.words]
    for what, text in (("material", draft.passage), ("brief", draft.item.question)):
        run = freshness.shared_run(draft.response, text)
        wanted = any(run in " ".join(tokens(word)) or " ".join(tokens(word)) in run for word in own)
        if len(run.split()) > LONGEST_RUN and not wanted:
            yield "original", f"{len(run.split())} words in a row are the {what}'s: “{run[:120]}”"


def _fresh(draft: Draft, bench: Bench) -> Iterator[Fault]:
    given = f"{draft.passage}\n{draft.item.question}".casefold()
    response = draft.response
    if (worn := freshness.worn_opening(response)) and worn not in given:
        yield "fresh", f"it opens with “{worn}”"
    phrases = [phrase for phrase in freshness.worn_phrases(response) if phrase not in given]
    if len(phrases) > 1:
        yield "fresh", f"worn phrases: {', '.join(phrases[:5])}"
    if names := [name for name in freshness.worn_names(response) if name not in given]:
        yield "fresh", f"names that models over-use: {', '.join(names[:5])}"
    yield from _repetition(draft)


def _repetition(draft: Draft) -> Iterator[Fault]:
    """What is said again without a demand for it; of lines of verse that return, only the first is looked at."""
    returns = any(constraint.kind in _RETURNS for constraint in _stated(draft))
    text = _said_once(draft.response) if returns else draft.response
    share, run = freshness.repeated_share(text)
    if share > _REPEATED:
        yield "fresh", f"{share:.0%} of it is said again, such as “{run}”"
    if not returns and (twice := freshness.repeated_sentence(text)):
        yield "fresh", f"a sentence stands twice: “{twice[:100]}”"
    part, head = freshness.repeated_opening(text)
    if not returns and part > _OPENINGS and len(tokens(text)) > 60 and part * _sentences(text) >= _FEW:
        yield "fresh", f"{part:.0%} of the sentences open with “{head}”"


def _sentences(text: str) -> int:
    return len(re.findall(r"[.!?](?:\s|$)", text))


def _said_once(text: str) -> str:
    lines = [line for stanza in stanzas_of(text) for line in stanza]
    return "\n".join(dict.fromkeys(lines))


CHECKS = (
    exact(
        "stands_alone",
        "A brief without material speaks of none.",
        "item",
        _stands_alone,
        forms=(Piece.name,),
    ),
    exact(
        "tightened",
        "A refined brief keeps its parent's demands and adds one that its goal names.",
        "item",
        _tightened,
        forms=FORMS,
    ),
    exact("original", "No long run of words is the material's or the brief's.", "response", _original, forms=FORMS),
    exact(
        "fresh",
        "It does not repeat itself, and has no worn opening, phrases or names.",
        "response",
        _fresh,
        forms=FORMS,
    ),
)
