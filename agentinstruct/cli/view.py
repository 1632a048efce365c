"""`agentinstruct view`: a run's records and drops in a browser on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from agentinstruct.cli.errors import told


def view(
    run: Annotated[Path, typer.Argument(help="A run folder: of a run that works, has ended or was killed.")],
    seeds: Annotated[
        list[str] | None, typer.Argument(help="The documents it was made from, to see each record's span.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 for a free one.")] = 0,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="Write your labels there as JSON lines (- for stdout), and end.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--no-browser", help="Open no browser; print the address.")] = False,
) -> None:
    """Look through a run's records and drops, with their lineage, and label them. Only this machine can see it."""
    with told():
        from agentinstruct.view import serve

        if labels:
            serve.write_labels(run, labels)
        else:
            serve.serve(run, seeds or [], port, browse=not quiet)
