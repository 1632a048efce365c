"""`agentinstruct skills`: what can be made."""

from typing import TYPE_CHECKING, Annotated

import typer

from agentinstruct.cli.errors import told

if TYPE_CHECKING:
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
        console.print(f"  {file.description}\n", style="dim")


def _one(skill: "Skill") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"[bold]{skill.file.title}[/]  {skill.file.description}")
    console.print(f"checks: {', '.join(skill.file.checks)}\n")
    for title, rows in (
        ("transform", [(key, "", brief) for key, brief in skill.file.transforms.items()]),
        ("goal", [(key, goal.changes, goal.brief) for key, goal in skill.goals.items()]),
        ("category", [(key, category.form, category.brief) for key, category in skill.categories.items()]),
    ):
        table = Table(title, "", "brief", box=None, padding=(0, 2))
        for row in rows:
            table.add_row(row[0], row[1], " ".join(row[2].split()))
        console.print(table, "")
