"""`agentinstruct`, the command: each of its own commands is a module beside this one."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from agentinstruct.cli.bench import bench
from agentinstruct.cli.cache import cache
from agentinstruct.cli.check import check
from agentinstruct.cli.clean import clean
from agentinstruct.cli.draw import draw
from agentinstruct.cli.estimate import estimate
from agentinstruct.cli.experiment import experiment
from agentinstruct.cli.export import export
from agentinstruct.cli.fetch import fetch
from agentinstruct.cli.preview import preview
from agentinstruct.cli.push import push
from agentinstruct.cli.report import report
from agentinstruct.cli.run import run
from agentinstruct.cli.server_key import server_key
from agentinstruct.cli.skills import skills
from agentinstruct.cli.status import status
from agentinstruct.cli.view import view

app = typer.Typer(
    name="agentinstruct",
    help="Documents and code in; a verified, diverse, challenging instruction dataset out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS = (
    *(run, status, view, report, estimate, preview, check, draw, skills),
    *(export, clean, push, experiment, cache, fetch, server_key),
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(bench, name="bench")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"agentinstruct {version('agentinstruct')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None: ...


def main() -> None:
    """The console script."""
    app(sys.argv[1:], prog_name="agentinstruct")


if __name__ == "__main__":
    main()
