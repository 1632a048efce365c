"""The names in a skill's files, held together, so that a slip is found before the first call."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from agentinstruct.agents.checks import CHECKS
from agentinstruct.agents.errors import SkillError
from agentinstruct.agents.files import nearest
from agentinstruct.agents.forms import FORMS
from agentinstruct.agents.shapes import SHAPES

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Skill


def agree(skill: "Skill", known: Sequence[str]) -> None:
    """Hold the lists of a skill together, and with the names of the skills there are.

    Raises:
        SkillError: a name is none; says where, and the nearest one.
    """
    where, transforms = skill.name, list(skill.file.transforms)
    if skill.file.grows and (lost := [t for t in transforms if t.removeprefix("from_") not in known]):
        raise SkillError(f"{where}/skill.yaml: transforms: {lost[0]!r}: there is no such skill to grow from.")
    for transform in transforms if not skill.file.grows else ():
        if transform != "identity" and f"transform/{transform}" not in skill.prompts:
            raise SkillError(f"{where}: transform {transform!r} has no {where}/transform/{transform}.md.")
    for category in skill.categories.values():
        if category.form not in FORMS:
            raise SkillError(
                f"{where}/taxonomy.yaml: {category.name}.form: {category.form!r}?{nearest(category.form, list(FORMS))}"
            )
        for form in FORMS[category.form].becomes or (category.form,):
            if form not in skill.layouts:
                raise SkillError(f"{where}/skill.yaml: layouts has none for form {form!r} of {category.name}.")
        for transform in set(category.suits) - {"any", *transforms}:
            raise SkillError(
                f"{where}/taxonomy.yaml: {category.name}.suits: {transform!r}?{nearest(transform, transforms)}"
            )
    _agree_on_names(skill, where)


def _agree_on_names(skill: "Skill", where: str) -> None:
    for place, names, known in _named(skill):
        for name in sorted(set(names) - set(known)):
            raise SkillError(f"{where}/{place}: {name!r}?{nearest(name, list(known))}")


def _named(skill: "Skill") -> Iterator[tuple[str, Iterable[str], Iterable[str]]]:
    """Where a skill names checks, shapes and forms, which it names there, and which there are."""
    file = skill.file
    yield "skill.yaml: checks", file.checks, CHECKS
    yield "skill.yaml: shapes", file.shapes, file.transforms
    for transform, shape in file.shapes.items():
        yield f"skill.yaml: shapes.{transform}", [shape], SHAPES
    for category in skill.categories.values():
        yield f"taxonomy.yaml: {category.name}.checks", category.checks, CHECKS
    for goal in skill.goals.values():
        yield f"skill.yaml: goals.{goal.name}.forms", goal.forms, FORMS
        yield f"skill.yaml: goals.{goal.name}.form", [goal.form] if goal.form else [], FORMS
        yield f"skill.yaml: goals.{goal.name}.checks", goal.checks, CHECKS
