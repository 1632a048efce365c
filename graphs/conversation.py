"""Conversation: a finished item of another skill, grown by turns that were planned.

    seed ─ plan ─ from_<skill> ─ sample ─ instruct ─ (suggest ─ edit) × rounds ─ answer ─ verify
                  the whole graph of that skill

from_<skill>  runs the other skill on the same seed and with the same run seed, so that where a run has that item
              already, its calls are found in the journal; the item must be accepted
sample        for a correction, the answer that is wrong by construction
instruct      who the user is and what each turn does
suggest, edit work on that plan
answer        the turns: a user who knows the plan, and an assistant who knows only what was said
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from langgraph.graph import END, START
from langgraph.runtime import Runtime

from agentinstruct.agents.checks.talk import talk_of
from agentinstruct.agents.checks.talk_panel import Held
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import FORMS
from agentinstruct.agents.records import Call, Draft, Message, Passage, Seed
from agentinstruct.agents.routing import suits
from agentinstruct.agents.skill import Skill, load_skill
from agentinstruct.agents.talk import (
    Base,
    Exchange,
    Planned,
    Said,
    UserSays,
    base_of,
    known_to_user,
    opening,
    transcript,
    view,
)
from agentinstruct.graphs.crew import Crew, each
from agentinstruct.graphs.doors import Flow, Wiring
from agentinstruct.graphs.flow import chosen_transform, refine_or_answer
from agentinstruct.graphs.plan import make_plan
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.review import wire_review
from agentinstruct.graphs.stages import Node, Stages
from agentinstruct.graphs.state import NONE, Context, FlowState, fresh, settings
from agentinstruct.graphs.verify import Verification

FROM = "from_"
CORRECTIONS = ("true_correction", "wrong_correction")


@dataclass(frozen=True, slots=True)
class Growing(Stages):
    """The nodes up to the plan of a conversation."""

    async def plan(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Draw a base skill that takes such a seed, and the acts to build conversations around."""
        seed, context = Seed.model_validate(state["seed"]), settings(runtime)
        skill = self.crew.skill
        if not context.transforms:
            able = [name for name in skill.file.transforms if suits(_base(name), seed)]
            context = replace(context, transforms=",".join(able or skill.file.transforms))
        return fresh(seed, make_plan(skill, seed, context))

    def grown(self, name: str, base: Flow) -> Node:
        """The node that runs another skill's graph and takes an accepted item of it."""

        async def run(state: FlowState, runtime: Runtime[Context]) -> FlowState:
            context = _for_base(settings(runtime), name, state["plan"].categories)
            done = await base.ainvoke({"seed": state["seed"]}, context=context)
            accepted = {record.id for record in done.get("records", ()) if record.accepted}
            fit = [draft for draft in done.get("drafts", ()) if draft.id in accepted and not draft.tools]
            if not fit:
                return {"dropped": [self.crew.dropped(state, "transform", _nothing(name, done))]}
            item = Random(f"{state['plan'].work_id}/base").choice(fit)
            grown = base_of(item, name.removeprefix(FROM))
            data = grown.model_dump(mode="json")
            return {"passage": Passage(text=view(grown), transform=name, data=data, calls=item.calls)}

        run.__name__ = name
        return run

    def begun(self, state: FlowState, draft: Draft) -> Draft:
        """A conversation begins with its base."""
        return begun(self.crew, draft)


def begun(crew: Crew, draft: Draft) -> Draft:
    """The draft with the first exchange, in which a slip may have been planted."""
    system = crew.system_message(Random(f"{draft.id}/system"))
    return draft.model_copy(update={"messages": opening(talk_of(draft).base, system)})


def _base(transform: str) -> Skill:
    return load_skill(transform.removeprefix(FROM))


def _for_base(context: Context, name: str, acts: tuple[str, ...]) -> Context:
    """The base skill's own choices for this seed; where an answer is to be corrected, of the types that have one."""
    wanted = ""
    if any(act in CORRECTIONS for act in acts):
        kinds = _base(name).categories.values()
        wanted = ",".join(kind.name for kind in kinds if FORMS[kind.form].definite)
    return replace(
        context,
        transforms="",
        categories=wanted,
        without="",
        goals=NONE,
        categories_per_seed=1,
        rounds=0,
        review=False,
    )


def _nothing(name: str, done: Mapping[str, Any]) -> ReplyError:
    lost = done.get("dropped", ())
    why = f": {lost[0].stage}: {lost[0].reason}: {lost[0].detail[:200]}" if lost else ""
    calls = tuple({call.key: call for one in lost for call in one.calls}.values())
    return ReplyError("no base", f"{name.removeprefix(FROM)} gave no accepted item{why}", calls=calls)


