"""Tasks for a library, the dialogues that solve them, and what is checked of both."""

from dataclasses import dataclass
from random import Random
from typing import Any

from agentinstruct.agents.agent import batch_of
from agentinstruct.agents.checks import changed
from agentinstruct.agents.forms import ToolTask
from agentinstruct.agents.panel import graded
from agentinstruct.agents.records import Draft, Verdict, content_id
from agentinstruct.agents.replies import Judgement
from agentinstruct.agents.skill import Category, Goal
from agentinstruct.agents.toolcalls import Act, Turn, dialogue_messages, dialogue_text, perform, said
from agentinstruct.agents.toolchecks import ABSENT, plan_verdict, verdicts
from agentinstruct.graphs.episodes import Episodes
from agentinstruct.graphs.library import ToolState, library_view, simulator_of
from agentinstruct.graphs.plan import shown
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.stages import some
from agentinstruct.graphs.state import Context, FlowState
from agentinstruct.tools.simulator import openai_tools

STEPS = 12
"""Turns of the assistant in one dialogue."""


@dataclass(frozen=True, slots=True)
class Dialogues(Episodes):
    """The nodes that write tasks, hold the dialogues and verify them."""

    async def written(self, state: ToolState, category: Category, model: str) -> list[Draft]:
        """Tasks of a type, with the calls that solve them."""
        plan, passage = state["plan"], state["passage"]
        draw = Random(f"{plan.work_id}/{category.name}")
        agent = self.crew.agent("instruct", batch_of(ToolTask, plan.instructions), subject=category.name)
        inputs = {**library_view(state), "category": shown(category, draw), "count": plan.instructions}
        reply, call = await agent(model, draw, **inputs)
        some(reply.items, call)
        return [
            Draft(
                id=content_id(plan.work_id, plan.transform, category.name, ordinal),
                category=category.name,
                transform=plan.transform,
                passage=passage.text,
                item=task.arrange(draw),
                tools=tuple(openai_tools(state["apis"])),
                calls=(*passage.calls, call),
            )
            for ordinal, task in enumerate(reply.items)
        ]

    async def held(self, state: ToolState, draft: Draft, context: Context) -> tuple[Draft, list[Turn]]:
        """The dialogue: assistant, simulator and user take turns until the assistant has its last word."""
        task, simulator = task_of(draft), simulator_of(state)
        draw = Random(f"{draft.id}/dialogue")
        systems = self.crew.skill.file.system_messages
        system = draw.choice(systems) if draw.random() < 0.6 else ""
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

    async def checked(self, state: ToolState, draft: Draft, context: Context) -> Draft:
        """Format, execution, grounding, oracle and final state; then, if those hold, a judge."""
        task, dialogue = task_of(draft), state["dialogues"][draft.id]
        ended = dialogue[-1].act == "say"
        found = [*draft.verdicts, Verdict(check="finished", passed=ended, evidence=f"{len(dialogue)} turns")]
        found += verdicts(draft.category, task, dialogue, simulator_of(state))
        failed = any(not verdict.passed for verdict in found)
        if context.verify == "off" or (failed and context.verify == "strict"):
            return draft.model_copy(update={"verdicts": tuple(found)})
        agent = self.crew.agent("judge", Judgement)
        inputs = {"apis": state["apis"], "task": task, "dialogue": dialogue_text(dialogue)}
        opinion, calls = await graded(agent, context.model_of("judge"), self.crew.skill.file.rubric, draft, inputs)
        return draft.model_copy(update={"verdicts": (*found, *opinion), "calls": (*draft.calls, *calls)})

    def item_verdicts(self, state: ToolState, draft: Draft, parent: Draft | None) -> tuple[Verdict, ...]:
        """The plan runs and gives what its type says."""
        return task_verdicts(state, draft, parent)


@dataclass(frozen=True, slots=True)
class ToolRefinement(Refinement):
    """Suggester and editor, who see the library, the task and the dialogue it led to."""

    def able(self, draft: Draft) -> bool:
        """A task that needs no call at all has no steps to add to."""
        return bool(task_of(draft).calls) or draft.category not in ABSENT

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

    def verdicts(self, state: FlowState, draft: Draft, parent: Draft | None) -> tuple[Verdict, ...]:
        """The edited plan must run, and must take more calls than its parent's."""
        found = task_verdicts(state, draft, parent)
        if parent is None or draft.goal != "more_steps":
            return found
        before, now = len(task_of(parent).calls), len(task_of(draft).calls)
        return (*found, Verdict(check="more_steps", passed=now > before, evidence=f"{before} calls, now {now}"))


def task_verdicts(state: FlowState, draft: Draft, parent: Draft | None) -> tuple[Verdict, ...]:
    """What can be said of a task before anyone has tried it: its plan runs and gives what its type says."""
    plan = plan_verdict(draft.category, task_of(draft), simulator_of(state))
    return (changed(draft, parent), plan) if parent else (plan,)


def task_of(draft: Draft) -> ToolTask:
    """The task behind a draft."""
    return ToolTask.model_validate(draft.item.written)
