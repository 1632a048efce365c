"""Tasks on a site, the visits that solve them, and what is checked of both."""

from dataclasses import dataclass
from random import Random
from typing import Any

from langgraph.runtime import Runtime

from agentinstruct.agents.errors import ReplyError, reply_at_fault
from agentinstruct.agents.forms.web import WebTask
from agentinstruct.agents.records import Call, Draft, Passage, Suggestion
from agentinstruct.agents.shapes_web import site_of, site_text
from agentinstruct.agents.siteedits import SITE_EDITS, SiteEdit
from agentinstruct.agents.skill import Goal
from agentinstruct.agents.visits import Visit, key_text, task_of
from agentinstruct.agents.webacts import Step, Steps, WebAct, spoken_text, visit_messages, visit_text
from agentinstruct.graphs.episodes import Episodes, EpisodeState
from agentinstruct.graphs.plan import shown
from agentinstruct.graphs.refine import Refinement, edited_id
from agentinstruct.graphs.stages import Node, Stages
from agentinstruct.graphs.state import Context, FlowState
from agentinstruct.graphs.verify import Verification
from agentinstruct.tools.site.adopt import adopt


def keyed(draft: Draft) -> Draft:
    """The draft with the answer that its site gives to it."""
    with reply_at_fault("unusable item"):
        key = key_text(draft)
    return draft.model_copy(update={"item": draft.item.model_copy(update={"key": key})})


