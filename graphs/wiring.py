"""Which graph a skill has: the shared flow, or wiring of its own in a file beside this one; built when asked for."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from agentinstruct.agents.skill import Skill, load_skill
from agentinstruct.graphs.conversation import FROM, build_conversation
from agentinstruct.graphs.doors import Flow
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.rag import build_rag
from agentinstruct.graphs.tool_use import build_tool_use
from agentinstruct.graphs.web_agent import build_web_agent

WIRED: Mapping[str, Callable[[Skill], Flow]] = MappingProxyType(
    {"rag": build_rag, "tool_use": build_tool_use, "web_agent": build_web_agent}
)
"""The skills whose wiring differs from the shared flow's."""


@lru_cache(maxsize=64)
def graph_of(name: str) -> Flow:
    """The compiled graph of a skill; one that grows other skills' items holds their graphs.

    Raises:
        SkillError, PromptError: something in the skill's folder is wrong; says what.
    """
    skill = load_skill(name)
    if skill.file.grows:
        return build_conversation(skill, [graph_of(one.removeprefix(FROM)) for one in skill.file.transforms])
    return WIRED.get(name, build_flow)(skill)
