"""The panel: model checks by agents that have not seen the key, or that judge against it.

solvers             independent solvers answer the item; the majority must be the key
outcome             an unanswerable item is called so by two in three; a flipped key differs from its parent's
one_right_option    every option judged alone; exactly one is right, and it is the key
answered            a short answer in other words means the same as the key
judge               the response against the skill's rubric
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from agentinstruct.agents.agent import Agent
from agentinstruct.agents.checks import answered
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import FORMS, Choice, Pair, Tristate, final_answer, says_unanswerable
from agentinstruct.agents.records import Call, Draft, Verdict
from agentinstruct.agents.replies import Agreement, Judgement, Label, OptionVerdicts, Solution
from agentinstruct.tools.quotes import fold

Opinion = tuple[list[Verdict], list[Call]]


@dataclass(frozen=True, slots=True)
class Panel:
    """The agents that check a draft, the model they speak through, and how many solvers vote."""

    model: str
    solve: Agent[Solution]
    options: Agent[OptionVerdicts]
    agree: Agent[Agreement]
    judge: Agent[Judgement]
    solvers: int = 3

    async def vote(self, draft: Draft) -> Opinion:
        """Independent solvers against the key, or against the claim that nothing answers the item."""
        if not FORMS[draft.item.form].definite:
            return [], []
        asked = [self._solution(draft, sample) for sample in range(self.solvers)]
        replies = await asyncio.gather(*asked)
        calls = [call for _, paid in replies for call in paid]
        solutions = [solution for solution, _ in replies if solution]
        if draft.outcome == "unanswerable":
            return [self._unanswerable(solutions)], calls
        votes = [await self._is_key(draft, solution) for solution in solutions]
        agreeing = sum(same for same, _ in votes)
        calls += [call for _, more in votes for call in more]
        said = "; ".join(f"{s.answer[:60]}{'' if s.answerable else ' (not answerable)'}" for s in solutions)
        evidence = f"{agreeing} of {self.solvers} solvers gave the key {draft.item.key[:60]!r}: {said}"
        return [_verdict("solvers", 2 * agreeing > self.solvers, evidence)], calls

    def _unanswerable(self, solutions: list[Solution]) -> Verdict:
        denying = sum(not s.answerable or says_unanswerable(s.answer) for s in solutions)
        evidence = f"{denying} of {self.solvers} solvers found it not answerable"
        return _verdict("outcome", 3 * denying >= 2 * self.solvers, evidence)

    async def _solution(self, draft: Draft, sample: int) -> tuple[Solution | None, list[Call]]:
        try:
            labelled = draft.item.form == Tristate.name
            solution, call = await (replace(self.solve, reply=Label) if labelled else self.solve)(
                self.model,
                Random(f"{draft.id}/solve/{sample}"),
                sample=sample,
                passage=draft.passage,
                question=draft.item.question,
                options=draft.item.options,
                form=draft.item.form,
            )
            return solution, [call]
        except ReplyError as error:
            # A solver without a usable reply is a vote not given: the majority is of all asked.
            return None, list(error.calls)

    async def _is_key(self, draft: Draft, solution: Solution) -> tuple[bool, list[Call]]:
        if not solution.answerable:
            return draft.item.key == "Not Given", []
        return await self._same(draft, solution.answer)

    async def _same(self, draft: Draft, answer: str) -> tuple[bool, list[Call]]:
        exact = FORMS[draft.item.form].agrees(draft.item.key, answer)
        if exact is not None:
            return exact, []
        return await self.means(draft, draft.item.key, answer)

    async def means(self, draft: Draft, first: str, second: str) -> tuple[bool, list[Call]]:
        """Whether two answers to the draft's question mean the same."""
        try:
            reply, call = await self.agree(
                self.model, Random(draft.id), question=draft.item.question, first=first, second=second
            )
        except ReplyError as error:
            return False, list(error.calls)
        return reply.same, [call]

    async def response(self, draft: Draft) -> Opinion:
        """Whether the response's final answer means the key, where comparing words cannot tell."""
        if not FORMS[draft.item.form].definite or answered(draft) is not None:
            return [], []
        final = final_answer(draft.response)
        same, calls = await self.means(draft, draft.item.key, final)
        return [_verdict("answered", same, f"{final[:80]!r} against the key {draft.item.key[:80]!r}")], calls

    async def flipped(self, draft: Draft, parent: Draft | None) -> Opinion:
        """Whether a flipped item's key differs from its parent's verified key."""
        if draft.outcome != "flipped":
            return [], []
        voted = parent and next((v for v in parent.verdicts if v.check == "solvers"), None)
        if not parent or not voted or not voted.passed:
            return [_verdict("outcome", False, "the parent's own key was not verified")], []
        before, now = _substance(parent), _substance(draft)
        same, calls = (before == now, []) if draft.item.options else await self._same(parent, draft.item.key)
        return [_verdict("outcome", not same, f"the key was {before[:80]!r}, now {now[:80]!r}")], calls

    async def one_right(self, draft: Draft) -> Opinion:
        """Whether exactly one option is right, each judged by itself."""
        if not issubclass(FORMS[draft.item.form], Choice | Pair) or draft.outcome == "unanswerable":
            return [], []
        try:
            reply, call = await self.options(
                self.model,
                Random(draft.id),
                passage=draft.passage,
                question=draft.item.question,
                options=draft.item.options,
            )
        except ReplyError as error:
            return [_verdict("one_right_option", False, f"no judgement: {error}")], list(error.calls)
        right = sorted({o.label.strip(" .()").upper()[:1] for o in reply.options if o.correct})
        return [
            _verdict("one_right_option", right == [draft.item.key], f"judged right: {', '.join(right) or 'none'}")
        ], [call]

    async def graded(self, draft: Draft, rubric: Mapping[str, str], reference: str) -> Opinion:
        """The response against the skill's rubric."""
        inputs = {"request": draft.request, "response": draft.response, "reference": reference}
        return await graded(self.judge, self.model, rubric, draft, inputs)


