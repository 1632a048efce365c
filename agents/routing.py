"""Which skills suit a seed: by cheap features of its text first, by an agent's opinion when asked.

features(seed) → {"numbers": 12, "names": 7, …}      skill.yaml: holds: {numbers: 3}   what prose must hold at least
                                                                  prefers: [numbers]    what makes a seed the better
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from types import MappingProxyType

from pydantic import Field

from agentinstruct.agents.agent import Agent
from agentinstruct.agents.prompt import load_prompt
from agentinstruct.agents.records import Frozen, Seed
from agentinstruct.agents.skill import Feature, Skill, prompts_folder

Features = Mapping[Feature, int]
_COUNTED: Mapping[Feature, re.Pattern[str]] = MappingProxyType(
    {
        "words": re.compile(r"\w+"),
        "sentences": re.compile(r"[.!?](?=\s|$)"),
        "numbers": re.compile(r"\b\d(?:[\d.,]*\d)?"),
        "names": re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}"),
        "rows": re.compile(
            r"^[ \t]*(?:\|.*\||[^\n,;\t]{1,32}(?:[,;\t][^\n,;\t]{1,32}){2,})(?<![.!?])[ \t]*$", re.MULTILINE
        ),
        "steps": re.compile(r"^[ \t]*(?:\d+[.)]|[-*•]) +\S", re.MULTILINE),
        "speech": re.compile(r"[\"“][^\"”\n]{3,}[\"”]"),
        "reasons": re.compile(
            r"\b(?:because|therefore|thus|hence|since|although|however|so that|unless|should|must|if)\b", re.IGNORECASE
        ),
        "telling": re.compile(r"\b(?:was|were|had|did|said|went|came|saw|took|told|then|when|after)\b", re.IGNORECASE),
        "signatures": re.compile(r"\b\w[\w.]*\([^()\n]{0,120}\)|\b(?:GET|POST|PUT|PATCH|DELETE) /\S+"),
        "markup": re.compile(r"</?\w+[^<>\n]*>"),
    }
)
_MANY: Mapping[Feature, int] = MappingProxyType(
    {"numbers": 8, "names": 8, "rows": 4, "steps": 4, "speech": 4, "reasons": 8, "telling": 15, "signatures": 6}
)
"""Of how many on a seed has plenty of a feature; of the others, one is plenty."""


@lru_cache(maxsize=256)
def features(text: str) -> Features:
    """How much of each feature a text has: occurrences, of numbers and names different ones."""
    distinct = ("numbers", "names")
    counts: dict[Feature, int] = {}
    for name, pattern in _COUNTED.items():
        found = pattern.findall(text)
        counts[name] = len(set(found)) if name in distinct else len(found)
    return MappingProxyType(counts)


def suits(skill: Skill, seed: Seed, of: Callable[[str], Features] = features) -> bool:
    """Whether a skill takes a seed: by modality, and by what its prose must hold."""
    if seed.modality not in skill.file.modalities:
        return False
    if seed.modality == "code" or not skill.file.holds:
        return True
    found = of(seed.text)
    return all(found[name] >= least for name, least in skill.file.holds.items())


def lacking(skills: Sequence[Skill], seed: Seed, of: Callable[[str], Features] = features) -> str:
    """Why none of the skills takes a seed, in words."""
    takers = [skill for skill in skills if seed.modality in skill.file.modalities]
    if not takers:
        taken = sorted({modality for skill in skills for modality in skill.file.modalities})
        return f"it is {seed.modality}, and they take {' or '.join(taken)}"
    found = of(seed.text)
    few = [
        f"{skill.name} needs {least} {name} and it has {found[name]}"
        for skill in takers
        for name, least in skill.file.holds.items()
        if found[name] < least
    ]
    return "; ".join(few[:3])


def affinity(skill: Skill, seed: Seed, of: Callable[[str], Features] = features) -> float:
    """How well a seed suits a skill that takes it, from 1 (as any) to 3 (plenty of all that it prefers)."""
    if not skill.file.prefers:
        return 1.0
    found = of(seed.text)
    shares = [min(1.0, found[name] / _MANY.get(name, 1)) for name in skill.file.prefers]
    return 1.0 + 2.0 * sum(shares) / len(shares)


class Routed(Frozen):
    """The reply of the agent that routes a seed."""

    why: str = Field(description="What kind of text it is and what it holds, in one sentence.")
    skills: tuple[str, ...] = Field(description="The names of the skills that it suits, best first.")


async def routed(seed: Seed, skills: Sequence[Skill], model: str) -> list[Skill]:
    """The skills, of those that take a seed by its features, that an agent finds it suits.

    Raises:
        ReplyError: the agent gave no usable reply.
    """
    if len(skills) < 2:
        return list(skills)
    shared = prompts_folder() / "shared"
    prompts = {name: load_prompt(shared / f"{name}.md", f"shared/{name}.md") for name in ("route", "repair")}
    agent = Agent("route", prompts["route"], Routed, prompts["repair"])
    offered = [{"name": skill.name, "description": skill.file.description} for skill in skills]
    reply, _ = await agent(model, Random(seed.id), seed=seed, skills=offered)
    chosen = set(reply.skills)
    return [skill for skill in skills if skill.name in chosen]
