"""Tool use: dialogues whose calls are executed by a simulator that is written with the API list.

    seed ─ plan ─ describe | adopt ─ retrieve | hypothesise ─ simulate ─ instruct ─ answer ─ verify
                                                                            answer ─ suggest ─ edit ─ answer

describe      source code as API documentation;  adopt: a document's own API
retrieve      grows the list by the run's other code seeds that are most alike
hypothesise   grows it by what else such a library would hold
simulate      the data a small library keeps and what each function does to it: declared, then executed
answer        the dialogue: assistant, simulator and user take turns
suggest       sees the task and the dialogue it led to, so refinement comes after the first answer
"""

from langgraph.graph import END, START

from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.crew import Crew
from agentinstruct.graphs.dialogue import Dialogues, DialogueVerification, Tasks, ToolRefinement
from agentinstruct.graphs.doors import Flow, Wiring
from agentinstruct.graphs.episodes import wire_episodes
from agentinstruct.graphs.library import Library, ToolState


async def chosen_transform(state: ToolState) -> str:
    """Describe or adopt."""
    return state["plan"].transform


async def chosen_growth(state: ToolState) -> str:
    """How the list grows; a seed that gave none ends here."""
    return state["growth"] if state["apis"] else END


async def enough_or_hypothesise(state: ToolState) -> str:
    """After retrieval: hypothesise more when what was found is too little."""
    return "simulate" if len(state["apis"]) >= 4 else "hypothesise"


async def simulate_or_end(state: ToolState) -> str:
    """Go on while there is a list."""
    return "simulate" if state["apis"] else END


async def instruct_or_end(state: ToolState) -> str:
    """Go on when the library can be executed."""
    return "instruct" if state["apis"] else END


def build_tool_use(skill: Skill) -> Flow:
    """Wire the tool-use agents."""
    crew = Crew(skill)
    library = Library(crew)
    flow = Wiring(ToolState, skill)
    for node in (library.plan, library.describe, library.adopt, library.retrieve, library.hypothesise):
        flow.add_node(node.__name__, node)
    flow.add_node("simulate", library.simulate)
    wire_episodes(flow, Tasks(crew), Dialogues(crew), ToolRefinement(crew), DialogueVerification(crew), ToolState)
    flow.add_edge(START, "plan")
    flow.add_conditional_edges("plan", chosen_transform, ["describe", "adopt"])
    for name in ("describe", "adopt"):
        flow.add_conditional_edges(name, chosen_growth, ["retrieve", "hypothesise", END])
    flow.add_conditional_edges("retrieve", enough_or_hypothesise, ["simulate", "hypothesise"])
    flow.add_conditional_edges("hypothesise", simulate_or_end, ["simulate", END])
    flow.add_conditional_edges("simulate", instruct_or_end, ["instruct", END])
    return flow.compile(name=skill.name)
