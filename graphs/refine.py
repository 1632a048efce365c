"""Refinement: suggester and editor, in as many pairs as the skill has goals. It adds drafts, it replaces none."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from langgraph.runtime import Runtime
from pydantic import BaseModel, create_model

from agentinstruct.agents.errors import ReplyError, reply_at_fault
from agentinstruct.agents.forms import FORMS, UNANSWERABLE, Form, read_form
from agentinstruct.agents.forms.form import Material
from agentinstruct.agents.records import Call, Draft, Frozen, Item, Suggestion, content_id
from agentinstruct.agents.replies import PassageEdit, Suggestions
from agentinstruct.agents.skill import Goal
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.stages import admit, laid_out
from agentinstruct.graphs.state import Context, FlowState, settings


@dataclass(frozen=True, slots=True)
class Refinement:
    """The suggest and edit nodes of a skill."""

    crew: Crew

    async def suggest(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """For each newest draft and each goal that suits it, ways to refine it."""
        model, plan = settings(runtime).model_of("suggest"), state["plan"]
        newest = max((draft.depth for draft in state["drafts"]), default=0)
        work = [
            (draft, self.crew.skill.goals[name])
            for draft in state["drafts"]
            for name in plan.goals
            if draft.depth == newest and self.able(draft) and self.suits(draft, self.crew.skill.goals[name])
        ]
        suggested, dropped = await each(
            work,
            lambda pair: self._suggested(state, *pair, model, plan.suggestions),
            lambda pair, error: self.crew.dropped(state, "suggest", error, parent=pair[0], goal=pair[1].name),
        )
        return {"suggestions": [one for some in suggested for one in some], "dropped": dropped}

    async def _suggested(self, state: FlowState, draft: Draft, goal: Goal, model: str, count: int) -> list[Suggestion]:
        wanted = count or goal.suggestions
        agent = self.crew.agent("suggest", Suggestions, f"suggest/{goal.name}", "suggest", subject=goal.name)
        draw = f"{draft.id}/{goal.name}"
        reply, call = await agent(model, draw, **self.material(state, draft, goal), count=wanted)
        texts = dict.fromkeys(text.strip() for text in reply.suggestions if text.strip())
        if not texts:
            error = ReplyError("no suggestion", "the suggester gave blank suggestions only")
            error.calls = (call,)
            raise error
        return [
            Suggestion(draft_id=draft.id, goal=goal.name, ordinal=i, text=text, calls=(call,))
            for i, text in enumerate(list(texts)[:wanted])
        ]

    async def edit(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Apply each suggestion: every one adds a draft, and the original stays."""
        context, plan = settings(runtime), state["plan"]
        model = context.model_of("edit")
        parents = {draft.id: draft for draft in state["drafts"]}
        edited, dropped = await each(
            state["suggestions"],
            lambda suggestion: self._edited(state, parents[suggestion.draft_id], suggestion, model),
            lambda suggestion, error: self.crew.dropped(
                state,
                "edit",
                error,
                goal=suggestion.goal,
                parent=parents[suggestion.draft_id],
                draft_id=edited_id(suggestion),
            ),
        )
        kept, refused = await admit(self.crew, context, state, edited, "edit", self.world)
        # Where a round adds nothing, the next would only ask the same again.
        left = plan.model_copy(update={"rounds": plan.rounds - 1 if kept else 0})
        return {
            "drafts": [*state["drafts"], *kept],
            "suggestions": [],
            "dropped": dropped + refused,
            "plan": left,
        }

    async def _edited(self, state: FlowState, parent: Draft, suggestion: Suggestion, model: str) -> Draft:
        goal = self.crew.skill.goals[suggestion.goal]
        form_type = FORMS[goal.form or parent.item.form]
        reply_type = edit_reply(goal, form_type)
        agent = self.crew.agent("edit", reply_type, f"edit/{goal.name}", "edit", subject=goal.name)
        draw = Random(f"{parent.id}/{goal.name}/{suggestion.ordinal}")
        with reply_at_fault("not refined"):
            form = read_form(parent.item)
            # Only what the program decides of an item takes long enough to be worth a thread.
            made = asyncio.to_thread(form.refined, goal, draw) if form.sampled else None
            material = await made if made else form.refined(goal, draw)
        inputs = {**self.material(state, parent, goal), "suggestion": suggestion.text, "material": material}
        reply, call = await agent(model, draw, **inputs)
        calls = (*parent.calls, *suggestion.calls, call)
        draft_id = edited_id(suggestion)
        item = await _remade(form_type, getattr(reply, "item", None), material, call, draft_id)
        return self.begun(
            state,
            parent.model_copy(
                update={
                    "id": draft_id,
                    "passage": getattr(reply, "passage", parent.passage).strip(),
                    "item": item or _kept(parent, goal),
                    "depth": parent.depth + 1,
                    "parent": parent.id,
                    "goal": goal.name,
                    "outcome": goal.outcome,
                    "suggestion": suggestion.text,
                    "calls": calls,
                }
            ),
        )

    def able(self, draft: Draft) -> bool:
        """Whether there is anything to refine in a draft."""
        return draft.outcome != "unanswerable"

    def suits(self, draft: Draft, goal: Goal) -> bool:
        """Whether a draft can be refined towards a goal."""
        return goal.fits(draft.item.form)

    def material(self, state: FlowState, draft: Draft, goal: Goal) -> dict[str, Any]:
        """What suggester and editor are given of a draft."""
        return {"passage": draft.passage, "item": draft.item.view, "goal": goal}

    def begun(self, state: FlowState, draft: Draft) -> Draft:
        """The edited draft with what its user would send."""
        return laid_out(self.crew, draft)

    def world(self, state: FlowState, draft: Draft) -> Any:
        """What the checks of an edited item may use besides, in flows with an environment."""
        return None


def edited_id(suggestion: Suggestion) -> str:
    """The id of the draft that a suggestion leads to."""
    return content_id(suggestion.draft_id, suggestion.goal, suggestion.ordinal)


def edit_reply(goal: Goal, form: type[Form]) -> type[BaseModel]:
    """What an editor replies with: the passage, the item, or both."""
    if goal.changes == "passage":
        return PassageEdit
    return _edit_of(form.__name__, form.edited_for(goal), PassageEdit if goal.changes == "both" else Frozen)


@lru_cache(maxsize=256)
def _edit_of(form: str, item: type[BaseModel], base: type[BaseModel]) -> type[BaseModel]:
    """Made once: a type and its schema take longer to make than a call to answer."""
    return create_model(f"{form}Edit", __base__=base, item=(item, ...))


async def _remade(
    form: type[Form], written: BaseModel | None, material: Material | None, call: Call, draft_id: str
) -> Item | None:
    """The edited item, completed and arranged by the program; None where only the passage was edited."""
    if written is None:
        return None
    try:
        with reply_at_fault("unusable item"):
            return (await form.make(written, material)).arrange(Random(draft_id))
    except ReplyError as error:
        error.calls = (call, *error.calls)
        raise


def _kept(parent: Draft, goal: Goal) -> Item:
    if goal.outcome != "unanswerable":
        return parent.item
    return parent.item.model_copy(update={"key": UNANSWERABLE})