async def graded(
    judge: Agent[Judgement], model: str, rubric: Mapping[str, str], draft: Draft, inputs: Mapping[str, Any]
) -> Opinion:
    """A judge's opinion on a whole rubric: every criterion must be judged, and met."""
    try:
        reply, call = await judge(model, Random(draft.id), rubric=dict(rubric), **inputs)
    except ReplyError as error:
        return [_verdict("judge", False, f"no judgement: {error}")], list(error.calls)
    missed = [c for c in reply.criteria if not c.met]
    unjudged = sorted(set(rubric) - {_named(c.criterion, rubric) for c in reply.criteria})
    evidence = "; ".join(f"{c.criterion}: {c.evidence[:160]}" for c in missed)
    evidence = evidence or (f"not judged: {', '.join(unjudged)}" if unjudged else "every criterion met")
    return [_verdict("judge", not missed and not unjudged, evidence)], [call]


def _named(criterion: str, rubric: Mapping[str, str]) -> str:
    """The rubric's name for what a judge calls a criterion: its name, or its sentence."""
    said = criterion.strip(" *`:.").casefold()
    words = "_".join(said.split())
    return next((n for n, s in rubric.items() if words.startswith(n) or s.casefold().rstrip(".") in said), words)


def _substance(draft: Draft) -> str:
    """What a key says, without its labels: options are shuffled anew for each draft, so labels do not compare."""
    written = draft.item.written
    if "pairs" in written:
        return "; ".join(sorted(fold(f"{pair['left']} - {pair['right']}") for pair in written["pairs"]))
    if "events" in written:
        return "; ".join(map(fold, written["events"]))
    for field in ("right", "true_statement"):
        if field in written:
            return fold(written[field])
    return draft.item.key


def _verdict(check: str, passed: bool, evidence: str) -> Verdict:
    return Verdict(check=check, passed=passed, kind="model", evidence=evidence)
