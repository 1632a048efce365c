"""The folder that a dataset is written into: ours to write, and without what an earlier export left."""

from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.clean_files import CLEANING, REMOVED
from agentinstruct.dataset.leaks import LEAKS
from agentinstruct.dataset.options import ALL_FORMATS
from agentinstruct.dataset.stanzas import AXOLOTL, LLAMA_FACTORY
from agentinstruct.dataset.writing import partial

_KEYS = {"records", "dropped", "files"}
_OURS = {"data", "parquet", LLAMA_FACTORY, AXOLOTL, REMOVED, CLEANING, LEAKS, *ALL_FORMATS}
"""What an export may take away again of an earlier one."""


def claim(folder: Path, run: Path) -> None:
    """Refuse a folder that is not ours to write; mark a fresh one, so that a second try finds it ours."""
    if folder.resolve() == run.resolve():
        return
    begun = partial(folder / "manifest.json")
    if (folder / "run.json").exists():
        raise RunError(f"{folder}: the folder of another run. Choose another folder.")
    if begun.exists() or earlier(folder) is not None:
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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
