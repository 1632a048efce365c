"""`agentinstruct bench`: build a held-out set, and score any model on it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentinstruct.cli import options as o
from agentinstruct.cli.errors import told

if TYPE_CHECKING:
    from agentinstruct.bench.score import Scored

_PARTIAL = 1.0
"""From how many points on a liking for the first place is told."""
bench = typer.Typer(
    help="Orca-Bench: a held-out set of each skill, and how any model does on it.", no_args_is_help=True
)


@bench.command()
def build(
    dataset: Annotated[Path, typer.Argument(help="A dataset with a test part: `export --split train=0.9,test=0.1`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to.")] = Path("bench"),
    per_skill: Annotated[int, typer.Option(min=1, help="Items of each set, at most.")] = 100,
) -> None:
    """Take items of each skill from a dataset's test part, whose seeds no training record used."""
    with told():
        from agentinstruct.bench.items import build as make

        done = make(dataset, out, per_skill)
    for name, count in sorted(done.items.items()):
        short = f"   {per_skill - count} short: a larger run or test part has more"
        typer.echo(f"{count:6}  {name}{short if count < per_skill else ''}")
    typer.echo(f"{done.items.total():6}  items in {out}")


@bench.command()
def score(
    folder: Annotated[Path, typer.Argument(metavar="BENCH", help="What `bench build` made.")],
    model: Annotated[str, typer.Option("--model", "-m", help="The model to score: local · openai:NAME · …")],
    judge: Annotated[str, typer.Option("--judge", help="The model that rates: a strong one, not the one scored.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to; the same folder resumes.")] = None,
    base_url: o.BaseUrls = None,
    limit: Annotated[int, typer.Option(min=0, help="Items of each set, for a first look; 0: all.")] = 0,
    max_tokens: Annotated[int, typer.Option(min=16, help="Longest answer.")] = 2048,
    max_concurrency: Annotated[int, typer.Option(min=1, help="Calls in flight per model.")] = 64,
    timeout: o.Timeout = 300,
    prices: Annotated[Path | None, typer.Option(help="Prices, as for `run`.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of replies that runs share.")] = None,
    budget: o.BudgetUsd = None,
    max_calls: o.MaxCalls = 0,
) -> None:
    """Rate a model's answers beside the teacher's, 0 to 10 each: 10 · Σ model / Σ teacher, for each skill."""
    with told("What is done is kept: give the same command again."):
        from agentinstruct.bench.score import Scoring
        from agentinstruct.bench.score import score as examine
        from agentinstruct.cli.run import run_loop

        scoring = Scoring(
            bench=folder,
            out=out or folder.parent / f"{folder.name}-{_named(model)}",
            model=model,
            judge=judge,
            limit=limit,
            max_tokens=max_tokens,
            max_concurrency=max_concurrency,
            endpoints=o.make_endpoints(base_url, timeout),
            prices=prices,
            cache=cache,
            budget=budget,
            max_calls=max_calls,
        )
        try:
            done = run_loop(examine(scoring, _watch))
        except KeyboardInterrupt:
            typer.echo(f"Stopped. What is done is kept in {scoring.out}: give the same command again.", err=True)
            raise typer.Exit(130) from None
    _show(done, scoring.out)


def _show(done: "Scored", out: Path) -> None:
    from agentinstruct.bench.results import table

    typer.echo(table(done.scores))
    for note, count in done.notes.most_common():
        typer.echo(f"{count} answers: {note}")
    if done.first_place >= _PARTIAL:
        favour = f"{done.first_place:.1f} points higher"
        typer.echo(
            f"The examiner rates what comes first {favour}. Both orders even that out; a stronger --judge has less."
        )
    typer.echo(f"in {out}: scores.json, scores.svg, examined.jsonl")
    if done.waiting:
        typer.echo(f"{done.waiting} items wait ({done.trouble}). To go on, give the same command again.", err=True)
        raise typer.Exit(1)


def _named(model: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in model)


def _watch(done: int, total: int) -> None:
    """Progress on a terminal, one line that is written over; nothing elsewhere."""
    if sys.stderr.isatty():
        typer.echo(f"\r{done} of {total} items ", nl=done == total, err=True)
