"""`agentinstruct push`: an exported dataset to the Hugging Face Hub."""

from pathlib import Path
from typing import Annotated

import typer

from agentinstruct.cli.errors import told


def push(
    folder: Annotated[Path, typer.Argument(help="An exported dataset: a run folder, or where `export --out` wrote.")],
    repository: Annotated[str, typer.Argument(help="The dataset's name on the Hub: NAME or OWNER/NAME.")],
    public: Annotated[bool, typer.Option("--public", help="A new repository that anybody can read.")] = False,
) -> None:
    """Upload a dataset to the Hugging Face Hub, private unless you say otherwise; the same command again goes on."""
    with told():
        from agentinstruct.dataset.push import push as upload

        done = upload(folder, repository, private=not public, told=_warn)
    who = "private" if done.private else "public"
    typer.echo(f"{done.files} files, {done.bytes / 1e6:,.1f} MB\n{done.url} ({who})")


def _warn(text: str) -> None:
    typer.secho(f"note: {text}", fg="yellow", err=True)
