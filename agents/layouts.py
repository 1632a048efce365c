"""How users put their turns: the layouts of a form, and what they say of the format that the reply must have.

    layouts:  {form: [template of passage, question, options, demand, …]}
    demands:  {format: [template of what the form shows, …]}

The program draws the format before an item is written (`Item.output`); a demand puts it into a user's words.
"""

from collections.abc import Iterable, Mapping
from random import Random
from typing import TYPE_CHECKING

from agentinstruct.agents.errors import SkillError
from agentinstruct.agents.files import nearest
from agentinstruct.agents.forms import FORMS, read_form
from agentinstruct.agents.prompt import Filling, compile_template
from agentinstruct.agents.records import Draft

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Skill

LAYOUT_VARIABLES = frozenset({"passage", "question", "options"})
Texts = Mapping[str, tuple[str, ...]]


def read_layouts(layouts: Texts, name: str) -> dict[str, list[Filling]]:
    """The layouts of each form, compiled; the error names the file and the key."""
    found: dict[str, list[Filling]] = {}
    for form, texts in layouts.items():
        where = f"{name}/skill.yaml: layouts.{form}"
        if form not in FORMS:
            raise SkillError(f"{where}: no such form.{nearest(form, list(FORMS))}")
        needed = {"question", *(["demand"] if FORMS[form].outputs else [])}
        allowed = LAYOUT_VARIABLES | needed
        compiled = [compile_template(text, where, allowed, error=SkillError) for text in texts]
        for word in sorted(needed):
            if not texts or any(word not in used for _, used in compiled):
                raise SkillError(f"{where}: every layout must show {{{{ {word} }}}}, and there must be at least one.")
        found[form] = [template for template, _ in compiled]
    return found


def read_demands(demands: Texts, forms: Iterable[str], name: str) -> dict[str, list[Filling]]:
    """The demands for each format that the skill's forms can ask for, compiled."""
    used = [FORMS[form] for form in dict.fromkeys(forms) if form in FORMS]
    known = list(dict.fromkeys(output for form in used for output in form.outputs))
    for output in known:
        if not demands.get(output):
            raise SkillError(f"{name}/skill.yaml: demands has none for the format {output!r}.")
    for output in demands:
        if output not in known:
            raise SkillError(f"{name}/skill.yaml: demands: {output!r}?{nearest(output, known)}")
    shown = frozenset().union(*(form.shows for form in used))
    return {
        output: [
            compile_template(text, f"{name}/skill.yaml: demands.{output}", shown, error=SkillError)[0] for text in texts
        ]
        for output, texts in demands.items()
    }


def request_of(skill: "Skill", draft: Draft, draw: Random) -> str:
    """What the user of a draft's item writes, in a layout and with a demand drawn for it."""
    item = draft.item
    layout = draw.choice(list(skill.layouts[item.form]))
    shown = {"passage": draft.passage, "question": item.question, "options": item.options}
    if item.output:
        demand = draw.choice(list(skill.demands[item.output]))
        shown["demand"] = demand.fill(read_form(item).shown())
    return layout.fill(shown)
