"""Finds files and opens them, trusting neither names nor kinds.

Folders are walked in sorted order without following any link; only regular files are ever opened, so that a FIFO
cannot hang the run and a device cannot act.
"""

# ruff: noqa: PTH100, PTH112, PTH116, PTH118, PTH206
# Plain strings: a walk may meet millions of files, and a Path each would cost more than all else.

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import BinaryIO

from agentinstruct.agents.errors import SeedError
from agentinstruct.seeds.document import Skipped, Unusable
from agentinstruct.seeds.formats import format_of, is_aside
from agentinstruct.seeds.once import Once
from agentinstruct.seeds.remote import expand, fetched, is_url

_LEFT_OUT = frozenset(
    {"node_modules", "__pycache__", "site-packages", "venv", "virtualenv", "bower_components", "LICENSES"}
)
_MAGIC = re.compile(r"[*?\[]")
_MAX_DEPTH = 100


def find_files(paths: Sequence[str]) -> Iterator[tuple[str, bool] | Skipped]:
    """Each file once, as (path, whether it was asked for by name), in the order of `paths`, sorted within each.

    Raises:
        SeedError: a path does not exist, a pattern matches nothing, or there is no file at all. All but the last
            are found before the first file is given.
    """
    if not paths:
        raise SeedError("No seeds: name at least one file, folder or pattern.")
    for path in paths:
        if is_url(path):
            next(expand(path))  # raises where there is nothing
        elif not os.path.lexists(path) and not any(_matches(path)):
            raise SeedError(f"{path}: no such file or folder, and as a pattern it matches nothing.")
    return _once(paths)


def _once(paths: Sequence[str]) -> Iterator[tuple[str, bool] | Skipped]:
    seen, any_found = Once(), False
    for found in (item for path in paths for item in _expand(path)):
        name = found.source if isinstance(found, Skipped) else found[0]
        any_found = True
        if seen.add(blake2b(os.fsencode(os.path.abspath(name)), digest_size=8).digest()):
            yield found
    if not any_found:
        raise SeedError(f"{', '.join(paths)}: no files in there. Hidden folders and environments are not read.")


def _expand(path: str) -> Iterator[tuple[str, bool] | Skipped]:
    if is_url(path):
        yield from expand(path)
        return
    for match in [path] if os.path.lexists(path) else _matches(path):
        if os.path.isdir(match):
            # A pattern with ** names the files below by itself.
            if match == path or "**" not in path:
                yield from _walk(match)
        else:
            yield match, True


def _matches(pattern: str) -> Iterator[str]:
    """Paths that match a shell pattern, sorted; `**` stands for any folders, and follows no links."""
    if not _MAGIC.search(pattern):
        return iter(())
    root, *parts = pattern.split(os.sep)
    if root:
        root, parts = "", [root, *parts]
    else:
        root = os.sep
    return _match(root, [part for part in parts if part])


def _match(folder: str, parts: list[str], depth: int = 0) -> Iterator[str]:
    if not parts:
        yield folder
        return
    head, rest = parts[0], parts[1:]
    if not _MAGIC.search(head):
        path = os.path.join(folder, head)
        if os.path.lexists(path):
            yield from _match(path, rest, depth)
        return
    if head == "**":
        yield from _match(folder, rest or ["*"], depth)
    for entry in _entries(folder):
        if head == "**" and _is_open_folder(entry) and depth < _MAX_DEPTH:
            yield from _match(entry.path, parts, depth + 1)
        elif head != "**" and fnmatchcase(entry.name, head) and (head.startswith(".") or entry.name[0] != "."):
            yield from _match(entry.path, rest, depth)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder or ".") as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
    return found


def _is_open_folder(entry: os.DirEntry[str]) -> bool:
    """Whether a walk enters: not a link, not hidden, no installed packages."""
    if entry.name.startswith(".") or entry.name in _LEFT_OUT or not entry.is_dir(follow_symlinks=False):
        return False
    return not os.path.lexists(os.path.join(entry.path, "pyvenv.cfg"))


def _walk(folder: str) -> Iterator[tuple[str, bool] | Skipped]:
    """What lies in a folder, depth first; a stack of its own, so that no nesting exhausts the interpreter's."""
    stack: list[Iterator[os.DirEntry[str] | Skipped]] = [_listed(folder)]
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
        elif isinstance(item, Skipped):
            yield item
        elif _is_open_folder(item):
            stack.append(_listed(item.path))
        elif not item.name.startswith(".") and not item.is_dir(follow_symlinks=False):
            yield _judge(item)


def _listed(folder: str) -> Iterator[os.DirEntry[str] | Skipped]:
    try:
        with os.scandir(folder) as entries:
            return iter(sorted(entries, key=lambda entry: entry.name))
    except OSError as error:
        return iter([Skipped(folder, "unreadable", error.strerror or str(error))])


def _judge(entry: os.DirEntry[str]) -> tuple[str, bool] | Skipped:
    if entry.is_symlink():
        return Skipped(entry.path, "link", "links inside a folder are not followed; name the file to read it")
    if is_aside(entry.name):
        return Skipped(entry.path, "not material", "tells about its folder; name the file to read it")
    if format_of(entry.path) is None:
        return Skipped(entry.path, "unknown format", "not a suffix that is read")
    return entry.path, False


def open_file(path: str, follow: bool) -> BinaryIO:
    """A regular file opened for reading, or an object of a URL; `follow` allows it to be reached through a link.

    Raises:
        Unusable: it is something else, has gone, or may not be read.
    """
    if is_url(path):
        return fetched(path)
    try:
        if not stat.S_ISREG(os.stat(path, follow_symlinks=follow).st_mode):
            raise Unusable("not a file", "a device, pipe, socket or link is never opened")
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise Unusable("unreadable", getattr(error, "strerror", None) or str(error)) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unusable("not a file", "it was exchanged while being opened")
    return os.fdopen(descriptor, "rb")


def shown(paths: Iterable[str]) -> str:
    """Names for a message, at most ten of them."""
    names = list(paths)
    return ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
