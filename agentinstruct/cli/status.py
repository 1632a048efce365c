"""`agentinstruct status`: how a run goes, from another terminal, whether it works, has ended or was killed."""

import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentinstruct.cli.errors import told

if TYPE_CHECKING:
    from agentinstruct.run.observe import View

PAUSE_S = 1.0


def status(
    run: Annotated[Path, typer.Argument(help="A run folder: of a run that works, has ended or was killed.")],
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object, for programs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again every second, until the run ends.")] = False,
) -> None:
    """Say how a run goes: speed, yield, cost, what it waits for. Reads only; the run notices nothing."""
    from agentinstruct.cli.standing import show
    from agentinstruct.run.observe import observe

    logging.getLogger("agentinstruct").addHandler(logging.NullHandler())  # what it would warn of, the view tells
    with told():
        view = observe(run)
        if as_json:
            import orjson

            typer.echo(orjson.dumps(view.as_json(), option=orjson.OPT_INDENT_2).decode())
        elif watch and sys.stdout.isatty():
            _watch(run, view)
        else:
            show(view)


def _watch(run: Path, view: "View") -> None:
    """The view in place, until nobody runs it any more; Ctrl-C leaves it as it stands."""
    from rich.live import Live

    from agentinstruct.cli.standing import fitted, make_console, standing
    from agentinstruct.run.observe import observe

    console = make_console()
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        console.show_cursor(True)  # nobody could bring it back after a kill
        try:
            while True:
                live.update(fitted(view, console) if view.owner else standing(view), refresh=True)
                if view.owner is None:
                    return
                time.sleep(PAUSE_S)
                view = observe(run)
        except KeyboardInterrupt:
            return
