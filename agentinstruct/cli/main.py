"""`agentinstruct`: run · status · estimate · preview · check · draw · skills · export · clean · cache · fetch."""

import sys

import typer

from agentinstruct.cli.cache import cache
from agentinstruct.cli.check import check
from agentinstruct.cli.clean import clean
from agentinstruct.cli.draw import draw
from agentinstruct.cli.estimate import estimate
from agentinstruct.cli.export import export
from agentinstruct.cli.fetch import fetch
from agentinstruct.cli.preview import preview
from agentinstruct.cli.run import run
from agentinstruct.cli.skills import skills
from agentinstruct.cli.status import status

app = typer.Typer(
    name="agentinstruct",
    help="Documents and code in; a verified, diverse, challenging instruction dataset out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (run, status, estimate, preview, check, draw, skills, export, clean, cache, fetch):
    app.command()(command)


def main() -> None:
    """The console script."""
    app(sys.argv[1:], prog_name="agentinstruct")


if __name__ == "__main__":
    main()
