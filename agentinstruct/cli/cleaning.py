"""The options that say how a dataset is cleaned, shared by `export` and `clean`."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from agentinstruct.agents.errors import SetupError
from agentinstruct.cli import options as o

if TYPE_CHECKING:
    from agentinstruct.dataset.clean import Cleaned, Plan
    from agentinstruct.dataset.dedup_rows import On
    from agentinstruct.dataset.hands import Hands

_ON = ("record", "prompt", "response")


def plan(
    dedup: Annotated[bool, typer.Option("--dedup", help="Take away exact and near duplicates.")] = False,
    similarity: Annotated[
        float,
        typer.Option(min=0.7, max=1, help="Overlap of words, three at a time, from which two are near duplicates."),
    ] = 0.8,
    on: Annotated[
        str, typer.Option(help="What must be alike: record (prompt and response) · prompt · response.")
    ] = "record",
    against: Annotated[
        list[Path] | None, typer.Option(help="An earlier dataset, whose records are duplicates here; repeatable.")
    ] = None,
    index: Annotated[
        Path | None, typer.Option(help="File that keeps what was compared, for datasets to come; it holds no text.")
    ] = None,
    decontaminate: Annotated[
        list[str] | None,
        typer.Option(help="A benchmark to keep out: [NAME=]FILE, or [NAME=]hub:REPO[:CONFIG][@SPLIT]; repeatable."),
    ] = None,
    flags: Annotated[
        str,
        typer.Option(
            help="Look for defects; keep: name them in `flags`; drop: take rows away, but not for toxicity, "
            "disclaimer or boilerplate alone; drop:all: for these, too; drop:NAME,…: for those named."
        ),
    ] = "",
    embeddings: Annotated[
        str, typer.Option(help="Find duplicates and benchmark items by meaning too: local · openai:NAME · hash · none.")
    ] = "none",
    workers: Annotated[
        int,
        typer.Option(min=0, max=4096, help="Processes that look at the rows; 0: this one alone, on Ray one per CPU."),
    ] = 0,
    engine: o.Engine = "local",
    address: o.Address = "",
) -> "Plan":
    """What is to be done."""
    from agentinstruct.dataset.clean import Plan

    if on not in _ON:
        raise SetupError(f"--on {on}: write {', '.join(_ON)}.")
    dedup = dedup or bool(against or index)
    if embeddings != "none" and not (dedup or decontaminate):
        raise SetupError(f"--embeddings {embeddings}: add --dedup or --decontaminate, which use them.")
    return Plan(
        dedup=dedup,
        similarity=similarity,
        on=cast("On", on),
        against=tuple(against or ()),
        index=index,
        benchmarks=tuple(decontaminate or ()),
        flags=flags,
        embed=_embed(embeddings),
        embedder=embeddings,
        hands=_hands(workers, engine, address),
    )


def _hands(workers: int, engine: str, address: str) -> "Callable[[], AbstractContextManager[Hands]]":
    from agentinstruct.cli.run import choice
    from agentinstruct.dataset.hands import Processes, here
    from agentinstruct.run.engine import check_address

    engine = choice("--engine", engine, "local", "ray")
    check_address(engine, address)
    if engine == "local":
        return lambda: nullcontext(Processes(workers) if workers > 1 else here)

    def cluster() -> "AbstractContextManager[Hands]":
        from agentinstruct.run.ray_hands import cluster

        return cluster(address, workers)

    return cluster


def _embed(spec: str) -> Callable[[list[str]], list[list[float]]] | None:
    if spec == "none":
        return None
    from agentinstruct.tools.embeddings import EmbeddingsError, embeddings
    from agentinstruct.tools.weights import WeightsError

    try:
        return embeddings(spec).embed_documents
    except (EmbeddingsError, WeightsError) as problem:
        raise SetupError(f"--embeddings {spec}: {problem}") from problem


def show(cleaned: "Cleaned") -> None:
    """What came of it, in a few lines."""
    stats: dict[str, Any] = cleaned.stats
    typer.echo(f"{stats['rows']:8,}  rows, of which {stats['kept']:,} stay")
    details = {
        "duplicate": stats.get("dedup", {}).get("removed", {}),
        "contaminated": stats.get("decontaminate", {}).get("hit", {}),
        "flagged": {},
    }
    for reason, count in stats["removed"].items():
        typer.echo(f"{-count:8,}  {reason}{_listed(details[reason])}")
    if "flags" in stats:
        typer.echo(f"{stats['flags']['flagged']:8,}  rows with flags{_listed(stats['flags']['flags'])}")
        staying = {name: n for name, n in stats["flags"]["flags"].items() if name not in stats["flags"]["drops"]}
        if staying and stats["flags"]["drops"]:
            typer.echo(f"          these alone take no row away{_listed(staying)} (--flags drop:all)")
        for name, package in stats["flags"]["not_looked_for"].items():
            typer.echo(f"          {name} was not looked for: pip install {package}", err=True)


def _listed(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return f": {', '.join(f'{name} {count:,}' for name, count in ordered)}" if counts else ""
