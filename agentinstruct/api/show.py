"""How a run goes, shown where the script's reader is: on a terminal, in a notebook, or to a function of the script."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from io import StringIO
from typing import Any

from agentinstruct.run.progress import Progress

INTERVAL_S = 0.5
Ticker = Callable[[Progress], None]


@asynccontextmanager
async def ticking(progress: Ticker | bool) -> AsyncIterator[Ticker]:
    """Show a run while the block lasts, twice a second and at its end; what comes out is told of it once."""
    live = _view() if progress is True and not _notebook() else nullcontext()
    with live as view:
        show = progress if callable(progress) else notebook_ticker() if progress and _notebook() else _nothing
        running: list[Progress] = []

        def watch(found: Progress) -> None:
            running.append(found)
            if view:
                view.watch(found)
            show(found)  # the first time: what is wrong with it shows before anything is paid

        ticks = asyncio.ensure_future(_tick(running, show))
        try:
            yield watch
        finally:
            if ticks.done():
                await ticks
            ticks.cancel()
            with suppress(asyncio.CancelledError):
                await ticks
            if running:
                show(running[0])


async def _tick(running: list[Progress], show: Ticker) -> None:
    while True:
        await asyncio.sleep(INTERVAL_S)
        if running:
            show(running[0])


def _nothing(progress: Progress) -> None:
    """Nobody asked."""


def _view() -> Any:
    from agentinstruct.cli.show import LiveProgress

    return LiveProgress()


def _notebook() -> bool:
    """Whether what is displayed goes to a notebook."""
    shell = sys.modules.get("IPython")
    return bool(shell and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell")


def notebook_ticker() -> Ticker:
    """Shows progress as HTML in the cell's output, replaced in place; no widgets are needed."""
    import IPython.display
    from rich.console import Console

    from agentinstruct.cli.show import LiveProgress

    shown: Any = IPython.display  # which has no types
    live, handle = LiveProgress(), shown.display(shown.HTML("starting …"), display_id=True)

    def show(progress: Progress) -> None:
        live.watch(progress)
        console = Console(file=StringIO(), record=True, width=110, force_jupyter=False)
        console.print(live.view())
        code = console.export_html(inline_styles=True, code_format="<pre>{code}</pre>")
        handle.update(shown.HTML(code))

    return show
