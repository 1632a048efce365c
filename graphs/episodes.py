"""Tasks and the episodes that solve them: what skills share whose answer is a course of acts, not one text.

    … ─ instruct ─ answer ─ (suggest ─ edit ─ answer) × rounds ─ verify ─ records + dropped

answer    holds the episode of every draft that has none yet
suggest   sees the task and the episode it led to, so refinement comes after the first answer
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from langgraph.graph import END, StateGraph
from langgraph.runtime import Runtime

from agentinstruct.agents.records import Call, Draft, Verdict
from agentinstruct.agents.skill import Category
from agentinstruct.agents.toolcalls import UserTurn
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.stages import admit
from agentinstruct.graphs.state import Context, FlowState, settings
from agentinstruct.graphs.verify import settled


class EpisodeState(FlowState, total=False):
    """The state of a flow, with the episodes so far by the id of their draft."""

    dialogues: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Episodes(ABC):
    """The nodes that write tasks, hold the episodes and verify them."""

    crew: Crew

    @abstractmethod
    async def written(self, state: Any, category: Category, model: str) -> list[Draft]:
        """Tasks of one category."""

    @abstractmethod
    async def held(self, state: Any, draft: Draft, context: Context) -> tuple[Draft, Any]:
        """The draft with its messages, and the episode they tell of."""

    @abstractmethod
    async def checked(self, state: Any, draft: Draft, context: Context) -> Draft:
        """The draft with its verdicts."""

    @abstractmethod
    def item_verdicts(self, state: Any, draft: Draft, parent: Draft | None) -> tuple[Verdict, ...]:
        """What can be said of a task before anyone has tried it."""

    async def user_says(
        self, context: Context, draw: Random, task: str, withheld: Sequence[object], dialogue: str
    ) -> tuple[str, Call]:
        """The simulated user's reply: he knows what the task withheld, and has seen only what was said."""
        agent = self.crew.agent("user", UserTurn)
        model = context.model_of("instruct")
        reply, call = await agent(model, draw, task=task, withheld=withheld, dialogue=dialogue)
        return reply.text, call

    async def instruct(self, state: EpisodeState, runtime: Runtime[Context]) -> EpisodeState:
        """Tasks of each category drawn; nothing when the seed was declined."""
        if "passage" not in state:
            return {}
        model = settings(runtime).model_of("instruct")
        written, dropped = await each(
            [self.crew.skill.categories[name] for name in state["plan"].categories],
            lambda category: self.written(state, category, model),
            lambda category, error: self.crew.dropped(state, "instruct", error, category=category.name),
        )
        drafts = [draft for some in written for draft in some]
        kept, refused = admit(self.crew, state, drafts, "instruct", self.item_verdicts)
        return {"drafts": kept, "dropped": dropped + refused}

    async def answer(self, state: EpisodeState, runtime: Runtime[Context]) -> EpisodeState:
        """Hold the episode of every draft that has none yet."""
        held = dict(state.get("dialogues", {}))
        waiting = [draft for draft in state["drafts"] if draft.id not in held]
        done, dropped = await each(
            waiting,
            lambda draft: self.held(state, draft, settings(runtime)),
            lambda draft, error: self.crew.dropped(state, "answer", error, draft=draft),
        )
        answered = {draft.id: draft for draft, _ in done}
        held |= {draft.id: episode for draft, episode in done}
        drafts = [answered.get(draft.id, draft) for draft in state["drafts"] if draft.id in held]
        left = state["plan"] if done else state["plan"].model_copy(update={"rounds": 0})
        return {"drafts": drafts, "dialogues": held, "dropped": dropped, "plan": left}

    async def verify(self, state: EpisodeState, runtime: Runtime[Context]) -> EpisodeState:
        """Check every episode: what holds becomes a record."""
        context = settings(runtime)
        checked = await asyncio.gather(*(self.checked(state, draft, context) for draft in state["drafts"]))
        done = settled(self.crew, state, checked)
        return {"drafts": done["drafts"], "records": done["records"], "dropped": done["dropped"]}


async def refine_or_verify(state: EpisodeState) -> str:
    """Refine what has just been answered while rounds are left."""
    return "suggest" if state["plan"].rounds > 0 and state["plan"].goals and state["drafts"] else "verify"


def wire_episodes(
    flow: StateGraph[Any, Context, Any, Any], episodes: Episodes, refinement: Refinement, state: type[Any]
) -> None:
    """Add the stages from instruct to the end, which see a flow's whole state."""
    stages: tuple[Callable[..., Any], ...] = (episodes.instruct, episodes.answer, episodes.verify)
    for node in (*stages, refinement.suggest, refinement.edit):
        flow.add_node(node.__name__, node, input_schema=state)
    flow.add_edge("instruct", "answer")
    flow.add_conditional_edges("answer", refine_or_verify, ["suggest", "verify"])
    flow.add_edge("suggest", "edit")
    flow.add_edge("edit", "answer")
    flow.add_edge("verify", END)
