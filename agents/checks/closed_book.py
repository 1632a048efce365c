"""Checks of questions that stand alone and of responses given without the passage behind them.

told_enough       a reader who has only the question would have to be told nothing
points_hold       the passage bears out most points of a full answer and contradicts none
blind_solvers     solvers who have only the question come to the key
premise           the response denies the false premise and corrects it
covers            the response says the points of a full answer
grounded_answer   no claim of the response contradicts the passage, and the passage bears some of them out

A judge's finding counts only with its evidence: what it quotes from a response or a passage must stand there.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion
from agentinstruct.agents.checks.panel import same_as_key, solutions_of
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import Premise, Quantity, read_form
from agentinstruct.agents.records import Call, Draft, Frozen, Verdict
from agentinstruct.agents.shapes_mistakes import mistaken
from agentinstruct.tools.quotes import contains

MCQ = ("single", "above", "worked", "select", "sequence", "assertion")
_PART = 0.7
"""A quotation of more than this share of a question quotes all of it."""
_ENOUGH = 2 / 3
"""The share of the points that a response must say in full."""


class Lack(Frozen):
    """Something that a reader of a question alone would have to be told."""

    words: str = Field(description="The words of the question that leave it open, copied letter for letter.")
    lacks: str = Field(description="What one would have to be told, in a few words.")


class Standing(Frozen):
    """What a reader of a question alone would have to be told."""

    missing: tuple[Lack, ...]
    enough: bool


class Marked(Frozen):
    """Whether a response says one point."""

    number: int
    quote: str = Field(description="The response's own words; empty unless said in full.")
    said: Literal["full", "part", "no", "against"]


class Marks(Frozen):
    """A judge's reply on all points."""

    points: tuple[Marked, ...] = Field(min_length=1, max_length=8)


class Noticed(Frozen):
    """Whether a response notices that its question rests on something false."""

    quote: str = Field(description="The response's own words that deny it; empty if there are none.")
    denied: bool
    corrected: bool
    goes_along: bool


class Claim(Frozen):
    """A claim of a response, and what a text has to say of it."""

    claim: str
    quote: str = Field(description="The text's own words that bear on it; empty if it is silent.")
    finding: Literal["supported", "contradicted", "silent"]


class Claims(Frozen):
    """A judge's reply on a response's claims."""

    claims: tuple[Claim, ...] = Field(min_length=1, max_length=12)


async def asked(
    name: str, reply: type[BaseModel], draft: Draft, bench: Bench, inputs: Mapping[str, Any]
) -> tuple[Any, list[Call], list[Verdict]]:
    """A judge's reply, or the failed verdict that there was none."""
    try:
        said, call = await bench.agent(name, reply)(bench.judge, draft.id, **inputs)
    except ReplyError as error:
        return None, list(error.calls), [verdict(name, False, f"no judgement: {error}")]
    return said, [call], []


def verdict(check: str, passed: bool, evidence: str) -> Verdict:
    """A model's verdict."""
    return Verdict(check=check, passed=passed, kind="model", evidence=evidence)


async def _told_enough(draft: Draft, bench: Bench) -> Opinion:
    inputs = {"question": draft.item.question, "options": draft.item.options}
    said, calls, failed = await asked("told_enough", Standing, draft, bench, inputs)
    if failed:
        return failed, calls
    shown = f"{draft.item.question}\n{draft.item.options}"
    lacks = [f"{one.words!r}: {one.lacks}" for one in said.missing if _points_at(one.words, shown)]
    return [
        verdict("told_enough", not lacks, "; ".join(lacks)[:300] or "nothing in it leaves open what is meant")
    ], calls


def _points_at(words: str, shown: str) -> bool:
    """Whether words are a part of what is shown: to quote the whole of it says nothing about what it lacks."""
    return contains(shown, words) and len(words.split()) < _PART * len(shown.split())


async def _blind(draft: Draft, bench: Bench) -> Opinion:
    item = draft.item
    shown = {"passage": "", "question": item.question, "options": item.options, "form": item.form}
    solutions, calls = await solutions_of(draft, bench, first=100, **shown)
    votes = [await same_as_key(draft, s.answer, bench) if s.answerable else (False, []) for s in solutions]
    agreeing = sum(same for same, _ in votes)
    calls += [call for _, more in votes for call in more]
    said = "; ".join(f"{s.answer[:40]}{'' if s.answerable else ' (not answerable)'}" for s in solutions)
    evidence = f"{agreeing} of {bench.solvers} solvers gave the key {item.key[:60]!r} without the passage: {said}"
    return [verdict("blind_solvers", 2 * agreeing > bench.solvers, evidence)], calls


