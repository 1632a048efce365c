"""The stages of a flow: each maps its agent over the items in the state.

A stage is one node, not one node per draft: its calls run together and its results keep their order. A
draft that fails becomes a `Dropped` with stage and reason; the others go on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

from langgraph.runtime import Runtime

from agentinstruct.agents.agent import Changed, Explained, Text, batch_of
from agentinstruct.agents.checks import item_verdicts
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import FORMS, Form, Revision
from agentinstruct.agents.records import (
    Call,
    Draft,
    Dropped,
    Message,
    Passage,
    Seed,
    Verdict,
    content_id,
)
from agentinstruct.agents.replies import Rewritten
from agentinstruct.agents.revision_reply import plain_form, writer_form
from agentinstruct.agents.skill import Category, Skill
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.plan import make_plan, shown
from agentinstruct.graphs.state import Context, FlowState, settings

Judge = Callable[[FlowState, Draft, Draft | None], tuple[Verdict, ...]]
"""Exact checks on an item that has not been answered yet, given its parent."""


class Node(Protocol):
    """A node: it returns the part of the state it changed."""

    async def __call__(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Do the node's work."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The plan, transform, instruct and answer nodes of a skill."""

    crew: Crew

    async def plan(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Draw the transform and the categories of this seed, from the run's seed and the seed's text."""
        seed, context = Seed.model_validate(state["seed"]), settings(runtime)
        return {"seed": seed, "plan": make_plan(self.crew.skill, seed, context), "drafts": [], "suggestions": []}

    def transform(self, name: str) -> Node:
        """The node that rewrites the seed into one shape of passage."""

        async def run(state: FlowState, runtime: Runtime[Context]) -> FlowState:
            seed, model = state["seed"], settings(runtime).model_of("transform")
            if name == "identity":
                return {"passage": Passage(text=seed.text, transform=name)}
            agent = self.crew.agent(name, Rewritten, f"transform/{name}")
            try:
                reply, call = await agent(model, Random(f"{seed.id}/{name}"), seed=seed)
            except ReplyError as error:
                return {"dropped": [self.crew.dropped(state, "transform", error)]}
            if not reply.suitable or not reply.text.strip():
                declined = ReplyError(
                    "declined", reply.reason or "the transform found the seed unsuitable", calls=(call,)
                )
                return {"dropped": [self.crew.dropped(state, "transform", declined)]}
            return {"passage": Passage(text=reply.text.strip(), transform=name, calls=(call,))}

        run.__name__ = name
        return run

    async def instruct(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Write the instructions of each category drawn; nothing when the transform declined the seed."""
        if "passage" not in state:
            return {}
        context, plan = settings(runtime), state["plan"]
        categories = [self.crew.skill.categories[name] for name in plan.categories]
        written, dropped = await each(
            categories,
            lambda category: self._written(state, category, context.model_of("instruct")),
            lambda category, error: self.crew.dropped(state, "instruct", error, category=category.name),
        )
        drafts = [draft for some in written for draft in some]
        drafts, refused = admit(self.crew, state, drafts, "instruct", partial(written_verdicts, self.crew))
        return {"drafts": drafts, "dropped": dropped + refused}

    async def _written(self, state: FlowState, category: Category, model: str) -> list[Draft]:
        plan, passage = state["plan"], state["passage"]
        draw = Random(f"{plan.work_id}/{category.name}")
        form, least = writer_form(category), int("any" in category.suits)
        agent = self.crew.agent("instruct", batch_of(form, plan.instructions, least), subject=category.name)
        reply, call = await agent(
            model, draw, passage=passage.text, category=shown(category, draw), count=plan.instructions
        )
        some(reply.items, call)
        return [
            self._original(state, category, ordinal, plain_form(category, written), (*passage.calls, call))
            for ordinal, written in enumerate(reply.items)
        ]

    def _original(
        self, state: FlowState, category: Category, ordinal: int, form: Form, calls: tuple[Call, ...]
    ) -> Draft:
        plan, passage = state["plan"], state["passage"]
        draft_id = content_id(plan.work_id, plan.transform, category.name, ordinal)
        draft = Draft(
            id=draft_id,
            category=category.name,
            transform=plan.transform,
            passage=passage.text,
            item=form.arrange(Random(draft_id)),
            calls=calls,
        )
        return laid_out(self.crew.skill, draft)

    async def answer(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Answer each draft, seeing only what its user would see."""
        model = settings(runtime).model_of("answer")
        done, dropped = await each(
            state["drafts"],
            lambda draft: self._answered(draft, model),
            lambda draft, error: self.crew.dropped(state, "answer", error, draft=draft),
        )
        return {"drafts": done, "dropped": dropped}

    async def _answered(self, draft: Draft, model: str) -> Draft:
        agent = self.crew.agent("answer", spoken(draft.item.form), subject=draft.category)
        system = next((m.content for m in draft.messages if m.role == "system"), "")
        request = f"{system}\n\n{draft.request}".strip()
        reply, call = await agent(model, Random(draft.id), request=request, form=draft.item.form)
        said = Message(role="assistant", content=reply.text)
        return draft.model_copy(update={"messages": (*draft.messages, said), "calls": (*draft.calls, call)})


def spoken(form: str) -> type[Text] | type[Explained]:
    """What the teacher is asked for: parts where a form has them, else free text."""
    if form == Revision.name:
        return Changed
    return Explained if form in FORMS and FORMS[form].definite else Text


def laid_out(skill: Skill, draft: Draft) -> Draft:
    """The draft with the turns a user would send: a layout, and sometimes a system message, drawn by its id."""
    draw = Random(f"{draft.id}/layout")
    layout = draw.choice(list(skill.layouts[draft.item.form]))
    item = draft.item
    request = layout.render(passage=draft.passage, question=item.question, options=item.options).strip()
    messages = [Message(role="user", content=request)]
    if skill.file.system_messages and draw.random() < 0.6:
        messages.insert(0, Message(role="system", content=draw.choice(skill.file.system_messages)))
    return draft.model_copy(update={"messages": tuple(messages)})


def admit(
    crew: Crew,
    state: FlowState,
    drafts: Iterable[Draft],
    stage: str,
    judge: Judge,
) -> tuple[list[Draft], list[Dropped]]:
    """Drop repeated items, and under `strict` those that fail an exact check already."""
    kept: list[Draft] = []
    dropped: list[Dropped] = []
    parents = {draft.id: draft for draft in state.get("drafts", [])}
    seen = {_identity(draft) for draft in parents.values()}
    for draft in drafts:
        identity, parent = _identity(draft), parents.get(draft.parent)
        checked = draft.model_copy(update={"verdicts": judge(state, draft, parent)})
        failed = [v for v in checked.verdicts if not v.passed]
        # An item that is still its parent's own is `changed`'s to report.
        if identity in seen and not (parent and identity == _identity(parent)):
            dropped.append(crew.dropped(state, stage, ReplyError("duplicate", draft.item.question), draft=checked))
        elif failed and state["plan"].verify == "strict":
            error = ReplyError(failed[0].check, failed[0].evidence)
            dropped.append(crew.dropped(state, stage, error, draft=checked))
        else:
            kept.append(checked)
        seen.add(identity)
    return kept, dropped


def _identity(draft: Draft) -> tuple[str, str, str]:
    return draft.passage, draft.item.question, draft.item.options


def some(items: Sequence[Form], call: Call) -> None:
    """Refuse an empty list: a writer that finds nothing of its type declines."""
    if not items:
        error = ReplyError("declined", "the writer found nothing to ask of this type", calls=(call,))
        raise error


def written_verdicts(crew: Crew, state: FlowState, draft: Draft, parent: Draft | None) -> tuple[Verdict, ...]:
    """What can be said of an item by itself, against its passage and its parent."""
    return item_verdicts(draft, parent, crew.skill.categories[draft.category])
