"""Web agent: visits to a simulated site, every action of which is carried out, and whose goal is then a fact.

    seed ─ plan ─ one transform ─ instruct ─ answer ─ verify
                                     answer ─ suggest ─ edit ─ answer

transform   declares a site, page by page; our code builds and runs it
instruct    tasks, with what they mean on the site: the program finds the plan and works out the answer
answer      the visit: assistant and browser take turns, and the user where something has to be asked
"""

from agentinstruct.agents.skill import Skill
from agentinstruct.graphs.crew import Crew
from agentinstruct.graphs.doors import Flow, Wiring
from agentinstruct.graphs.episodes import EpisodeState, wire_episodes
from agentinstruct.graphs.flow import wire_transforms
from agentinstruct.graphs.visiting import SiteRefinement, SiteTasks, Visits, VisitVerification


def build_web_agent(skill: Skill) -> Flow:
    """Wire the web agents."""
    crew = Crew(skill)
    tasks = SiteTasks(crew)
    flow = Wiring(EpisodeState, skill)
    wire_transforms(flow, tasks, then="instruct")
    wire_episodes(flow, tasks, Visits(crew), SiteRefinement(crew), VisitVerification(crew), EpisodeState)
    return flow.compile(name=skill.name)
