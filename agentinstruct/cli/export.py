"""`agentinstruct export`: the dataset of a run, written again from its journal."""

from pathlib import Path
from typing import Annotated

import typer

from agentinstruct.cli.errors import told, writing


def export(
    run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")],
    to: Annotated[str, typer.Option("--to", help="Where to: a folder, or a URL (s3://…); else the run folder.")] = "",
) -> None:
    """Write the dataset of everything a run has finished so far."""
    with told():
        from agentinstruct.dataset.export import export as write
        from agentinstruct.dataset.upload import upload
        from agentinstruct.run.journal import Journal
        from agentinstruct.run.target import chosen, read_target

        folder = run if not to or "://" in to else Path(to)
        journal = Journal.read(run)
        with journal, writing(folder, "--to"):
            done = write(chosen(journal, read_target(run)), folder)
        if "://" in to:
            upload(folder, to)
    for split, rows in sorted(done.rows.items()):
        typer.echo(f"{rows:8}  data/{split}.jsonl  parquet/{split}.parquet")
    typer.echo(f"{done.dropped:8}  dropped.jsonl\nin {to or done.folder}")
