"""Tasks and the episodes that solve them: what skills share whose answer is a course of acts, not one text.

    … ─ instruct ─ answer ─ (suggest ─ edit ─ answer) × rounds ─ verify ─ records + dropped

answer    holds the episode of every draft that has none yet
suggest   sees the task and the episode it led to, so refinement comes after the first answer
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from langgraph.runtime import Runtime

from agentinstruct.agents.records import Call, Draft
from agentinstruct.agents.toolcalls import Turn, UserTurn
from agentinstruct.agents.webacts import Step
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.doors import Wiring
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.review import wire_review
from agentinstruct.graphs.stages import Stages
from agentinstruct.graphs.state import Context, FlowState, settings
from agentinstruct.graphs.verify import Verification


class EpisodeState(FlowState, total=False):
    """The state of a flow, with the episodes so far by the id of their draft."""

    dialogues: dict[str, list[Turn] | list[Step]]


@dataclass(frozen=True, slots=True)
class Episodes(ABC):
    """The node that holds the episodes."""

    crew: Crew

    @abstractmethod
    async def held(self, state: Any, draft: Draft, context: Context) -> tuple[Draft, Any]:
        """The draft with its messages, and the episode they tell of."""

    async def answer(self, state: EpisodeState, runtime: Runtime[Context]) -> EpisodeState:
        """Hold the episode of every draft that has none yet."""
        held = dict(state.get("dialogues", {}))
        waiting = [draft for draft in state.get("drafts", []) if draft.id not in held]
        done, dropped = await each(
            waiting,
            lambda draft: self.held(state, draft, settings(runtime)),
            lambda draft, error: self.crew.dropped(state, "answer", error, draft=draft),
        )
        answered = {draft.id: draft for draft, _ in done}
        held |= {draft.id: episode for draft, episode in done}
        drafts = [answered.get(draft.id, draft) for draft in state.get("drafts", []) if draft.id in held]
        left = state["plan"] if done else state["plan"].model_copy(update={"rounds": 0})
        return {"drafts": drafts, "dialogues": held, "dropped": dropped, "plan": left}

    async def user_says(
        self, context: Context, draw: Random, task: str, withheld: Sequence[object], dialogue: str
    ) -> tuple[str, Call]:
        """The simulated user's reply: he knows what the task withheld, and has seen only what was said."""
        agent = self.crew.agent("user", UserTurn)
        model = context.model_of("instruct")
        reply, call = await agent(model, draw, task=task, withheld=withheld, dialogue=dialogue)
        return reply.text, call


async def refine_or_verify(state: EpisodeState) -> str:
    """Refine what has just been answered while rounds are left."""
    return "suggest" if state["plan"].rounds > 0 and state["plan"].goals and state["drafts"] else "verify"


def wire_episodes(
    flow: Wiring,
    tasks: Stages,
    episodes: Episodes,
    refinement: Refinement,
    verification: Verification,
    state: type[Any],
) -> None:
    """Add the stages from instruct to the end."""
    # Nodes get the part of the state that their annotation names: these inherit a shared flow's.
    flow.add_node("instruct", tasks.instruct, input_schema=state)
    flow.add_node("answer", episodes.answer, input_schema=state)
    flow.add_node("suggest", refinement.suggest, input_schema=state)
    flow.add_node("edit", refinement.edit, input_schema=state)
    flow.add_node("verify", verification.verify, input_schema=state)
    flow.add_edge("instruct", "answer")
    flow.add_conditional_edges("answer", refine_or_verify, ["suggest", "verify"])
    flow.add_edge("suggest", "edit")
    flow.add_edge("edit", "answer")
    wire_review(flow, tasks.crew)
