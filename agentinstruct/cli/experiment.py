"""`agentinstruct experiment`: what each part of the flow brings, at the same number of calls."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentinstruct.cli import options as o
from agentinstruct.cli.errors import told, writing
from agentinstruct.cli.report import embeddings_of
from agentinstruct.cli.run import choice, resume_command, run_config, start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentinstruct.experiment.figures import Result
    from agentinstruct.run.plan import RunConfig


@o.with_options_of(run_config)
def experiment(
    vary: Annotated[
        str, typer.Option(help="ablation: transform, taxonomy, refinement · depth: rounds · seeds.")
    ] = "ablation",
    calls: Annotated[int, typer.Option(min=1, help="Model calls of each arm in each repeat.")] = 2000,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="Runs of each arm, with other random choices.")] = 3,
    plain: Annotated[
        str, typer.Option(help="Categories that stand for no taxonomy; else the first of each skill.")
    ] = "",
    prompts: Annotated[list[str] | None, typer.Option(help="With --vary seeds: files of curated prompts.")] = None,
    **options: Any,
) -> None:
    """Compare runs that differ in one thing at the same number of calls: a table, a page with plots, and JSON."""
    with told():
        from agentinstruct.agents.errors import SetupError
        from agentinstruct.experiment.arms import VARIED, arms_of

        vary = choice("--vary", vary, *VARIED)
        if options["max_calls"]:
            raise SetupError("--max-calls: here it is --calls, of each arm.")
        if options["cache"]:
            raise SetupError("--cache: the arms share what they ask alike, each repeat by itself. Leave it out.")
        out = options["out"] or Path("runs") / f"experiment-{vary}"
        config = replace(run_config(**options), out=out)
        arms = arms_of(vary, config, plain, prompts or ())  # type: ignore[arg-type]
    with told("What is done is kept.", resume_command(out, options["out"] is not None)):
        from agentinstruct.experiment.conduct import conduct, results

        if not conduct(arms, calls, repeats, start, typer.echo):
            raise typer.Exit(130)
        embedded = embeddings_of(config.embeddings)[1]
        _tell(config, vary, calls, repeats, results(arms, repeats, embedded))


def _tell(config: "RunConfig", vary: str, calls: int, repeats: int, found: "Sequence[Result]") -> None:
    from agentinstruct.dataset.writing import replacing
    from agentinstruct.experiment.conduct import doubts, write_json
    from agentinstruct.experiment.page import lead_of, page

    _show(found)
    short = doubts(found, calls * repeats)
    for words in short:
        typer.echo(words, err=True)
    title = {"ablation": "What each step brings", "depth": "What refinement brings", "seeds": "Documents and prompts"}
    settings = {"vary": vary, "calls": calls, "repeats": repeats, "models": config.models()}
    path = config.out / "experiment.html"
    with writing(config.out, "--out"):
        write_json(config.out / "experiment.json", settings, found)
        with replacing(path) as temporary:
            temporary.write_text(page(title[vary], lead_of(calls, repeats), found, short), encoding="utf-8")
    typer.echo(f"{path}, and experiment.json beside it")


def _show(found: "Sequence[Result]") -> None:
    from rich.console import Console
    from rich.table import Table

    from agentinstruct.experiment.page import TITLES, between, said

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for one in found:
        table.add_column(one.name, justify="right")
    table.add_row("calls", *(f"{one.bought:,}" for one in found))
    table.add_row("of finished work", *(f"{one.calls:,}" for one in found))
    table.add_row("accepted records", *(f"{one.records:,}" for one in found))
    for name, title in TITLES.items():
        if any(one.figures[name].value is not None for one in found):
            figures = [one.figures[name] for one in found]
            table.add_row(title, *(f"{said(name, one)}\n[dim]{between(name, one)}[/]" for one in figures))
    Console().print(table)
    typer.echo("Below each figure its 95 % interval.")
