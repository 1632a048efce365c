"""Seeds in object storage: whatever fsspec has a driver for, by URL (s3://, gs://, az://, hf://, memory://, …).

An object is copied to a nameless temporary file and read from there, so that every reader works, one at a time.
"""

import shutil
from collections.abc import Iterator
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from agentinstruct.agents.errors import SeedError
from agentinstruct.seeds.document import Skipped, Unusable
from agentinstruct.seeds.formats import format_of, is_aside


def is_url(path: str) -> bool:
    """Whether a path names something in object storage."""
    return "://" in path


def expand(url: str) -> Iterator[tuple[str, bool] | Skipped]:
    """What a URL stands for: an object, all below a folder, or what matches a pattern; sorted.

    Raises:
        SeedError: there is nothing, it may not be read, or the storage's driver is not installed.
    """
    system, root = opened(url)
    try:
        if system.isfile(root):
            yield url, True
            return
        pattern = any(sign in root for sign in "*?[")
        names = sorted(name for name in (system.glob(root) if pattern else system.find(root)) if system.isfile(name))
    except OSError as error:
        raise SeedError(f"{url}: {error.strerror or error}") from error
    if not names:
        raise SeedError(f"{url}: no such object or folder, and as a pattern it matches nothing.")
    for name in names:
        yield _judge(system.unstrip_protocol(name), PurePosixPath(name).name)


def _judge(url: str, name: str) -> tuple[str, bool] | Skipped:
    if name.startswith(".") or is_aside(name):
        return Skipped(url, "not material", "tells about its folder; name the object to read it")
    if format_of(url) is None:
        return Skipped(url, "unknown format", "not a suffix that is read")
    return url, False


def opened(url: str) -> tuple[Any, str]:
    """The storage of a URL, and the path in it.

    Raises:
        SeedError: there is none, or its driver is not installed.
    """
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise SeedError(
            f"{url}: {error}. Object storage needs `pip install 'agentinstruct[remote]'` and its driver, such as s3fs."
        ) from error
    return system, root


def fetched(url: str) -> BinaryIO:
    """An object as a file of this machine, which is gone when it is closed.

    Raises:
        Unusable: it cannot be read.
    """
    system, root = opened(url)
    file = TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        with system.open(root, "rb") as source:
            shutil.copyfileobj(source, file, 1 << 20)
    except OSError as error:
        file.close()
        raise Unusable("unreadable", error.strerror or str(error)) from error
    file.seek(0)
    return file