@dataclass(frozen=True, slots=True)
class PlanRefinement(Refinement):
    """Suggester and editor of plans."""

    def begun(self, state: FlowState, draft: Draft) -> Draft:
        """The edited plan begins with the same base."""
        return begun(self.crew, draft)


@dataclass(frozen=True, slots=True)
class Turns:
    """The node that holds the conversations."""

    crew: Crew

    async def answer(self, state: FlowState, runtime: Runtime[Context]) -> FlowState:
        """Hold the conversation of every plan, turn by turn."""
        context = settings(runtime)
        done, dropped = await each(
            state["drafts"],
            lambda draft: self._held(draft, context),
            lambda draft, error: self.crew.dropped(state, "answer", error, draft=draft),
        )
        return {"drafts": done, "dropped": dropped}

    async def _held(self, draft: Draft, context: Context) -> Draft:
        talk, messages, calls = talk_of(draft), list(draft.messages), list(draft.calls)
        held: list[Exchange] = []
        for place, planned in enumerate(talk.turns, 2):
            draw = Random(f"{draft.id}/{place}")
            said, call = await self._user(talk.persona, talk.base, planned, messages, context, draw)
            messages.append(Message(role="user", content=said.text.strip()))
            reply, answered = await self._assistant(messages, draft.category, context, draw)
            messages.append(Message(role="assistant", content=reply.text.strip()))
            calls += [call, answered]
            held.append(
                Exchange(planned=planned, user=said.text.strip(), assistant=reply.text.strip(), stands=reply.stands)
            )
        kept = {"exchanges": [one.model_dump(mode="json") for one in held]}
        return draft.model_copy(update={"messages": tuple(messages), "said": kept, "calls": tuple(calls)})

    async def _user(
        self, persona: str, base: Base, planned: Planned, messages: list[Message], context: Context, draw: Random
    ) -> tuple[UserSays, Call]:
        """The simulated user, who knows the plan, and of a correction what to insist on."""
        act = self.crew.skill.categories[planned.act]
        inputs: dict[str, Any] = {
            "persona": persona,
            "planned": planned,
            "act": {"title": act.title, "brief": act.brief, "example": draw.choice(act.examples)},
            "knows": {"insists": "", "instead_of": ""} | known_to_user(base, planned.act),
            "dialogue": transcript(messages),
        }
        agent = self.crew.agent("user", UserSays, subject=planned.act)
        said, call = await agent(context.model_of("instruct"), draw, **inputs)
        return said, call

    async def _assistant(
        self, messages: list[Message], category: str, context: Context, draw: Random
    ) -> tuple[Said, Call]:
        """The teacher, who sees what has been said and nothing else."""
        system = next((m.content for m in messages if m.role == "system"), "")
        agent = self.crew.agent("answer", Said, subject=category)
        reply, call = await agent(context.model_of("answer"), draw, system=system, dialogue=transcript(messages))
        return reply, call


@dataclass(frozen=True, slots=True)
class TalkVerification(Verification):
    """The checks of a conversation, whose judge reads all of it."""

    def world(self, state: FlowState, draft: Draft) -> Held:
        """The conversation as a judge is shown it."""
        return Held()


def build_conversation(skill: Skill, bases: Sequence[Flow]) -> Flow:
    """Wire the conversation agents over the graphs of other skills: those that its transforms name."""
    crew, transforms = Crew(skill), list(skill.file.transforms)
    named = {f"{FROM}{base.name}": base for base in bases}
    stages, refinement = Growing(crew), PlanRefinement(crew)
    flow = Wiring(FlowState, skill)
    flow.add_node("plan", stages.plan)
    flow.add_edge(START, "plan")
    flow.add_conditional_edges("plan", chosen_transform, transforms)
    for name in transforms:
        flow.add_node(name, stages.grown(name, named[name]))
        flow.add_edge(name, "sample")
    flow.add_node("sample", stages.sample)
    flow.add_node("instruct", stages.instruct)
    flow.add_node("suggest", refinement.suggest)
    flow.add_node("edit", refinement.edit)
    flow.add_node("answer", Turns(crew).answer)
    flow.add_node("verify", TalkVerification(crew).verify)
    flow.add_edge("sample", "instruct")
    flow.add_conditional_edges("instruct", refine_or_answer, ["suggest", "answer", END])
    flow.add_edge("suggest", "edit")
    flow.add_conditional_edges("edit", refine_or_answer, ["suggest", "answer"])
    flow.add_edge("answer", "verify")
    wire_review(flow, crew)
    return flow.compile(name=skill.name)
