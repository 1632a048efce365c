"""`agentinstruct cache`: what is in a call cache, and making it smaller."""

import re
import time
from pathlib import Path
from typing import Annotated

import typer

from agentinstruct.cli.errors import told

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_DAY = 86_400


def cache(
    folder: Annotated[Path, typer.Argument(help="The folder that `--cache` named.")],
    older_than: Annotated[float | None, typer.Option(min=0, help="Take out what was bought more days ago.")] = None,
    max_size: Annotated[str, typer.Option(help="Then take out the oldest until it is no larger: 500MB, 2GB.")] = "",
) -> None:
    """Show how much a call cache holds, and prune it; runs may use it meanwhile."""
    with told():
        from agentinstruct.run.cachefile import contents, prune

        limit = parsed_size(max_size)
        if older_than is not None or limit is not None:
            before = 0.0 if older_than is None else time.time() - older_than * _DAY
            typer.echo(f"{prune(folder, before=before, max_bytes=limit):,} replies taken out")
        held = contents(folder)
    dates = f", bought {_day(held.oldest)} to {_day(held.newest)}" if held.entries else ""
    typer.echo(f"{held.entries:,} replies, {shown_size(held.size)}{dates}")


def parsed_size(text: str) -> int | None:
    """Bytes of a size such as 500MB; None when nothing was given.

    Raises:
        SetupError: it is not a size.
    """
    from agentinstruct.agents.errors import SetupError

    if not text:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().casefold())
    if not match:
        raise SetupError(f"--max-size {text}: give a size such as 500MB or 2GB.")
    return int(float(match[1]) * _UNITS[match[2]])


def shown_size(size: float) -> str:
    """Bytes in words."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
