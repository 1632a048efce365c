"""`agentinstruct report`: all that can be measured of a run, on one page or as JSON."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentinstruct.cli.errors import told, writing

if TYPE_CHECKING:
    from agentinstruct.dataset.measure import Embed
    from agentinstruct.tools.prices import Price


def report(
    run: Annotated[Path, typer.Argument(help="A run folder: of a run that works, has ended or was killed.")],
    out: Annotated[Path | None, typer.Option("--out", help="The page; else report.html in the run folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as one JSON object on standard output.")] = False,
    embeddings: Annotated[str, typer.Option(help="What embeds sampled instructions: local · openai:NAME · hash.")] = "",
    prices: Annotated[
        Path | None, typer.Option(help='JSON: {"models": {NAME: [in, cached, out]}} in USD per million.')
    ] = None,
) -> None:
    """Measure a run and write it up as one HTML page that loads nothing from anywhere."""
    logging.getLogger("agentinstruct").addHandler(logging.NullHandler())  # what it would warn of, the page tells
    with told():
        table, (spec, embed) = _prices(prices), embeddings_of(embeddings)
        from agentinstruct.report.gather import gather

        found = gather(run, embed, spec, table)
        if as_json:
            from agentinstruct.report.figures import as_json as write

            sys.stdout.buffer.write(write(found))
            return
        from agentinstruct.dataset.writing import replacing
        from agentinstruct.report.page import page

        path = out or run / "report.html"
        with writing(path, "--out"), replacing(path) as temporary:
            temporary.write_text(page(found), encoding="utf-8")
    typer.echo(f"{path}  ({path.stat().st_size / 1e6:.1f} MB)")


def embeddings_of(spec: str) -> "tuple[str, Embed]":
    """What makes unit vectors of texts, with its name; the embedded model where it is ready, else hashes."""
    from agentinstruct.agents.errors import SetupError
    from agentinstruct.tools.embeddings import embeddings, local_ready

    spec = spec or ("local" if local_ready() else "hash")
    try:
        embedder = embeddings(spec)
    except ValueError as error:
        raise SetupError(f"--embeddings {spec}: {error}") from error

    def embed(texts: list[str]) -> list[list[float]]:
        try:
            return embedder.embed_documents(texts)
        except ValueError as error:
            raise SetupError(f"--embeddings {spec}: {error}") from error

    return spec, embed


def _prices(path: Path | None) -> "dict[str, Price]":
    from agentinstruct.agents.errors import SetupError
    from agentinstruct.tools.prices import PricesError, price_table

    try:
        return price_table(path)
    except PricesError as error:
        raise SetupError(f"--prices {error}") from error
