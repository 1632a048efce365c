"""Files that appear under their names only when they are whole: lines, and Parquet in shards."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.dataset.parquet import ParquetSplit

SHARD_ROWS = 100_000
"""Rows of a Parquet file; a split with more has several."""


def partial(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(f".{path.name}.partial")


_APPEARING = ".files.partial"


def note(folder: Path, name: str) -> None:
    """Keep the name of a file before it appears in a folder, so that it is known there if the export is killed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / _APPEARING).open("a", encoding="utf-8") as names:
        names.write(f"{name}\n")
        names.flush()
        os.fsync(names.fileno())


def noted(folder: Path) -> list[str]:
    """The files that exports which did not end have written, or were about to write."""
    with suppress(FileNotFoundError):
        return (folder / _APPEARING).read_text(encoding="utf-8").splitlines()
    return []


def forget(folder: Path) -> None:
    """The export has ended: its manifest has the names."""
    (folder / _APPEARING).unlink(missing_ok=True)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside the path; when the block ends well it is synced and takes the path's place."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = partial(path)
    temporary.unlink(missing_ok=True)  # of an export that was killed
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    found = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest()


class Sinks:
    """The files of a dataset, each begun when its first row comes; `written` holds those that are whole."""

    def __init__(self, folder: Path, files: ExitStack, shard_rows: int = SHARD_ROWS) -> None:
        self.written: list[str] = []
        """Their names, from the dataset's folder; complete when the stack is closed."""
        self._folder = folder
        self._files = files
        self._shard_rows = shard_rows
        self._open: dict[str, Any] = {}

    def line(self, name: str, row: Any) -> None:
        """Add a row to a file of JSON lines."""
        if name not in self._open:
            self._named(self._folder / name)
            path = self._files.enter_context(replacing(self._folder / name))
            self._open[name] = self._files.enter_context(path.open("wb"))
        self._open[name].write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))

    def parquet(self, name: str, lines: str, *, with_tools: bool) -> None:
        """Write a file of lines that has all its rows as Parquet, too, under a name that has no ending yet.

        One file after the other, so that memory does not grow with how many there are.
        """
        self._open[lines].flush()
        shards = self._files.enter_context(_shards(self._folder / name, self._shard_rows, with_tools, self._named))
        with partial(self._folder / lines).open("rb") as rows:
            for row in rows:
                shards.write(row)
        shards.close()

    def _named(self, path: Path) -> None:
        self.written.append(path.relative_to(self._folder).as_posix())
        note(self._folder, self.written[-1])


class _Shards:
    """One split's Parquet files, the last of them being written."""

    def __init__(self, path: Path, most: int, with_tools: bool) -> None:
        self._path, self._most, self._with_tools = path, most, with_tools
        self.parts: list[Path] = []
        self._writer: ParquetSplit | None = None
        self._rows = 0

    def write(self, line: bytes) -> None:
        """Add a record as its line in the dataset has it."""
        if self._writer is None or self._rows == self._most:
            self.close()
            self.parts.append(partial(self._path.with_name(f"{self._path.name}.{len(self.parts)}")))
            flagged = "flags" in orjson.loads(line)
            self._writer = ParquetSplit(self.parts[-1], with_tools=self._with_tools, with_flags=flagged)
            self._rows = 0
        self._writer.write(line)
        self._rows += 1

    def close(self, *, whole: bool = True) -> None:
        """End the file that is being written."""
        if self._writer is not None:
            self._writer.close(whole=whole)
            self._writer = None

    def names(self) -> list[Path]:
        """What the files are called: by the split, and where there are several by their places."""
        if len(self.parts) == 1:
            return [self._path.with_name(f"{self._path.name}.parquet")]
        total = len(self.parts)
        return [self._path.with_name(f"{self._path.name}-{place:05d}-of-{total:05d}.parquet") for place in range(total)]


@contextmanager
def _shards(path: Path, most: int, with_tools: bool, tell: Any) -> Iterator[_Shards]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*.partial"):  # of an export that was killed
        left.unlink(missing_ok=True)
    shards = _Shards(path, most, with_tools)
    try:
        yield shards
        shards.close()
        for temporary, name in zip(shards.parts, shards.names(), strict=True):
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            tell(name)
            temporary.replace(name)
    finally:
        shards.close(whole=False)
        for temporary in shards.parts:
            temporary.unlink(missing_ok=True)
