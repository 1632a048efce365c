"""Tasks for a library, the dialogues that solve them, and what is checked of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from langgraph.runtime import Runtime

from agentinstruct.agents.checks.dialogue import Staged, task_of
from agentinstruct.agents.forms import ToolTask
from agentinstruct.agents.records import Call, Draft
from agentinstruct.agents.skill import Goal
from agentinstruct.agents.toolcalls import Act, Turn, UserTurn, dialogue_messages, dialogue_text, perform, said
from agentinstruct.agents.toolpatterns import PARALLEL, REPORT
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.library import ToolState, library_view, simulator_of
from agentinstruct.graphs.plan import shown
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.stages import Stages
from agentinstruct.graphs.state import Context, FlowState, settings
from agentinstruct.graphs.verify import Verification
from agentinstruct.tools.simulator import openai_tools

STEPS = 12
"""Turns of the assistant in one dialogue."""


def staged(state: Any, draft: Draft) -> Staged:
    """The library a draft is about and the dialogue it led to."""
    return Staged(simulator_of(state), state["dialogues"].get(draft.id, []))


@dataclass(frozen=True, slots=True)
class Tasks(Stages):
    """The node that writes tasks for a library, with the calls that solve them."""

    def shown(self, state: FlowState) -> dict[str, Any]:
        """The functions that can be executed, and the data they work on."""
        return library_view(state)

    def begun(self, state: FlowState, draft: Draft) -> Draft:
        """The task as its user's first turn, beside the functions."""
        tools = tuple(openai_tools(state["apis"]))  # type: ignore[typeddict-item]
        return Stages.begun(self, state, draft).model_copy(update={"tools": tools})

    def world(self, state: FlowState, draft: Draft) -> Staged:
        """The library, in which the plan must run."""
        return staged(state, draft)


@dataclass(frozen=True, slots=True)
class Dialogues:
    """The node that holds the dialogues."""

    crew: Crew

    async def answer(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """Hold the dialogue of every draft that has none yet."""
        held = dict(state["dialogues"])
        waiting = [draft for draft in state["drafts"] if draft.id not in held]
        done, dropped = await each(
            waiting,
            lambda draft: self._held(state, draft, settings(runtime)),
            lambda draft, error: self.crew.dropped(state, "answer", error, draft=draft),
        )
        answered = {draft.id: draft for draft, _ in done}
        held |= {draft.id: dialogue for draft, dialogue in done}
        drafts = [answered.get(draft.id, draft) for draft in state["drafts"] if draft.id in held]
        left = state["plan"] if done else state["plan"].model_copy(update={"rounds": 0})
        return {"drafts": drafts, "dialogues": held, "dropped": dropped, "plan": left}

    async def _held(self, state: ToolState, draft: Draft, context: Context) -> tuple[Draft, list[Turn]]:
        task, simulator = task_of(draft), simulator_of(state)
        draw = Random(f"{draft.id}/dialogue")
        system = self.crew.system_message(draw)
        dialogue, calls = [said(task.task)], list(draft.calls)
        assistant = self.crew.agent("answer", Act, subject=draft.category)
        for _ in range(STEPS):
            inputs: dict[str, Any] = {"system": system, "apis": state["apis"], "dialogue": dialogue_text(dialogue)}
            act, call = await assistant(context.model_of("answer"), draw, **inputs)
            dialogue.append(perform(act, simulator))
            calls.append(call)
            if act.act == "say":
                break
            if act.act == "ask":
                reply, call = await self._user(task, dialogue, context, draw)
                dialogue.append(reply)
                calls.append(call)
        messages = dialogue_messages(dialogue, system)
        return draft.model_copy(update={"messages": messages, "calls": tuple(calls)}), dialogue

    async def _user(
        self, task: ToolTask, dialogue: Sequence[Turn], context: Context, draw: Random
    ) -> tuple[Turn, Call]:
        """The simulated user, who knows what the first message withheld and sees no calls."""
        agent = self.crew.agent("user", UserTurn)
        seen = dialogue_text(dialogue, results=False)
        reply, call = await agent(
            context.model_of("instruct"), draw, task=task.task, withheld=task.withheld, dialogue=seen
        )
        return said(reply.text), call


@dataclass(frozen=True, slots=True)
class DialogueVerification(Verification):
    """Format, execution, grounding, oracle and final state; then, if those hold, a judge."""

    def world(self, state: FlowState, draft: Draft) -> Staged:
        """The library and the dialogue."""
        return staged(state, draft)


@dataclass(frozen=True, slots=True)
class ToolRefinement(Refinement):
    """Suggester and editor, who see the library, the task and the dialogue it led to."""

    def able(self, draft: Draft, goal: Goal) -> bool:
        """A task without calls has no steps to add to, one that ends in an error none after it."""
        open_ended = bool(task_of(draft).calls) and draft.category not in REPORT
        several = not draft.category.startswith("single") and draft.category not in PARALLEL
        return open_ended and (goal.name != "failing_step" or several)

    def material(self, state: FlowState, draft: Draft, goal: Goal) -> dict[str, Any]:
        """The task with its library and its dialogue."""
        category = self.crew.skill.categories[draft.category]
        return {
            **library_view(state),
            "task": task_of(draft),
            "dialogue": dialogue_text(state["dialogues"].get(draft.id, [])),  # type: ignore[typeddict-item]
            "category": shown(category, Random(draft.id)),
            "goal": goal,
        }

    def world(self, state: FlowState, draft: Draft) -> Staged:
        """The library, in which the edited plan must run."""
        return staged(state, draft)
