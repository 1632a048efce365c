"""Tasks for a library, the dialogues that solve them, and what is checked of both."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from langgraph.runtime import Runtime

from agentinstruct.agents.agent import batch_of
from agentinstruct.agents.checks import changed
from agentinstruct.agents.forms import ToolTask
from agentinstruct.agents.panel import graded
from agentinstruct.agents.records import Call, Draft, Verdict, content_id
from agentinstruct.agents.replies import Judgement
from agentinstruct.agents.skill import Category, Goal
from agentinstruct.agents.toolcalls import (
    Act,
    Turn,
    UserTurn,
    dialogue_messages,
    dialogue_text,
    perform,
    run_plan,
    said,
)
from agentinstruct.agents.toolchecks import verdicts
from agentinstruct.agents.toolpatterns import PARALLEL, REPORT
from agentinstruct.agents.toolplans import plan_verdict
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.library import ToolState, library_view, simulator_of
from agentinstruct.graphs.plan import shown
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.stages import admit, some
from agentinstruct.graphs.state import Context, FlowState, settings
from agentinstruct.graphs.verify import settled
from agentinstruct.tools.simulator import Simulator, openai_tools

STEPS = 12
"""Turns of the assistant in one dialogue."""


@dataclass(frozen=True, slots=True)
class Dialogues:
    """The nodes that write tasks, hold the dialogues and verify them."""

    crew: Crew

    async def instruct(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """Tasks of each type drawn, with the calls that solve them."""
        model = settings(runtime).model_of("instruct")
        written, dropped = await each(
            [self.crew.skill.categories[name] for name in state["plan"].categories],
            lambda category: self._written(state, category, model),
            lambda category, error: self.crew.dropped(state, "instruct", error, category=category.name),
        )
        drafts = [draft for some in written for draft in some]
        kept, refused = admit(self.crew, state, drafts, "instruct", task_verdicts)
        return {"drafts": kept, "dropped": dropped + refused}

    async def _written(self, state: ToolState, category: Category, model: str) -> list[Draft]:
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

    async def verify(self, state: ToolState, runtime: Runtime[Context]) -> ToolState:
        """Format, execution, grounding, oracle and final state; then, if those hold, a judge."""
        context = settings(runtime)
        checked = await asyncio.gather(*(self._checked(state, draft, context) for draft in state["drafts"]))
        done = settled(self.crew, state, checked)
        return {"drafts": done["drafts"], "records": done["records"], "dropped": done["dropped"]}

    async def _checked(self, state: ToolState, draft: Draft, context: Context) -> Draft:
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

    def verdicts(self, state: FlowState, draft: Draft, parent: Draft | None) -> tuple[Verdict, ...]:
        """The edited plan must run, and must take more calls than its parent's."""
        found = task_verdicts(state, draft, parent)
        if parent is None or draft.goal not in ("more_steps", "failing_step"):
            return found
        count = partial(failing, simulator=simulator_of(state)) if draft.goal == "failing_step" else steps
        before, now = count(task_of(parent)), count(task_of(draft))
        return (*found, Verdict(check=draft.goal, passed=now > before, evidence=f"{before} such calls, now {now}"))


def task_verdicts(state: FlowState, draft: Draft, parent: Draft | None) -> tuple[Verdict, ...]:
    """What can be said of a task before anyone has tried it: its plan runs and gives what its type says."""
    plan = plan_verdict(draft.category, task_of(draft), simulator_of(state))
    return (changed(draft, parent), plan) if parent else (plan,)


def steps(task: ToolTask) -> int:
    """How many calls a task plans."""
    return len(task.calls)


def failing(task: ToolTask, simulator: Simulator) -> int:
    """How many of them fail when they are tried."""
    return sum(not made.ok for made in run_plan(task.calls, simulator))


def task_of(draft: Draft) -> ToolTask:
    """The task behind a draft."""
    return ToolTask.model_validate(draft.item.written)
