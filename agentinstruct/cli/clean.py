"""`agentinstruct clean`: any instruction dataset without duplicates, benchmark items and defects."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from agentinstruct.agents.errors import SetupError
from agentinstruct.cli.cleaning import plan, show
from agentinstruct.cli.errors import told, writing
from agentinstruct.cli.options import with_options_of


@with_options_of(plan)
def clean(
    data: Annotated[
        Path, typer.Argument(help="A dataset folder, or a .jsonl, .jsonl.gz, .jsonl.zst or .parquet file.")
    ],
    to: Annotated[Path, typer.Option("--out", "--to", help="Folder for the clean dataset and removed.jsonl.")],
    **options: Any,
) -> None:
    """Clean a dataset of any origin: take away duplicates, benchmark items and rows with defects, and say which."""
    with told():
        from agentinstruct.dataset.clean_files import clean_files

        chosen = plan(**options)
        if chosen.empty:
            raise SetupError("nothing to do: give --dedup, --decontaminate FILE or --flags keep|drop.")
        with writing(to, "--out"):
            cleaned = clean_files(data, to, replace(chosen, name=str(data.resolve())))
    show(cleaned)
    typer.echo(f"in {to}; what went, and why: {to / 'removed.jsonl'}")