async def _premise(draft: Draft, bench: Bench) -> Opinion:
    form = read_form(draft.item)
    if not isinstance(form, Premise):
        return NOTHING
    inputs = {"question": form.question, "premise": form.premise, "correction": form.correction}
    said, calls, failed = await asked("premise", Noticed, draft, bench, {**inputs, "response": draft.response})
    if failed:
        return failed, calls
    quoted = bool(said.quote.strip()) and contains(draft.response, said.quote)
    holds = quoted and said.denied and said.corrected and not said.goes_along
    faults = {"not denied": not said.denied, "not corrected": not said.corrected, "built upon": said.goes_along}
    missed = ", ".join(words for words, fault in faults.items() if fault)
    if not missed and not quoted:
        missed = f"the denial does not stand in the response: {said.quote[:120]!r}"
    return [verdict("premise", holds, missed or said.quote[:200])], calls


async def _covers(draft: Draft, bench: Bench) -> Opinion:
    points = list(getattr(read_form(draft.item), "points", ()))
    if not points:
        return NOTHING
    listed = "\n".join(f"{number}. {point}" for number, point in enumerate(points, 1))
    inputs = {"question": draft.item.question, "points": listed, "response": draft.response}
    said, calls, failed = await asked("covers", Marks, draft, bench, inputs)
    if failed:
        return failed, calls
    marks = {mark.number: _mark(mark, draft.response) for mark in said.points}
    found = [marks.get(number, "not judged") for number in range(1, len(points) + 1)]
    enough = found.count("full") >= _ENOUGH * len(points)
    holds = found[0] == "full" and enough and not {"against", "not judged"} & set(found)
    evidence = "; ".join(f"{mark}: {point[:60]}" for mark, point in zip(found, points, strict=True) if mark != "full")
    return [verdict("covers", holds, evidence or "every point is said in full")], calls


def _mark(mark: Marked, response: str) -> str:
    """What a judge finds, so far as its quotation bears it out."""
    quoted = bool(mark.quote.strip()) and contains(response, mark.quote)
    return mark.said if mark.said != "full" or quoted else "part"


def _facts(draft: Draft) -> str:
    """The passage without what it calls mistakes."""
    wrong = set(mistaken(draft.passage))
    return "\n".join(line for line in draft.passage.splitlines() if line not in wrong)


async def _grounded_answer(draft: Draft, bench: Bench) -> Opinion:
    needed = 0 if draft.item.form == Quantity.name else 1
    return await _borne_out("grounded_answer", draft.response, needed, draft, bench)


async def _points_hold(draft: Draft, bench: Bench) -> Opinion:
    points = getattr(read_form(draft.item), "points", ())
    return await _borne_out("points_hold", "\n".join(points), len(points) // 2, draft, bench) if points else NOTHING


async def _borne_out(name: str, text: str, needed: int, draft: Draft, bench: Bench) -> Opinion:
    """Whether the passage contradicts none of a text's claims and bears out as many as are needed."""
    inputs = {"passage": _facts(draft), "question": draft.item.question, "response": text}
    said, calls, failed = await asked("grounded_answer", Claims, draft, bench, inputs)
    if failed:
        return [verdict(name, False, failed[0].evidence)], calls
    borne = [claim for claim in said.claims if claim.quote.strip() and contains(_facts(draft), claim.quote)]
    against = next((claim for claim in borne if claim.finding == "contradicted"), None)
    if against:
        evidence = f"{against.claim[:160]!r}, though the passage has {against.quote[:160]!r}"
        return [verdict(name, False, evidence)], calls
    supported = sum(claim.finding == "supported" for claim in borne)
    evidence = f"the passage bears out {supported} of {len(said.claims)} claims and contradicts none"
    return [verdict(name, supported >= needed, evidence)], calls


CHECKS = (
    Check("told_enough", "A reader of the item alone would have to be told nothing.", "model", "item", _told_enough),
    Check("points_hold", "The passage bears out what a full answer is to say.", "model", "item", _points_hold),
    Check(
        "blind_solvers",
        "Most independent solvers, who have neither key nor passage, come to the key.",
        "model",
        "response",
        _blind,
        frozenset(("quantity", *MCQ)),
    ),
    Check(
        "premise",
        "The response denies the false premise in words of its own, and corrects it.",
        "model",
        "response",
        _premise,
        frozenset(("premise",)),
    ),
    Check("covers", "The response says what a full answer says.", "model", "response", _covers),
    Check(
        "grounded_answer",
        "The passage contradicts no claim of the response, and bears some of them out.",
        "model",
        "response",
        _grounded_answer,
    ),
)
