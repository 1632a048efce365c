"""Tasks for a library, the dialogues that solve them, and what is checked of both."""

from dataclasses import dataclass
from random import Random
from typing import Any

from agentinstruct.agents.checks.dialogue import Staged, task_of
from agentinstruct.agents.records import Draft
from agentinstruct.agents.skill import Goal
from agentinstruct.agents.toolcalls import Act, Turn, dialogue_messages, dialogue_text, perform, said
from agentinstruct.agents.toolpatterns import PARALLEL, REPORT
from agentinstruct.graphs.episodes import Episodes
from agentinstruct.graphs.library import ToolState, library_view, simulator_of
from agentinstruct.graphs.plan import shown
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.stages import Stages
from agentinstruct.graphs.state import Context, FlowState
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
class Dialogues(Episodes):
    """The node that holds the dialogues."""

    async def held(self, state: ToolState, draft: Draft, context: Context) -> tuple[Draft, list[Turn]]:
        """The dialogue: assistant, simulator and user take turns until the assistant has its last word."""
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
                seen = dialogue_text(dialogue, results=False)
                reply, call = await self.user_says(context, draw, task.task, task.withheld, seen)
                dialogue.append(said(reply))
                calls.append(call)
        messages = dialogue_messages(dialogue, system)
        return draft.model_copy(update={"messages": messages, "calls": tuple(calls)}), dialogue


@dataclass(frozen=True, slots=True)
class DialogueVerification(Verification):
    """Format, execution, grounding, oracle and final state; then, if those hold, a judge."""

    def world(self, state: FlowState, draft: Draft) -> Staged:
        """The library and the dialogue."""
        return staged(state, draft)


@dataclass(frozen=True, slots=True)
class ToolRefinement(Refinement):
    """Suggester and editor, who see the library, the task and the dialogue it led to."""

    def able(self, draft: Draft) -> bool:
        """A task without calls has no steps to add to, one that ends in an error none after it."""
        return bool(task_of(draft).calls) and draft.category not in REPORT

    def suits(self, draft: Draft, goal: Goal) -> bool:
        """A step may fail where the type of task does not fix the calls one by one."""
        several = not draft.category.startswith("single") and draft.category not in PARALLEL
        return goal.fits(draft.item.form) and (goal.name != "failing_step" or several)

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
