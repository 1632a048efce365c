"""How failures reach a person: one sentence on stderr that says what to do, and an exit status."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from agentinstruct.agents.errors import AgentInstructError, ProviderError, RunError, SetupError

USAGE, UNAVAILABLE, FAILED, BUSY = 2, 69, 1, 75


@contextmanager
def told(hint: str = "") -> Iterator[None]:
    """Show foreseen failures without a traceback; anything else is a bug and keeps its own."""
    try:
        yield
    except AgentInstructError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        if hint and isinstance(error, ProviderError):
            typer.secho(hint, err=True)
        raise typer.Exit(_status(error)) from error


def _status(error: AgentInstructError) -> int:
    if isinstance(error, ProviderError):
        return UNAVAILABLE
    if isinstance(error, RunError) and "in use" in str(error):
        return BUSY
    return USAGE if isinstance(error, SetupError) else FAILED


@contextmanager
def writing(folder: Path, option: str) -> Iterator[None]:
    """Turn what the operating system refuses inside this block into words that name the option to change."""
    try:
        yield
    except OSError as error:
        raise SetupError(f"{option} {folder}: {error.strerror or error}. Choose another folder.") from error
