"""`agentinstruct preview`: one seed through one skill, every step side by side; writes nothing."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentinstruct.cli import options as o
from agentinstruct.cli.errors import told

if TYPE_CHECKING:
    from agentinstruct.agents.records import Draft, Seed
    from agentinstruct.agents.skill import Skill


def preview(
    paths: Annotated[list[str], typer.Argument(help="Files or folders; the first suitable seed is used.")],
    skill: Annotated[str, typer.Option("--skill", "-s", help="The skill to try.")] = "reading_comprehension",
    model: o.Models = None,
    base_url: o.BaseUrls = None,
    verify: o.Verify = "annotate",
    nth: Annotated[int, typer.Option(min=1, help="Which suitable seed to take.")] = 1,
    categories: o.Categories = "",
    transforms: o.Transforms = "",
    goals: o.Goals = "",
    rounds: o.Rounds = -1,
    categories_per_seed: o.PerSeed = 1,
    per_category: o.PerCategory = 1,
    solvers: o.Solvers = 3,
    seed: o.RunSeed = 0,
    column: o.Column = "",
    timeout: o.Timeout = 300,
) -> None:
    """Show what each agent makes of one seed: passage, instruction, suggestion, edit, answer, verdicts."""
    with told():
        from agentinstruct.agents.skill import load_skill
        from agentinstruct.cli.run import choice

        chosen = load_skill(skill)
        context = o.make_context(
            model,
            verify=choice("--verify", verify, "strict", "annotate", "off"),
            categories=categories,
            transforms=transforms,
            goals=goals,
            rounds=rounds,
            categories_per_seed=categories_per_seed,
            instructions_per_category=per_category,
            solvers=solvers,
            seed=seed,
        )
        endpoints = o.make_endpoints(base_url, timeout, context.models().values())
        found = _seed(chosen, paths, column, nth)
        state = asyncio.run(_flow(chosen, found, context, endpoints))
        _show(found, state)


def _seed(skill: "Skill", paths: list[str], column: str, nth: int) -> "Seed":
    from agentinstruct.agents.errors import SeedError
    from agentinstruct.agents.records import Seed
    from agentinstruct.agents.routing import suits
    from agentinstruct.seeds import SeedOptions, read_seeds

    left = nth
    for found in read_seeds(paths, SeedOptions(column=column)):
        if isinstance(found, Seed) and suits(skill, found):
            left -= 1
            if not left:
                return found
    kinds = " or ".join(skill.file.modalities)
    raise SeedError(f"{', '.join(paths)}: {nth - left} seeds suit {skill.name}, which takes {kinds}.")


async def _flow(skill: "Skill", seed: "Seed", context: Any, endpoints: Any) -> dict[str, Any]:
    from agentinstruct.agents.gateway import Gateway, using
    from agentinstruct.run.runner import load_graphs

    graph = load_graphs([skill])[skill.name]
    async with using(Gateway(endpoints.open)):
        state: dict[str, Any] = await graph.ainvoke({"seed": seed}, context=context)
    return state


def _show(seed: "Seed", state: dict[str, Any]) -> None:
    from rich.columns import Columns
    from rich.console import Console

    console = Console()
    passage = state["passage"]
    sides = [_panel(f"seed  {seed.source}", seed.text)]
    sides += [_panel(f"passage  ({passage.transform})", passage.text)] if passage.transform else []
    console.print(Columns(sides, equal=True, expand=True))
    parents = {draft.id: draft for draft in state["drafts"]}
    for draft in state["drafts"]:
        console.rule(f"{draft.category}" + (f"  refined: {draft.goal}" if draft.goal else ""))
        console.print(Columns(list(_steps(draft, parents.get(draft.parent))), equal=True, expand=True))
        console.print(_verdicts(draft))
    for one in state.get("dropped", []):
        console.print(f"[red]dropped[/] at {one.stage}: [bold]{one.reason}[/] {one.category}", end="  ")
        console.print(one.detail, style="dim", markup=False)
    console.print(f"\n{len(state.get('records', []))} records, {len(state.get('dropped', []))} dropped")


def _steps(draft: "Draft", parent: "Draft | None") -> Any:
    if parent:
        yield _panel("instruction before", parent.item.view)
        yield _panel("suggestion", draft.suggestion)
        if parent.passage != draft.passage:
            yield _panel("passage, edited", draft.passage)
    yield _panel("edited" if parent else "instruction", draft.item.view)
    for message in draft.messages[1:]:
        title = "answer" if message.role == "assistant" else message.role
        yield _panel(title, message.content or _calls(message.tool_calls))


def _calls(tool_calls: Any) -> str:
    return "\n".join(f"{call['function']['name']}({call['function']['arguments']})" for call in tool_calls)


def _panel(title: str, body: str) -> Any:
    from rich.panel import Panel
    from rich.text import Text

    return Panel(Text(body.strip()), title=title, title_align="left", border_style="dim")


def _verdicts(draft: "Draft") -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "check", "by", "evidence", box=None, padding=(0, 1))
    for verdict in draft.verdicts:
        mark = Text("✓", "green") if verdict.passed else Text("✗", "red")
        table.add_row(mark, verdict.check, verdict.kind, Text(verdict.evidence))
    return table
