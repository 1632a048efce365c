"""The folder that a dataset is written into: ours, for one export at a time, and without what an earlier one left."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging import INFO, WARNING
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.agents.events import tell
from agentinstruct.dataset.clean_files import CLEANING, REMOVED
from agentinstruct.dataset.leaks import LEAKS
from agentinstruct.dataset.options import ALL_FORMATS
from agentinstruct.dataset.stanzas import AXOLOTL, LLAMA_FACTORY
from agentinstruct.dataset.writing import partial

_KEYS = {"records", "dropped", "files"}
_OURS = {"data", "parquet", LLAMA_FACTORY, AXOLOTL, REMOVED, CLEANING, LEAKS, *ALL_FORMATS}
"""What an export may take away again of an earlier one."""
_LOOK_S = 0.1


@contextmanager
def alone(folder: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Make the folder, and keep other exports out of it: by a lock on the folder itself, which leaves no file there.

    Raises:
        RunError: another export is at work there, and still is after `wait_s` seconds.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(folder, handle, wait_s)
        yield
    finally:
        os.close(handle)


def _lock(folder: Path, handle: int, wait_s: float) -> None:
    end, told = time.monotonic() + wait_s, False
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            if time.monotonic() >= end:
                raise RunError(
                    f"{folder}: in use by another export, which writes its dataset there. "
                    "Wait for it to end and give the same command again, or choose another --out."
                ) from problem
        except OSError as problem:  # network file systems lock no folders, and a dataset may be written there
            return tell(WARNING, "folder not locked", folder=str(folder), error=str(problem))
        if not told:
            tell(INFO, "export waits for another", folder=str(folder))
            told = True
        time.sleep(_LOOK_S)


def claim(folder: Path, run: Path) -> None:
    """Refuse a folder that is not ours to write; mark a fresh one, so that a second try finds it ours."""
    if folder.resolve() == run.resolve():
        return
    begun = partial(folder / "manifest.json")
    if (folder / "run.json").exists():
        raise RunError(f"{folder}: the folder of another run. Choose another folder.")
    if begun.exists() or earlier(folder) is not None:
        return
    if foreign := sorted(entry.name for entry in folder.iterdir()):
        raise RunError(f"{folder}: not empty and no dataset of ours (it holds {foreign[0]!r}). Choose another folder.")
    begun.touch(mode=0o600)


def earlier(folder: Path) -> dict[str, Any] | None:
    """The manifest of the dataset that was exported here before, or None when there was none."""
    try:
        manifest = orjson.loads((folder / "manifest.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.keys() >= _KEYS else None


def remove_stale(folder: Path, before: list[str], written: set[str]) -> None:
    """Files of earlier exports here that this one does not have; files that are not ours stay."""
    for name in set(before) - written:
        top, *rest = Path(name).parts
        if top in _OURS and ".." not in rest:
            (folder / name).unlink(missing_ok=True)
