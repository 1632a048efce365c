"""A dataset in object storage: a copy of what was exported, its manifest last, so that one found there is whole.

    names, old and new ─→ begun ─ old manifest away ─ files ─ old files away ─ manifest ─ begun away

Names that were noted in `begun` by an upload that did not end are known to the next one.
"""

import json
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from agentinstruct.agents.errors import SeedError, SetupError
from agentinstruct.seeds.remote import opened

_MANIFEST, _BEGUN = "manifest.json", "manifest.json.begun"


def upload(folder: Path, url: str) -> None:
    """Copy the files of an exported dataset to a URL of fsspec's (s3://bucket/name).

    Raises:
        SetupError: the storage has no driver here, or takes nothing.
    """
    try:
        system, root = opened(url)
    except SeedError as error:
        raise SetupError(f"--out {error}") from error
    try:
        _replace(system, root, folder)
    except OSError as error:
        raise SetupError(f"--out {url}: {error.strerror or error}. What is in {folder} is whole.") from error


def _replace(system: Any, root: str, folder: Path) -> None:
    names = list(json.loads((folder / _MANIFEST).read_bytes())["files"])
    old = _old(system, f"{root}/{_MANIFEST}") | _old(system, f"{root}/{_BEGUN}")
    system.makedirs(root, exist_ok=True)
    system.pipe_file(f"{root}/{_BEGUN}", json.dumps({"files": sorted(old.union(names))}).encode())
    _remove(system, f"{root}/{_MANIFEST}")
    for name in names:
        system.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
        system.put_file(str(folder / name), f"{root}/{name}")
    for name in sorted(old.difference(names)):
        _remove(system, f"{root}/{name}")
    system.put_file(str(folder / _MANIFEST), f"{root}/{_MANIFEST}")
    _remove(system, f"{root}/{_BEGUN}")


def _old(system: Any, path: str) -> set[str]:
    """The files that a dataset there has or may have; none outside its folder, whatever is written there."""
    with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
        names = map(PurePosixPath, json.loads(system.cat_file(path))["files"])
        return {str(name) for name in names if not name.is_absolute() and ".." not in name.parts}
    return set()


def _remove(system: Any, path: str) -> None:
    with suppress(FileNotFoundError):
        system.rm_file(path)
