"""The stages of a flow up to its items: each maps its agent over the items in the state.

A stage is one node, not one node per draft: its calls run together and its results keep their order. A
draft that fails becomes a `Dropped` with stage and reason; the others go on.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from langgraph.runtime import Runtime
from pydantic import BaseModel

from agentinstruct.agents.agent import batch_of
from agentinstruct.agents.checks import opinion, policy
from agentinstruct.agents.errors import ReplyError, reply_at_fault
from agentinstruct.agents.forms import FORMS, Form
from agentinstruct.agents.forms.form import Material
from agentinstruct.agents.layouts import request_of
from agentinstruct.agents.records import Call, Draft, Dropped, Message, Passage, Seed, content_id
from agentinstruct.agents.replies import Reshaped
from agentinstruct.agents.revision_reply import writer_form
from agentinstruct.agents.shapes import SHAPES
from agentinstruct.agents.skill import Category
from agentinstruct.graphs.crew import Crew, each, together
from agentinstruct.graphs.plan import make_plan, shown
from agentinstruct.graphs.state import Context, FlowState, fresh, settings


class Node(Protocol):
    """A node: it returns the part of the state it changed."""

    __name__: str

    async def __call__(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Do the node's work."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The plan, transform, sample and instruct nodes of a skill."""

    crew: Crew

    async def plan(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Draw the transform and the categories of this seed, from the run's seed and the seed's text."""
        seed, context = Seed.model_validate(state["seed"]), settings(runtime)
        return fresh(seed, make_plan(self.crew.skill, seed, context))

    def transform(self, name: str) -> Node:
        """The node that rewrites the seed into one shape of passage."""

        async def run(state: FlowState, runtime: Runtime[Context]) -> FlowState:
            seed, model = state["seed"], settings(runtime).model_of("transform")
            if name == "identity":
                return {"passage": Passage(text=seed.text, transform=name)}
            shape = SHAPES[self.crew.skill.file.shapes.get(name, "text")]
            agent = self.crew.agent(name, shape, f"transform/{name}", accept=usable)
            try:
                reply, call = await agent(model, f"{seed.id}/{name}", seed=seed)
                made = passage_of(reply, name, call)
            except ReplyError as error:
                return {"dropped": [self.crew.dropped(state, "transform", error)]}
            return {"passage": made}

        run.__name__ = name
        return run

    async def sample(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Decide by program what the items of sampled forms are about, such as a core with a proven solution."""
        if not state["passage"].transform:
            return {}
        plan, categories = state["plan"], self.crew.skill.categories
        wanted = [categories[name] for name in plan.categories if FORMS[categories[name].form].sampled]
        samples = {
            category.name: [
                await asyncio.to_thread(self._sampled, state, category, ordinal) for ordinal in range(plan.instructions)
            ]
            for category in wanted
        }
        missing = [name for name, found in samples.items() for one in found if one is None]
        nothing = ReplyError("declined", "the passage gives nothing to build an item of this type from")
        return {
            "samples": {name: [one for one in found if one is not None] for name, found in samples.items()},
            "dropped": [self.crew.dropped(state, "instruct", nothing, category=name) for name in missing],
        }

    def _sampled(self, state: FlowState, category: Category, ordinal: int) -> Material | None:
        draw = Random(f"{state['plan'].work_id}/{category.name}/{ordinal}/sample")
        try:
            with reply_at_fault("declined"):
                return FORMS[category.form].sample(category, state["passage"], draw)
        except ReplyError:
            return None

    async def instruct(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Write the instructions of each category drawn; nothing when the transform declined the seed."""
        if not state["passage"].transform:
            return {}
        context, plan = settings(runtime), state["plan"]
        model = context.model_of("instruct")
        categories = [self.crew.skill.categories[name] for name in plan.categories]
        written, dropped = await each(
            [(category, *part) for category in categories for part in self._parts(state, category)],
            lambda part: self._written(state, *part, model),
            lambda part, error: self.crew.dropped(state, "instruct", error, category=part[0].name),
        )
        made = [one for some in written for one in some]
        spoilt = [one for one in made if isinstance(one, Dropped)]
        drafts = [one for one in made if isinstance(one, Draft)]
        kept, refused = await admit(self.crew, context, state, drafts, "instruct", self.world)
        return {"drafts": kept, "dropped": dropped + spoilt + refused}

    def _parts(self, state: FlowState, category: Category) -> list[tuple[int, int, Material | None]]:
        """What one writer is asked for: the first item's number, how many, and what the program has decided of it."""
        if not category.takes(state["seed"].modality):
            return [(0, 0, None)]
        if not FORMS[category.form].sampled:
            return [(0, state["plan"].instructions, None)]
        # What could not be sampled has been dropped, and counted, where it was tried.
        return [(i, 1, one) for i, one in enumerate(state["samples"][category.name])]

    async def _written(
        self, state: FlowState, category: Category, first: int, count: int, material: Material | None, model: str
    ) -> list[Draft | Dropped]:
        if not count:
            raise ReplyError("declined", "this type of item is made from another kind of seed")
        plan, passage = state["plan"], state["passage"]
        draw = Random(f"{plan.work_id}/{category.name}" + (f"/{first}" if first else ""))
        asked_for = "any" in category.suits or category.states or material is not None
        form, least = writer_form(category), int(bool(asked_for))
        agent = self.crew.agent("instruct", batch_of(form, count, least), subject=category.name)
        inputs: dict[str, Any] = {"category": shown(category, draw), "count": count, "material": material}
        reply, call = await agent(model, draw, sample=plan.sample, **self.shown(state), **inputs)
        some(reply.items, call)
        calls = (*passage.calls, call)
        return [
            await self._original(state, category, first + place, written, material, calls)
            for place, written in enumerate(reply.items)
        ]

    async def _original(
        self,
        state: FlowState,
        category: Category,
        ordinal: int,
        written: BaseModel,
        material: Material | None,
        calls: tuple[Call, ...],
    ) -> Draft | Dropped:
        plan, passage = state["plan"], state["passage"]
        draft_id = content_id(plan.work_id, plan.transform, category.name, ordinal)
        try:
            with reply_at_fault("unusable item"):
                form: Form = await FORMS[category.form].make(written, material)
                item = form.arrange(Random(draft_id))
        except ReplyError as error:
            error.calls = (*calls, *error.calls)
            return self.crew.dropped(state, "instruct", error, category=category.name, draft_id=draft_id)
        draft = Draft(
            id=draft_id,
            category=category.name,
            transform=plan.transform,
            passage=passage.text,
            item=item,
            calls=calls,
        )
        return self.begun(state, draft)

    def shown(self, state: FlowState) -> dict[str, Any]:
        """What a writer is shown of the passage."""
        return {"passage": state["passage"].text}

    def begun(self, state: FlowState, draft: Draft) -> Draft:
        """The draft with what its user would send."""
        return laid_out(self.crew, draft)

    def world(self, state: FlowState, draft: Draft) -> Any:
        """What the checks of an item may use besides, in flows with an environment."""
        return None


def usable(reply: Reshaped) -> None:
    """Refuse a passage that calls itself suitable and is not, naming what is wrong with it."""
    with reply_at_fault("unfit passage"):
        fault = reply.unfit() if reply.suitable else ""
    if fault:
        raise ReplyError("unfit passage", fault)


def passage_of(reply: Reshaped, transform: str, call: Call) -> Passage:
    """The passage in a transform's reply.

    Raises:
        ReplyError: the transform declined the seed.
    """
    if not reply.suitable:
        raise ReplyError("declined", reply.reason or "the transform found the seed unsuitable", calls=(call,))
    data = reply.model_dump(mode="json", exclude={"suitable", "reason", "text"})
    return Passage(text=reply.passage_text, transform=transform, data=data, calls=(call,))


def laid_out(crew: Crew, draft: Draft) -> Draft:
    """The draft with the turns a user would send: a layout, and sometimes a system message, drawn by its id."""
    draft = draft.model_copy(update={"passage": draft.item.passage or draft.passage})
    draw = Random(f"{draft.id}/layout")
    messages = [Message(role="user", content=request_of(crew.skill, draft, draw))]
    if system := crew.system_message(draw):
        messages.insert(0, Message(role="system", content=system))
    return draft.model_copy(update={"messages": tuple(messages)})


async def admit(
    crew: Crew,
    context: Context,
    state: FlowState,
    drafts: Sequence[Draft],
    stage: str,
    world: Callable[[FlowState, Draft], Any],
) -> tuple[list[Draft], list[Dropped]]:
    """Drop repeated items, and under `strict` those that fail a check before anybody is paid to answer them."""
    parents = {draft.id: draft for draft in state.get("drafts", [])}
    strict = context.verify == "strict"

    async def checked(draft: Draft) -> Draft:
        named = crew.skill.checks_of(draft.category, draft.goal)
        checks = policy(named, "item", models=context.verify != "off")
        bench = crew.bench(context, draft, parent=parents.get(draft.parent), world=world(state, draft))
        found, calls = await opinion(checks, draft, bench, strict=strict)
        return draft.model_copy(update={"verdicts": tuple(found), "calls": (*draft.calls, *calls)})

    kept: list[Draft] = []
    dropped: list[Dropped] = []
    seen = {_identity(draft) for draft in parents.values()}
    for draft in await together([checked(draft) for draft in drafts]):
        identity, parent = _identity(draft), parents.get(draft.parent)
        failed = [v for v in draft.verdicts if not v.passed]
        # An item that is still its parent's own is `changed`'s to report.
        if identity in seen and not (parent and identity == _identity(parent)):
            dropped.append(crew.dropped(state, stage, ReplyError("duplicate", draft.item.question), draft=draft))
        elif failed and strict:
            error = ReplyError(failed[0].check, failed[0].evidence)
            dropped.append(crew.dropped(state, stage, error, draft=draft))
        else:
            kept.append(draft)
        seen.add(identity)
    return kept, dropped


def _identity(draft: Draft) -> tuple[str, str, str]:
    return draft.passage, draft.item.question, draft.item.options


def some(items: Sequence[object], call: Call) -> None:
    """Refuse an empty list: a writer that finds nothing of its type declines."""
    if not items:
        error = ReplyError("declined", "the writer found nothing to ask of this type", calls=(call,))
        raise error
