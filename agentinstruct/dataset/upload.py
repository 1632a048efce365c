"""A dataset in object storage: a copy of what was exported, its manifest last, so that one found there is whole."""

import json
from pathlib import Path

from agentinstruct.agents.errors import SetupError

_MANIFEST = "manifest.json"


def upload(folder: Path, url: str) -> None:
    """Copy the files of an exported dataset to a URL of fsspec's (s3://bucket/name).

    Raises:
        SetupError: the storage has no driver here, or takes nothing.
    """
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(url)
    except (ImportError, ValueError) as error:
        words = f"--to {url}: {error}. Object storage needs `pip install fsspec` and its driver, such as s3fs."
        raise SetupError(words) from error
    names = [*json.loads((folder / _MANIFEST).read_bytes())["files"], _MANIFEST]
    try:
        for name in names:
            system.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
            system.put_file(str(folder / name), f"{root}/{name}")
    except OSError as error:
        raise SetupError(f"--to {url}: {error.strerror or error}. What is in {folder} is whole.") from error
