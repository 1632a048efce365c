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
        SkillError: a skill or a filter's name does not exist; says the nearest. Or the filters leave no skill anything.
            `mark` is what options begin with.
    """
    known, wanted = skill_names(), list(names)
    for name in wanted:
        if name not in known:
            raise SkillError(f"no skill {name!r}.{nearest(name, known)}")
    skills = [load_skill(name) for name in wanted or known]
    _check(context.categories, [skill.categories for skill in skills], f"{mark}categories")
    _check(context.without, [skill.categories for skill in skills], f"{mark}without")
    _check(context.transforms, [skill.file.transforms for skill in skills], f"{mark}transforms")
    _check(context.goals, [skill.goals for skill in skills], f"{mark}goals")
    left = [skill for skill in skills if _leaves(context, skill)]
    if not left:
        raise SkillError(f"{mark}categories, {mark}without and {mark}transforms leave no skill of this run anything.")
    return left


def narrowed(context: Settings, skill: Skill) -> Settings:
    """The settings with the filters reduced to what this skill has; a goal filter it does not meet is none."""
    return replace(
        context,
        categories=_of(context.categories, skill.categories),
        without=_own(context.without, skill.categories),
        transforms=_of(context.transforms, skill.file.transforms),
        goals=_of(context.goals, skill.goals) or (NONE if context.goals else ""),
    )


def _check(listed: str, theirs: Sequence[Iterable[str]], what: str) -> None:
    """Each name of a filter some skill must have."""
    known = set[str]().union(*theirs)
    for name in sorted({*_names(listed)} - known - {NONE}):
        raise SkillError(f"{what} {name}: no skill of this run has it.{nearest(name, sorted(known))}")


def _leaves(context: Context, skill: Skill) -> bool:
    """Whether a skill has something of what is asked for."""
    categories = set(skill.categories).intersection(_names(context.categories) or skill.categories)
    transforms = set(skill.file.transforms).intersection(_names(context.transforms) or skill.file.transforms)
    return bool(categories.difference(_names(context.without)) and transforms)


def _of(listed: str, mine: Iterable[str]) -> str:
    return NONE if listed.strip() == NONE else _own(listed, mine)


def _own(listed: str, mine: Iterable[str]) -> str:
    known = set(mine)
    return ",".join(name for name in _names(listed) if name in known)


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]
