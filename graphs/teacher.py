"""The teacher: documents in, each piece taught by the skills that suit it, records out.

    read ─ route ─ hand_out ─ the skills' graphs, side by side ─ summarise ─ …
                      └──────────────── while work is left ──────────┘

read       cuts documents into seeds and leaves out what is no use, with a reason
route      draws the skills of each seed, by the mix and by how well they suit it
hand_out   gives the next work items, a bounded number at once, to their skills: each is a graph within this one
summarise  what every skill has made so far, and why the rest was dropped
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langgraph.graph import END, START
from langgraph.runtime import Runtime
from langgraph.types import Send

from agentinstruct.agents.mix import ALL, RELEASED, Mix, weights_of
from agentinstruct.agents.needs import able
from agentinstruct.agents.records import Seed
from agentinstruct.agents.skill import skill_names
from agentinstruct.graphs.doors import Flow, Wiring
from agentinstruct.graphs.filters import narrowed, skills_for
from agentinstruct.graphs.stages import Node
from agentinstruct.graphs.state import Context
from agentinstruct.graphs.teacher_state import (
    Document,
    Job,
    Summary,
    Tally,
    TeacherContext,
    TeacherInput,
    TeacherOutput,
    TeacherState,
    told_of,
)
from agentinstruct.graphs.wiring import graph_of
from agentinstruct.seeds import Given, SeedOptions, Skipped, given_seeds

SUMMARISE = "summarise"


async def read(state: TeacherState, runtime: Runtime[TeacherContext]) -> TeacherState:
    """Cut the documents into seeds."""
    context = told_of(runtime)
    found = await asyncio.to_thread(_seeds, state["documents"], context)
    seeds = [one for one in found if isinstance(one, Seed)]
    left: Counter[str] = Counter(one.reason for one in found if isinstance(one, Skipped))
    left["beyond the most seeds"] = len(seeds[context.most_seeds :])
    nothing: Any = ()
    return {
        "seeds": {seed.id: seed for seed in seeds[: context.most_seeds]},
        "left_out": dict(+left),
        "waiting": [],
        "underway": [],
        "finished": [],
        "records": nothing,
        "dropped": nothing,
    }


def _seeds(documents: Sequence[Document], context: TeacherContext) -> list[Seed | Skipped]:
    options = SeedOptions(max_chars=context.seed_chars)
    texts = [
        Given(one.text, one.source or one.title or f"document {place}", one.title, one.format, one.licence)
        for place, one in enumerate(documents, 1)
    ]
    return list(given_seeds(texts, options))


async def route(state: TeacherState, runtime: Runtime[TeacherContext]) -> TeacherState:
    """Draw the skills of each seed."""
    return await asyncio.to_thread(_routed, state, told_of(runtime))


def _routed(state: TeacherState, context: TeacherContext) -> TeacherState:
    named = [name.strip() for name in context.skills.split(",") if name.strip()]
    skills, unable = able(skills_for(named, context), bool(named))
    weights = weights_of(context.mix or (ALL if named else RELEASED), skills)
    mix = Mix(skills, weights, context.skills_per_seed, context.seed)
    drawn = {seed.id: mix.take(seed, mix.suitable(seed)) for seed in state["seeds"].values()}
    lost = Counter({"no skill suits it": sum(not taken for taken in drawn.values())})
    return {
        "waiting": [Job(skill=skill.name, seed=seed) for seed, taken in drawn.items() for skill in taken],
        "left_out": {**state["left_out"], **+lost},
        "unable": unable,
    }


async def hand_out(state: TeacherState, runtime: Runtime[TeacherContext]) -> TeacherState:
    """Take the next work items."""
    waiting, count = state["waiting"], told_of(runtime).at_once
    return {"underway": waiting[:count], "waiting": waiting[count:]}


async def to_skills(state: TeacherState) -> Sequence[Send] | str:
    """Each work item to its skill's graph; on where there is none."""
    sent = [Send(job.skill, {"seed": state["seeds"][job.seed]}) for job in state["underway"]]
    return sent or SUMMARISE


async def summarise(state: TeacherState, runtime: Runtime[TeacherContext]) -> TeacherState:
    """Count what every skill has made so far."""
    finished = [*state["finished"], *state["underway"]]
    runtime.stream_writer({"node": SUMMARISE, "done": len(finished), "of": len(finished) + len(state["waiting"])})
    seeds = Counter(job.skill for job in finished)
    summary = Summary(
        seeds=len(state["seeds"]),
        left_out=state["left_out"],
        skills={name: _tally(state, name, count) for name, count in sorted(seeds.items())},
        unable=state["unable"],
    )
    return {"summary": summary, "finished": finished, "underway": []}


async def more_or_end(state: TeacherState) -> str:
    """Back for the next work items while there are any."""
    return "hand_out" if state["waiting"] else END


def _tally(state: TeacherState, skill: str, seeds: int) -> Tally:
    records = [record for record in state["records"] if record.skill == skill]
    dropped = Counter(f"{one.stage}: {one.reason}" for one in state["dropped"] if one.skill == skill)
    accepted = sum(record.accepted for record in records)
    return Tally(seeds=seeds, records=len(records), accepted=accepted, dropped=dict(dropped.most_common()))


@dataclass(frozen=True, slots=True)
class Lesson:
    """The node that runs a skill's graph on one seed."""

    graph: Flow

    def node(self, name: str) -> Node:
        """It, under the skill's name."""
        graph, skill = self.graph, self.graph.builder.skill
        assert skill

        async def run(state: Mapping[str, Any], runtime: Runtime[TeacherContext]) -> TeacherState:
            made = await graph.ainvoke(
                {"seed": state["seed"]},
                context=_own(narrowed(told_of(runtime), skill)),
                output_keys=["records", "dropped"],
            )
            return {"records": made["records"], "dropped": made["dropped"]}

        run.__name__ = name
        return run  # type: ignore[return-value]


def _own(context: Context) -> Context:
    """What a skill's graph is told of the settings."""
    return Context(**{name: getattr(context, name) for name in Context.__dataclass_fields__})


def build_teacher(names: Sequence[str]) -> Flow:
    """Wire the skills into one graph."""
    graphs = {name: graph_of(name) for name in names}
    flow = Wiring(
        TeacherState,
        context=TeacherContext,
        takes=TeacherInput,
        output=TeacherOutput,
        example='{"documents": [{"text": "…"}]}',
        within=list(graphs.values()),
    )
    for node in (read, route, hand_out, summarise):
        flow.add_node(node.__name__, node)
    for name, graph in graphs.items():
        flow.add_node(name, Lesson(graph).node(name))
        flow.add_edge(name, SUMMARISE)
    flow.add_edge(START, "read")
    flow.add_edge("read", "route")
    flow.add_edge("route", "hand_out")
    flow.add_conditional_edges("hand_out", to_skills, [*names, SUMMARISE])
    flow.add_conditional_edges(SUMMARISE, more_or_end, ["hand_out", END])
    return flow.compile(name="teacher")


teacher = build_teacher(skill_names())
