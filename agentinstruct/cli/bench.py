"""`agentinstruct bench`: build a held-out set, and score any model on it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentinstruct.cli import options as o
from agentinstruct.cli.errors import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentinstruct.bench.beside import Beside
    from agentinstruct.bench.score import Scored

_PARTIAL = 1.0
"""From how many points on a liking for the first place is told."""
_BLIND = 3.0
"""From how many on it says more than the answers do."""
_EVENED = "Both orders even that out; a stronger --judge has less."
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
    model: Annotated[
        list[str], typer.Option("--model", "-m", help="A model to score: local · openai:NAME · …; repeatable.")
    ],
    judge: Annotated[str, typer.Option("--judge", help="The model that rates: a strong one, not the one scored.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where to: a folder a model in it; the same one resumes.")
    ] = None,
    base_url: o.BaseUrls = None,
    limit: Annotated[int, typer.Option(min=0, help="Items of each set, for a first look; 0: all.")] = 0,
    max_tokens: Annotated[int, typer.Option(min=16, help="Longest answer.")] = 2048,
    max_concurrency: Annotated[int, typer.Option(min=1, help="Calls in flight per model.")] = 64,
    timeout: o.Timeout = 300,
    prices: Annotated[Path | None, typer.Option(help="Prices, as for `run`.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of replies that runs share.")] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="USD that each model's scoring may cost in all.")] = None,
    max_calls: Annotated[int, typer.Option(min=0, help="Calls that each may take in all; 0: no limit.")] = 0,
) -> None:
    """Rate models' answers beside the teacher's, 0 to 10 each: 10 · Σ model / Σ teacher, for each skill."""
    waiting = 0
    with told("What is done is kept.", "the same command"):
        from agentinstruct.bench.beside import beside
        from agentinstruct.bench.score import Scoring
        from agentinstruct.bench.score import score as examine
        from agentinstruct.cli.run import run_loop

        names = list(dict.fromkeys(model))
        scores = out or folder.parent / f"{folder.name}-scores"
        try:
            for name in names:
                scoring = Scoring(
                    bench=folder,
                    out=scores / _named(name),
                    model=name,
                    judge=judge,
                    limit=limit,
                    max_tokens=max_tokens,
                    max_concurrency=max_concurrency,
                    endpoints=o.make_endpoints(base_url, timeout, [*names, judge]),
                    prices=prices,
                    cache=cache,
                    budget=budget,
                    max_calls=max_calls,
                )
                waiting += _told(name, run_loop(examine(scoring, _watch(name))))
        except KeyboardInterrupt:
            typer.echo(f"Stopped. What is done is kept in {scores}: give the same command again.", err=True)
            raise typer.Exit(130) from None
        _show(beside(scores, names), scores)
    if waiting:
        raise typer.Exit(1)


def _told(name: str, done: "Scored") -> int:
    """Say what was remarkable about one model's scoring; how many of its items wait."""
    from agentinstruct.report.words import counted

    for note, count in done.notes.most_common():
        typer.echo(f"{name}: {counted(count, 'answer')}: {note}")
    if done.first_place >= _PARTIAL:
        weight = "It hardly reads them: trust no score of this --judge." if done.first_place >= _BLIND else _EVENED
        typer.echo(f"{name}: the examiner rates what comes first {done.first_place:.1f} points higher. {weight}")
    if done.waiting:
        trouble = f" ({done.trouble})" if done.trouble else ""
        typer.echo(
            f"{name}: {counted(done.waiting, 'item')} left{trouble}. To go on, give the same command again.", err=True
        )
    return done.waiting


def _show(found: "Beside", out: Path) -> None:
    from agentinstruct.bench.shown import table

    if found.models:
        typer.echo(table(found.models))
    base = next(iter(found.models), "")
    for name, gain in found.gains.items():
        if gain.value is not None:
            around = "" if gain.low is None or gain.high is None else f" ({gain.low:+.2f} to {gain.high:+.2f})"
            typer.echo(f"{name} over {base}: {gain.value:+.2f}{around}, item by item on {gain.of}")
    if found.most > found.shared and len(found.models) > 1:
        typer.echo(f"These are the {found.shared} items that all have rated answers to; some have up to {found.most}.")
    if found.alone:
        typer.echo(
            f"Not beside these, since the bench or the examiner was another, or the items: {', '.join(found.alone)}"
        )
    for path in found.rest:
        typer.echo(
            f"{path}: left out, since it is not what this version tells of a model. Delete its folder, or score again.",
            err=True,
        )
    typer.echo(f"in {out}: scores.json, scores.svg; of each model in a folder of its own: examined.jsonl")


def _named(model: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in model)


def _watch(name: str) -> "Callable[[int, int], None]":
    """Progress on a terminal, one line that is written over; nothing elsewhere."""

    def told_of(done: int, total: int) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{name}: {done} of {total} items ", nl=done == total, err=True)

    return told_of
