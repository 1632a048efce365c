"""`agentinstruct server-key`: a key for a user of the server."""

from typing import Annotated

import typer

from agentinstruct.cli.errors import told


def server_key(user: Annotated[str, typer.Argument(help="The user's name.")]) -> None:
    """Make a key for a user of the server; the server is given only the line with its hash."""
    with told():
        from agentinstruct.server.keys import VARIABLE, new_key

        key, line = new_key(user)
    typer.echo(f"key, shown once:  {key}", err=True)
    typer.echo(f"for {VARIABLE}, or a line of the file that it names:", err=True)
    typer.echo(line)
