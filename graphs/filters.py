"""Filters over several skills: one list of categories, transforms or goals, of which each skill takes its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from agentinstruct.agents.errors import SkillError
from agentinstruct.agents.files import nearest
from agentinstruct.agents.skill import Skill, load_skill, skill_names
from agentinstruct.graphs.state import NONE, Context

Settings = TypeVar("Settings", bound=Context)


def skills_for(names: Iterable[str], context: Context, mark: str = "") -> list[Skill]:
    """The skills named, or all there are, that have something of what the filters ask for.

    Raises:
        SkillError: a skill or a filter's name does not exist; says the nearest. `mark` is what options begin with.
    """
    known, wanted = skill_names(), list(names)
    for name in wanted:
        if name not in known:
            raise SkillError(f"no skill {name!r}.{nearest(name, known)}")
    skills = [load_skill(name) for name in wanted or known]
    categories = _named(context.categories, [set(skill.categories) for skill in skills], f"{mark}categories")
    _named(context.transforms, [set(skill.file.transforms) for skill in skills], f"{mark}transforms")
    _named(context.goals, [set(skill.goals) for skill in skills], f"{mark}goals")
    return [skill for skill in skills if not categories or categories & set(skill.categories)]


def narrowed(context: Settings, skill: Skill) -> Settings:
    """The settings with the filters reduced to what this skill has; a goal filter it does not meet is none."""
    return replace(
        context,
        categories=_of(context.categories, skill.categories),
        transforms=_of(context.transforms, skill.file.transforms),
        goals=_of(context.goals, skill.goals) or (NONE if context.goals else ""),
    )


def _named(listed: str, theirs: Sequence[set[str]], what: str) -> set[str]:
    """The names of a filter, each of which some skill must have."""
    known = set().union(*theirs)
    names = {name.strip() for name in listed.split(",") if name.strip()} - {NONE}
    for name in sorted(names - known):
        raise SkillError(f"{what} {name}: no skill of this run has it.{nearest(name, sorted(known))}")
    return names


def _of(listed: str, mine: Iterable[str]) -> str:
    own = set(mine)
    return ",".join(name for name in (part.strip() for part in listed.split(",")) if name in own)
