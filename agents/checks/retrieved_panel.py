"""Checks of items about documents that run a search, or ask solvers and judges.

retrievable       a proposed search brings back the document that was taken out
key_in_words      the answer means the key, where comparing words cannot tell
read_by_solvers   most solvers who read the documents come to the key, or find that nothing answers
needs_documents   not all solvers know the answer without the documents
entailed          each statement follows from the documents that it cites
"""

import asyncio
from typing import Any

from pydantic import Field

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, judged
from agentinstruct.agents.checks.panel import means, solutions_of
from agentinstruct.agents.checks.retrieved import DECLINED, NAMES, retrieved
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.retrieved import Retrieved
from agentinstruct.agents.forms.retrieved_kinds import chosen
from agentinstruct.agents.records import Call, Draft, Frozen, Verdict
from agentinstruct.agents.replies import Solution
from agentinstruct.agents.reply_formats import declines, given
from agentinstruct.agents.sources import Document
from agentinstruct.tools.corpus import small_index
from agentinstruct.tools.retrieval import Chunk

FOUND = 4
"""A search must have what is missing among its first two hits, or the first of so many documents each."""
COMPARED = ("fact", "list", "conflict", "decision", "partial")
"""Kinds of item whose answers are compared with a key."""


class Entailment(Frozen):
    """Whether one statement follows from its documents."""

    number: int
    evidence: str = Field(description="The words of the documents that decide, or what they lack.")
    follows: bool


class Entailments(Frozen):
    """A judge's reply on every statement."""

    statements: tuple[Entailment, ...] = Field(min_length=1, max_length=20)


async def _retrievable(draft: Draft, bench: Bench) -> Opinion:
    form, queries = retrieved(draft), given(draft).queries
    if form.kind != "queries":
        return NOTHING
    place, known = await asyncio.to_thread(_best_place, form, queries), len(_known(form))
    evidence = f"the best of {len(queries)} searches has what is missing at place {place or '-'} of {known}"
    passed = 0 < place <= max(2, known // FOUND)
    return [Verdict(check="retrievable", passed=passed, kind="run", evidence=evidence)], []


def _known(form: Retrieved) -> list[Document]:
    """All documents that the item knows of, those that were taken out first."""
    return [*form.removed, *form.documents, *form.reserve]


def _best_place(form: Retrieved, queries: tuple[str, ...]) -> int:
    """The best place in which a search finds a removed document among all that the item knows of; 0 for none."""
    known = _known(form)
    index = small_index(Chunk(id=f"{place:03}", text=_indexed(one)) for place, one in enumerate(known))
    wanted = {f"{place:03}" for place, _ in enumerate(form.removed)}
    found = [[hit.id for hit in index.search(query, len(known))] for query in queries if any(map(str.isalnum, query))]
    places = [hits.index(name) + 1 for hits in found for name in wanted if name in hits]
    return min(places, default=0)


def _indexed(document: Document) -> str:
    return f"{document.title}. {document.text}"


async def _key_in_words(draft: Draft, bench: Bench) -> Opinion:
    form, answer = retrieved(draft), given(draft).answer
    if form.kind not in COMPARED or form.holds(answer) is not None:
        return NOTHING
    same, calls = await means(draft, draft.item.key, answer, bench)
    evidence = f"{answer[:80]!r} against the key {draft.item.key[:80]!r}"
    return [judged("answer_key", same, evidence)], calls


async def _read_by_solvers(draft: Draft, bench: Bench) -> Opinion:
    form = retrieved(draft)
    if form.kind in ("open", "partial"):
        return NOTHING
    solutions, calls = await solutions_of(draft, bench)
    if form.kind in DECLINED:
        denying = sum(not one.answerable or declines(one.answer) for one in solutions)
        evidence = f"{denying} of {bench.solvers} solvers found that the documents do not answer"
        return [judged("read_by_solvers", 3 * denying >= 2 * bench.solvers, evidence)], calls
    agreeing, paid = await _agreeing(draft, form, solutions, bench)
    evidence = f"{agreeing} of {bench.solvers} solvers came to the key: {'; '.join(s.answer[:60] for s in solutions)}"
    return [judged("read_by_solvers", 2 * agreeing > bench.solvers, evidence)], [*calls, *paid]


async def _agreeing(draft: Draft, form: Retrieved, solutions: list[Solution], bench: Bench) -> tuple[int, list[Call]]:
    """How many solutions are the key, in words or in meaning."""
    agreeing, calls = 0, list[Call]()
    for one in solutions:
        if not one.answerable:
            continue
        same = chosen(one.answer, draft.item.key) if form.kind == "choice" else form.holds(one.answer)
        if same is None:
            same, paid = await means(draft, draft.item.key, one.answer, bench)
            calls += paid
        agreeing += same
    return agreeing, calls


async def _needs_documents(draft: Draft, bench: Bench) -> Opinion:
    form = retrieved(draft)
    if form.kind not in ("fact", "list", "conflict"):
        return NOTHING
    inputs = {"question": draft.item.question, "options": draft.item.options}
    solutions, calls = await solutions_of(draft, bench, "recall", 100, **inputs)
    knowing = sum(one.answerable and form.holds(one.answer) is True for one in solutions)
    evidence = f"{knowing} of {bench.solvers} solvers knew the answer without the documents"
    return [judged("needs_documents", knowing < bench.solvers, evidence)], calls


async def _entailed(draft: Draft, bench: Bench) -> Opinion:
    form = retrieved(draft)
    claims = _claims(draft, form)
    if form.kind in DECLINED or not claims:
        return NOTHING
    agent = bench.agent("entail", Entailments)
    try:
        reply, call = await agent(bench.judge, draft.id, question=draft.item.question, claims=claims)
    except ReplyError as error:
        return [judged("entailed", False, f"no judgement: {error}")], list(error.calls)
    held = {one.number for one in reply.statements if one.follows}
    open_ones = [one for one in claims if one["number"] not in held]
    evidence = f"does not follow: {open_ones[0]['statement'][:120]!r}" if open_ones else f"{len(claims)} follow"
    return [judged("entailed", not open_ones, evidence)], [call]


def _claims(draft: Draft, form: Retrieved) -> list[dict[str, Any]]:
    """What is claimed and the documents it rests on: each sentence of prose, or the answer as a whole."""
    reply = given(draft)
    parts = [(one.text, one.ids) for one in reply.statements if one.ids]
    parts = parts or ([(reply.answer, reply.ids)] if reply.ids and not reply.statements else [])
    return [
        {
            "number": number,
            "statement": text,
            "documents": "\n\n".join(_cited(form, one) for one in sorted(ids) if 1 <= one <= len(form.documents)),
        }
        for number, (text, ids) in enumerate(parts, 1)
    ]


def _cited(form: Retrieved, number: int) -> str:
    one = form.documents[number - 1]
    return "\n".join(part for part in (one.title, one.date, one.text) if part)


CHECKS = (
    Check("retrievable", "A proposed search finds what is missing.", "run", "response", _retrievable, NAMES),
    Check("key_in_words", "The answer means the key, in other words.", "model", "response", _key_in_words, NAMES),
    Check(
        "read_by_solvers", "Solvers with the documents come to the key.", "model", "response", _read_by_solvers, NAMES
    ),
    Check("needs_documents", "Without the documents not all know it.", "model", "response", _needs_documents, NAMES),
    Check("entailed", "Each statement follows from what it cites.", "model", "response", _entailed, NAMES),
)
