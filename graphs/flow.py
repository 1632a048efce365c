"""The flow that skills share: one seed in, its records out.

seed ─ plan ─ one transform ─ instruct ─ (suggest ─ edit) × rounds ─ answer ─ verify ─ records + dropped
                         [sample]                                     [⇄ tools]  [review]

plan        draws transform and categories, from the run's seed and the seed's text alone
transform   one node per shape of passage, so that it shows which one ran; it may decline
sample      where a form asks for it: what the program decides of an item before its writer is asked
suggest     ways to refine each newest draft, for each goal
edit        applies them: refinement adds drafts, the originals stay
answer      the teacher, who sees only what the user would; it may call tools where a category gives it some
verify      exact checks, then the panel; what passes is a record
review      where it is asked for: a person accepts, edits or rejects each record
"""

from typing import Any

from langgraph.graph import END, START

from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.answering import Answering, tool_node, tools_or_verify
from agentinstruct.graphs.crew import Crew
from agentinstruct.graphs.doors import Flow, Wiring
from agentinstruct.graphs.refine import Refinement
from agentinstruct.graphs.review import wire_review
from agentinstruct.graphs.stages import Node, Stages
from agentinstruct.graphs.state import FlowState
from agentinstruct.graphs.verify import Verification


async def chosen_transform(state: FlowState) -> str:
    """The transform that was drawn."""
    return state["plan"].transform


async def refine_or_answer(state: FlowState) -> str:
    """Refine while rounds are left; end when there is nothing to refine or answer."""
    if not state["drafts"]:
        return END
    return "suggest" if state["plan"].rounds > 0 and state["plan"].goals else "answer"


def build_flow(
    skill: Skill, *, gather: Node | None = None, refinement: Refinement | None = None, tools: Any = None
) -> Flow:
    """Wire a skill's agents into the shared flow.

    Args:
        skill: The skill.
        gather: A node between the transform and what follows it, for a skill that collects more than the seed holds.
        refinement: The skill's own suggest and edit nodes.
        tools: The skill's own tool node.
    """
    crew = Crew(skill)
    stages, refinement = Stages(crew), refinement or Refinement(crew)
    first = "sample" if skill.samples else "instruct"
    flow = Wiring(FlowState, skill)
    wire_transforms(flow, stages, then=gather.__name__ if gather else first)
    if gather:
        flow.add_node(gather.__name__, gather)
        flow.add_edge(gather.__name__, first)
    if skill.samples:
        flow.add_node("sample", stages.sample)
        flow.add_edge("sample", "instruct")
    flow.add_node("instruct", stages.instruct)
    flow.add_node("suggest", refinement.suggest)
    flow.add_node("edit", refinement.edit)
    flow.add_node("answer", Answering(crew).answer)
    flow.add_node("verify", Verification(crew).verify)
    flow.add_conditional_edges("instruct", refine_or_answer, ["suggest", "answer", END])
    flow.add_edge("suggest", "edit")
    flow.add_conditional_edges("edit", refine_or_answer, ["suggest", "answer"])
    answered(flow, skill, tools)
    wire_review(flow, crew)
    return flow.compile(name=skill.name)


def wire_transforms(flow: Wiring, stages: Stages, *, then: str) -> None:
    """Add the stages that every skill begins with: the plan, and the one transform that it drew."""
    transforms = list(stages.crew.skill.file.transforms)
    flow.add_node("plan", stages.plan)
    flow.add_edge(START, "plan")
    flow.add_conditional_edges("plan", chosen_transform, transforms)
    for name in transforms:
        flow.add_node(name, stages.transform(name))
        flow.add_edge(name, then)


def answered(flow: Wiring, skill: Skill, tools: Any) -> None:
    """Lead from `answer` to `verify`, by way of the tools where the skill's teachers have any."""
    if not skill.tools:
        flow.add_edge("answer", "verify")
        return
    flow.add_node("tools", tools or tool_node(skill))
    flow.add_conditional_edges("answer", tools_or_verify, ["tools", "verify"])
    flow.add_edge("tools", "answer")