@dataclass(frozen=True, slots=True)
class SiteTasks(Stages):
    """The nodes that make a site and write tasks for it."""

    async def plan(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """As in other flows, with no visits yet."""
        nothing: EpisodeState = {**await Stages.plan(self, state, runtime), "dialogues": {}}
        return nothing

    def transform(self, name: str) -> Node:
        """As in other flows; but an unchanged seed is a site only where it has the parts of one."""
        return self.adopted if name == "identity" else Stages.transform(self, name)

    async def adopted(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """The seed's own sections and figures as a site."""
        seed = state["seed"]
        site = adopt(seed.text, seed.title)
        if site is None:
            error = ReplyError("declined", "the text has too few sections to be walked through")
            return {"dropped": [self.crew.dropped(state, "transform", error)]}
        return {"passage": Passage(text=site_text(site), transform="identity")}

    def shown(self, state: FlowState) -> dict[str, Any]:
        """The site, as it was declared."""
        return {"site": state["passage"].text}

    def begun(self, state: FlowState, draft: Draft) -> Draft:
        """The task with its key; its first turn is written when the visit begins."""
        return keyed(draft)

    def world(self, state: FlowState, draft: Draft) -> Visit:
        """The site, on which a plan must reach the goal."""
        return Visit(draft)


@dataclass(frozen=True, slots=True)
class Visits(Episodes):
    """The node that holds the visits."""

    async def held(self, state: EpisodeState, draft: Draft, context: Context) -> tuple[Draft, list[Step]]:
        """The visit: the assistant acts on what it sees until it answers, or has used its steps up."""
        visit, draw = Visit(draft), Random(f"{draft.id}/visit")
        setting = self.crew.system_message(draw)
        browser, task = visit.begun(), visit.task
        steps: list[Step] = []
        calls = list(draft.calls)
        assistant = self.crew.agent("answer", WebAct, subject=draft.category)
        while len(steps) < visit.budget():
            seen = browser.view.text()
            inputs: dict[str, Any] = {"task": task.task, "before": visit.history, "steps": Steps(steps), "seen": seen}
            count = visit.budget() - len(steps)
            act, call = await assistant(context.model_of("answer"), draw, setting=setting, count=count, **inputs)
            calls.append(call)
            outcome = browser.act(act.taken())
            step = Step(seen=seen, thought=act.thought, action=act.taken(), ok=outcome.ok, message=outcome.message)
            if act.action == "ask_user" and not visit.single:
                heard, call = await self._heard(task, [*steps, step], context, draw)
                step = step.model_copy(update={"heard": heard})
                calls.append(call)
            steps.append(step)
            if act.action == "answer" or in_circles(steps):
                break
        return self._told(draft, visit, setting, steps, calls), steps

    async def _heard(self, task: WebTask, steps: list[Step], context: Context, draw: Random) -> tuple[str, Call]:
        return await self.user_says(context, draw, task.task, task.withheld, spoken_text(task.task, steps))

    def _told(self, draft: Draft, visit: Visit, setting: str, steps: list[Step], calls: list[Call]) -> Draft:
        draw, skill = Random(f"{draft.id}/layout"), self.crew.skill
        vocabulary = skill.prompt("briefing").render({}, draw)[-1]["content"]
        layout = draw.choice(list(skill.layouts[draft.item.form]))
        opening = layout.fill({"question": visit.task.task, "passage": steps[0].seen, "options": visit.history})
        messages = visit_messages(f"{setting}\n\n{vocabulary}".strip(), opening, steps)
        return draft.model_copy(update={"messages": messages, "calls": tuple(calls)})


def in_circles(steps: list[Step]) -> bool:
    """Whether the same was done three times in a row before the same page: more of it changes nothing."""
    return len(steps) > 2 and all((one.action, one.seen) == (steps[-1].action, steps[-1].seen) for one in steps[-3:])


@dataclass(frozen=True, slots=True)
class VisitVerification(Verification):
    """Elements, execution, goal and the rest; then, if those hold, a judge."""

    def world(self, state: FlowState, draft: Draft) -> Visit:
        """The site and what was done on it."""
        return Visit(draft, state["dialogues"][draft.id])  # type: ignore[typeddict-item]


@dataclass(frozen=True, slots=True)
class SiteRefinement(Refinement):
    """Suggester and editor, who see the site, the task and the visit it led to; some goals change only the site."""

    def able(self, draft: Draft) -> bool:
        """Every task has something to refine."""
        return True

    def suits(self, draft: Draft, goal: Goal) -> bool:
        """Only a task that gives values can leave some out, and only one that can be done can forbid something."""
        task, impossible = task_of(draft), self.crew.skill.categories[draft.category].settings.get("impossible")
        gives = bool(task.known) or sum(one.kind == "entry" for one in task.wanted.conditions) > 1
        if goal.name == "missing_information":
            return goal.fits(draft.item.form) and gives and not task.withheld and not impossible
        return goal.fits(draft.item.form) and not (goal.name == "policy" and impossible)

    def material(self, state: FlowState, draft: Draft, goal: Goal) -> dict[str, Any]:
        """The task with its site and its visit."""
        steps = state.get("dialogues", {}).get(draft.id, ())  # type: ignore[attr-defined]
        return {
            "site": draft.passage,
            "task": task_of(draft),
            "visit": visit_text(steps, views=False),
            "category": shown(self.crew.skill.categories[draft.category], Random(draft.id)),
            "goal": goal,
        }

    def world(self, state: FlowState, draft: Draft) -> Visit:
        """The site, on which a plan must reach the edited task's goal."""
        return Visit(draft)

    async def _edited(self, state: FlowState, parent: Draft, suggestion: Suggestion, model: str) -> Draft:
        if suggestion.goal in SITE_EDITS:
            return keyed(await self._resited(state, parent, suggestion, model))
        return keyed(await Refinement._edited(self, state, parent, suggestion, model))

    async def _resited(self, state: FlowState, parent: Draft, suggestion: Suggestion, model: str) -> Draft:
        """The same task on a changed site."""
        goal = self.crew.skill.goals[suggestion.goal]
        agent = self.crew.agent("edit", SITE_EDITS[goal.name], f"edit/{goal.name}", "edit", subject=goal.name)
        draw = Random(f"{parent.id}/{goal.name}/{suggestion.ordinal}")
        inputs = {**self.material(state, parent, goal), "suggestion": suggestion.text, "material": None}
        edit: SiteEdit
        edit, call = await agent(model, draw, **inputs)
        draft_id = edited_id(suggestion)
        with reply_at_fault("unusable item", call):
            site = site_text(edit.applied(site_of(parent.passage), Random(draft_id)))
            item = edit.task_after(task_of(parent)).arrange(Random(draft_id))
        return parent.model_copy(
            update={
                "id": draft_id,
                "passage": site,
                "item": item,
                "depth": parent.depth + 1,
                "parent": parent.id,
                "goal": goal.name,
                "outcome": goal.outcome,
                "suggestion": suggestion.text,
                "verdicts": (),
                "calls": (*parent.calls, *suggestion.calls, call),
            }
        )
