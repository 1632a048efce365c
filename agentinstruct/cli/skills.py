"""`agentinstruct skills`: what can be made."""

from typing import TYPE_CHECKING, Annotated

import typer

from agentinstruct.cli.errors import told

_COSTS = {
    "exact": "exact checks, computed at once",
    "run": "checks that run a sandbox or a solver",
    "model": "checks that ask a model",
}

if TYPE_CHECKING:
    from agentinstruct.agents.checks import Check
    from agentinstruct.agents.skill import Skill


def skills(
    name: Annotated[str, typer.Argument(help="One skill, to see its whole taxonomy.")] = "",
) -> None:
    """List the skills, or one skill's transforms, categories, goals and checks."""
    with told():
        from agentinstruct.agents.skill import load_skill, skill_names

        if name:
            _one(load_skill(name))
        else:
            _all([load_skill(each) for each in skill_names()])


def _all(found: list["Skill"]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for skill in found:
        file, takes = skill.file, " and ".join(skill.file.modalities)
        counts = f"{len(file.transforms)} transforms, {len(skill.categories)} categories, {len(skill.goals)} goals"
        console.print(f"[bold]{skill.name}[/]  from {takes}: {counts}  [dim](split {file.split})[/]", soft_wrap=True)
        console.print(f"  {file.description}", style="dim")
        checks = "; ".join(
            f"{cost} {', '.join(check.name for check in names)}" for cost, names in _checks(skill).items()
        )
        console.print(f"  checks: {checks}\n", style="dim")


def _checks(skill: "Skill") -> dict[str, list["Check"]]:
    """The checks of a skill and of its categories, by what they cost."""
    from agentinstruct.agents.checks import COSTS, policy

    names = dict.fromkeys(name for category in skill.categories for name in skill.checks_of(category))
    found = [check for stage in ("item", "response") for check in policy(tuple(names), stage)]
    by_cost = {cost: [check for check in found if check.cost == cost] for cost in COSTS}
    return {cost: checks for cost, checks in by_cost.items() if checks}


def _one(skill: "Skill") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"[bold]{skill.file.title}[/]  {skill.file.description}")
    for cost, names in _checks(skill).items():
        console.print(f"[bold]{_COSTS[cost]}[/]")
        for check in names:
            console.print(f"  {check.name}: {check.proves}", style="dim")
    console.print()
    for title, rows in (
        ("transform", [(key, "", brief) for key, brief in skill.file.transforms.items()]),
        ("goal", [(key, goal.changes, goal.brief) for key, goal in skill.goals.items()]),
        ("category", [(key, category.form, category.brief) for key, category in skill.categories.items()]),
    ):
        table = Table(title, "", "brief", box=None, padding=(0, 2))
        for row in rows:
            table.add_row(row[0], row[1], " ".join(row[2].split()))
        console.print(table, "")
