"""Model checks of conversations: acts are what was planned, a later turn needs its history, nothing is contradicted."""

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from agentinstruct.agents.checks.check import Bench, Check, Opinion, judged
from agentinstruct.agents.checks.talk import talk_of
from agentinstruct.agents.checks.talk_cues import CUES, REFERS
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import Talk
from agentinstruct.agents.records import Call, Draft, Frozen
from agentinstruct.agents.replies import Solution
from agentinstruct.agents.talk import Act, Exchange, exchanges, transcript

_TRIED = 3
"""Turns of which one must need its history."""


class Label(Frozen):
    """A reader's opinion of what a turn does."""

    why: str
    act: Act


class Contradiction(Frozen):
    """A reader's search for two replies that cannot both stand."""

    first: str = Field(description="The words of one reply, quoted; empty when there is no contradiction.")
    second: str = Field(description="The words of another that contradict them and do not own the change; else empty.")
    found: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A conversation, as a judge is shown it."""

    def judged(self, draft: Draft) -> dict[str, Any]:
        """Dialogue and plan."""
        return {"dialogue": transcript(draft.messages), "plan": draft.item.question}


async def _acts(draft: Draft, bench: Bench) -> Opinion:
    """Each turn does what was planned: by its words where they show it, else by a reader."""
    agent, calls, missed = bench.agent("label", Label), list[Call](), list[str]()
    for place, one in enumerate(exchanges(draft), 2):
        wanted = one.planned.act
        if wanted in CUES and CUES[wanted].search(one.user.replace("’", "'")):
            continue
        before = transcript(draft.messages, limit=1200).split(f"\n\n[{place}] ")[0]
        inputs: dict[str, Any] = {"history": before, "turn": one.user}
        try:
            reply, call = await agent(bench.judge, f"{draft.id}/{place}", **inputs)
        except ReplyError as error:
            missed.append(f"turn {place}: no opinion ({error})")
            calls += error.calls
            continue
        calls.append(call)
        if reply.act != wanted:
            missed.append(f"turn {place} was to be {wanted} and is {reply.act}: {one.user[:80]!r}")
    return [judged("acts", not missed, "; ".join(missed[:3]))], calls


async def _history_dependent(draft: Draft, bench: Bench) -> Opinion:
    """A turn that points back, which a solver cannot answer without what came before, and can with it."""
    asked = [(place, one) for place, one in enumerate(exchanges(draft), 2) if _points_back(one)]
    if not asked:
        return [judged("history_dependent", False, "no later turn points back to anything")], []
    calls, seen = list[Call](), list[str]()
    for place, one in asked[:_TRIED]:
        before = transcript(draft.messages, limit=3000).split(f"\n\n[{place}] ")[0]
        alone, paid = await _solved(draft, one.user, "", bench)
        calls += paid
        if alone is not False:
            seen.append(f"turn {place} can be answered by itself: {one.user[:80]!r}")
            continue
        whole, paid = await _solved(draft, one.user, before, bench)
        calls += paid
        if whole:
            return [judged("history_dependent", True, f"turn {place} needs its history: {one.user[:80]!r}")], calls
        seen.append(f"turn {place} cannot be answered with its history either: {one.user[:80]!r}")
    return [judged("history_dependent", False, "; ".join(seen))], calls


def _points_back(one: Exchange) -> bool:
    return one.planned.act != "thanks_close" and bool(REFERS.search(one.user))


async def _solved(draft: Draft, turn: str, history: str, bench: Bench) -> tuple[bool | None, list[Call]]:
    """Whether a solver can answer a turn; None when there was no usable reply."""
    agent = bench.agent("solve", Solution)
    try:
        reply, call = await agent(bench.solver, f"{draft.id}/{turn}", history=history, turn=turn)
    except ReplyError as error:
        return None, list(error.calls)
    return reply.answerable, [call]


async def _contradictions(draft: Draft, bench: Bench) -> Opinion:
    agent = bench.agent("contradiction", Contradiction)
    slip = talk_of(draft).base.slip
    try:
        reply, call = await agent(bench.judge, draft.id, dialogue=transcript(draft.messages), slip=slip)
    except ReplyError as error:
        return [judged("contradictions", False, f"no opinion: {error}")], list(error.calls)
    evidence = f"{reply.first[:120]!r} against {reply.second[:120]!r}" if reply.found else ""
    return [judged("contradictions", not reply.found, evidence)], [call]


CHECKS = tuple(
    Check(name, proves, "model", "response", find, frozenset({Talk.name}))
    for name, proves, find in (
        ("acts", "Each turn of the user does what was planned of it.", _acts),
        ("history_dependent", "A later turn cannot be answered without what came before.", _history_dependent),
        ("contradictions", "No two replies contradict each other without owning it.", _contradictions),
    )
)
