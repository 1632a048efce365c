"""`agentinstruct export`: the dataset of a run, written again from its journal."""

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from agentinstruct.cli.cleaning import plan, show
from agentinstruct.cli.errors import told, writing
from agentinstruct.cli.options import with_options_of


@with_options_of(plan)
def export(
    run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")],
    to: Annotated[Path | None, typer.Option("--to", help="Where to; else the run folder.")] = None,
    **options: Any,
) -> None:
    """Write the dataset of everything a run has finished so far, cleaned if you ask for it."""
    with told():
        from agentinstruct.dataset.clean import clean
        from agentinstruct.dataset.export import CleanRows
        from agentinstruct.dataset.export import export as write
        from agentinstruct.run.journal import Journal
        from agentinstruct.run.target import chosen, read_target

        journal = Journal.read(run)
        with ExitStack() as stack, writing(to or run, "--to"):
            stack.enter_context(journal)
            how = replace(plan(**options), name=journal.manifest.run)
            cleaned = None if how.empty else stack.enter_context(clean(journal.records, how))
            rows = CleanRows(journal, cleaned) if cleaned else journal
            done = write(chosen(rows, read_target(run)), to or run, cleaned)
    for split, count in sorted(done.rows.items()):
        typer.echo(f"{count:8}  data/{split}.jsonl  parquet/{split}.parquet")
    typer.echo(f"{done.dropped:8}  dropped.jsonl")
    if cleaned:
        show(cleaned)
    typer.echo(f"in {done.folder}")
