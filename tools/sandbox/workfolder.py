"""The folder that untrusted code wrote in: how full it is, what is worth keeping, and how to get rid of it.

Nothing here follows a link, opens what is not a regular file, or recurses: names and depth are the code's choice.
"""
# Names below descriptors, which pathlib does not know:
# ruff: noqa: PTH116, PTH208

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from agentinstruct.tools.sandbox.results import Artifact, Limits

MAX_ARTIFACTS = 64
MAX_DEPTH = 48
# Windows has none of these, and no descriptors of folders: there `collect_below` and `remove` go by path
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def overfull_filesystem(root: int, limits: Limits) -> bool:
    """Whether a tmpfs of the job's own, open as `root`, holds too many files; its size is bounded by itself."""
    usage = os.fstatvfs(root)
    return usage.f_files - usage.f_ffree > limits.files + 8


def overfull_folder(root: Path, pid: int, limits: Limits) -> bool:
    """Whether files below `root`, and those that `pid` removed but keeps open, are too many or too large.

    What cannot be looked into, or lies too deep to, counts as too much: it would hide the rest.
    """
    size, count = _kept_open(pid), 0
    pending = [(str(root), 0)]
    while pending:
        folder, depth = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    count += 1
                    size += _size(entry)
                    if count > limits.files + 8 or size > limits.disk_mb << 20:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, depth + 1))
        except FileNotFoundError:
            continue
        except OSError:
            return True
        if depth > MAX_DEPTH:
            return True
    return False


def _size(entry: os.DirEntry[str]) -> int:
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return 0
    return getattr(found, "st_blocks", -(-found.st_size // 512)) * 512


def _kept_open(pid: int) -> int:
    """Bytes in files without a name; 0 where /proc does not show them to us."""
    size = 0
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            found = os.stat(f"/proc/{pid}/fd/{name}")
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                size += found.st_blocks * 512
    except OSError:
        return size
    return size


def collect(root: int, given: Mapping[str, bytes], limits: Limits) -> tuple[tuple[Artifact, ...], bool]:
    """Regular files below `work`, without those that were given and have not changed; whether some were left out."""
    try:
        work = os.open("work", _FOLDER, dir_fd=root)
    except OSError:
        return (), False
    try:
        return _kept(_regular_files(work, limits), given, limits)
    finally:
        os.close(work)


def collect_below(work: Path, given: Mapping[str, bytes], limits: Limits) -> tuple[tuple[Artifact, ...], bool]:
    """As `collect`, by path: for a folder of ours, when nobody is left who could change what a path means."""
    return _kept(_files_below(work, limits), given, limits)


def _kept(
    files: Iterator[tuple[str, int]], given: Mapping[str, bytes], limits: Limits
) -> tuple[tuple[Artifact, ...], bool]:
    found: list[Artifact] = []
    room = limits.output_bytes
    for name, descriptor in files:
        data = _read(descriptor, room)
        if data is None or len(found) == MAX_ARTIFACTS:
            return tuple(found), True
        if given.get(name) != data:
            found.append(Artifact(name, data))
            room -= len(data)
    return tuple(found), False


def _files_below(work: Path, limits: Limits) -> Iterator[tuple[str, int]]:
    """Names in order, with a descriptor that the caller closes; no link is followed."""
    pending, seen = [""], 0
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(work / folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            seen += 1
            path = f"{folder}/{entry.name}" if folder else entry.name
            if seen > limits.files:
                return
            if not entry.name.isprintable():
                continue
            if entry.is_dir(follow_symlinks=False) and path.count("/") < MAX_DEPTH:
                pending.append(path)
            elif entry.is_file(follow_symlinks=False):
                yield path, os.open(entry.path, _READ)


def _regular_files(work: int, limits: Limits) -> Iterator[tuple[str, int]]:
    """Names in order, with a descriptor that the caller closes; the process that made them is dead by now."""
    pending, seen = [""], 0
    while pending:
        folder = pending.pop()
        for name, kind in _entries(work, folder):
            seen += 1
            path = f"{folder}/{name}" if folder else name
            if seen > limits.files:
                return
            if stat.S_ISDIR(kind) and path.count("/") < MAX_DEPTH:
                pending.append(path)
            elif stat.S_ISREG(kind):
                try:
                    yield path, os.open(path, _READ, dir_fd=work)
                except OSError:
                    continue


def _entries(work: int, folder: str) -> list[tuple[str, int]]:
    """Names that are UTF-8, and what they are; nothing where the folder may not be read."""
    try:
        descriptor = os.open(folder or ".", _FOLDER, dir_fd=work)
    except OSError:
        return []
    try:
        names = sorted(name for name in os.listdir(descriptor) if name.isprintable())
        return [(name, os.lstat(name, dir_fd=descriptor).st_mode) for name in names]
    except OSError:
        return []
    finally:
        os.close(descriptor)


def _read(descriptor: int, room: int) -> bytes | None:
    """All of a file, or None where it is larger than the room left or no regular file after all."""
    with os.fdopen(descriptor, "rb") as stream:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode) or about.st_size > room:
            return None
        return stream.read(room)


def remove(root: Path) -> None:
    """Remove a tree of any depth and any mode, with two descriptors: folders move up to the top before they go."""
    if os.open not in os.supports_dir_fd:
        shutil.rmtree(root)
        return
    top = os.open(root, _FOLDER)
    try:
        moved = 0
        while names := os.listdir(top):
            for name in names:
                if not stat.S_ISDIR(os.lstat(name, dir_fd=top).st_mode):
                    os.unlink(name, dir_fd=top)
                    continue
                moved = _lift(top, name, moved)
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    root.rmdir()


def _lift(top: int, name: str, moved: int) -> int:
    """Empty a folder: its files are removed, its folders become the top's under numbers of our own."""
    os.chmod(name, 0o700, dir_fd=top)
    folder = os.open(name, _FOLDER, dir_fd=top)
    try:
        for inner in os.listdir(folder):
            if stat.S_ISDIR(os.lstat(inner, dir_fd=folder).st_mode):
                os.chmod(inner, 0o700, dir_fd=folder)  # to move a folder is to write its `..`
                moved += 1
                os.rename(inner, f".{os.getpid()}-{moved}", src_dir_fd=folder, dst_dir_fd=top)
            else:
                os.unlink(inner, dir_fd=folder)
    finally:
        os.close(folder)
    return moved
