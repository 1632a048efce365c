"""How failures reach a person: one sentence on stderr that says what to do, and an exit status."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from agentinstruct.agents.errors import MISNAMED, AgentInstructError, ProviderError, RunError, SetupError

USAGE, UNAVAILABLE, FAILED, BUSY = 2, 69, 1, 75


@contextmanager
def told(kept: str = "", resume: str = "") -> Iterator[None]:
    """Show foreseen failures without a traceback; anything else is a bug and keeps its own.

    Args:
        kept: What is not lost where a model failed.
        resume: The command that then goes on.
    """
    try:
        yield
    except AgentInstructError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        if kept and isinstance(error, ProviderError):
            way = "With the name put right, this goes on in the same folder" if MISNAMED in str(error) else "To resume"
            typer.secho(f"{kept} {way}: {resume}", err=True)
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
