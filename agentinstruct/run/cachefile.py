"""The file of a call cache: opened or made, measured, pruned."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import open_file, refuse_network, storage_error, subfolder
from agentinstruct.run.ledger import connect

CACHE = "calls.sqlite"
_LAYOUT = 1
_SCHEMA = """
PRAGMA auto_vacuum = INCREMENTAL;
PRAGMA journal_mode = WAL;
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS calls(key BLOB PRIMARY KEY, made INTEGER NOT NULL, frame BLOB NOT NULL);
PRAGMA user_version = {layout};
COMMIT;
"""


def open_cache(folder: Path, *, new: bool = True) -> sqlite3.Connection:
    """A connection to the cache in a folder. Raises `RunError` when there is none, or none can be made."""
    path = folder / CACHE
    refuse_network(folder, option="--cache")
    try:
        if new:
            _prepare(folder)
        if not path.exists():
            raise RunError(f"{folder}: no call cache here (no {CACHE}). Give the folder that `--cache` named.")
        connection = connect(str(path))
        return _checked(connection, path)
    except OSError as problem:
        raise storage_error(Path(problem.filename or folder), problem, option="--cache") from problem
    except sqlite3.Error as problem:
        raise RunError(
            f"{path}: cannot be used ({problem}). If it is damaged, delete it: it is only a cache."
        ) from problem


def _prepare(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    subfolder(folder)
    foreign = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith(CACHE))
    if foreign and not (folder / CACHE).exists():
        raise RunError(f"{folder}: not empty and no call cache (it holds {foreign[0]!r}). Choose another --cache.")
    os.close(open_file(folder / CACHE, os.O_RDWR | os.O_CREAT, "--cache"))  # SQLite would follow a symlink


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    try:
        layout = connection.execute("PRAGMA user_version").fetchone()[0]
        if not layout:  # new, or its maker was killed
            connection.executescript(_SCHEMA.replace("{layout}", str(_LAYOUT)))
            layout = _LAYOUT
    except sqlite3.Error:
        connection.close()
        raise
    if layout != _LAYOUT:
        connection.close()
        raise RunError(f"{path}: of another version of agentinstruct (layout {layout}). Choose another --cache.")
    return connection


def size_of(folder: Path) -> int:
    """Bytes that the cache takes on the disk."""
    return sum(path.stat().st_size for path in folder.glob(f"{CACHE}*"))


@dataclass(frozen=True, slots=True)
class Contents:
    """What a cache holds."""

    entries: int
    size: int
    oldest: float
    newest: float
    """Seconds since 1970; 0 when it is empty."""


def contents(folder: Path) -> Contents:
    """How much is in a cache. Raises `RunError`."""
    with closing(open_cache(folder, new=False)) as cache:
        entries, oldest, newest = cache.execute("SELECT count(*), min(made), max(made) FROM calls").fetchone()
    return Contents(entries, size_of(folder), oldest or 0, newest or 0)


_TOO_OLD = "DELETE FROM calls WHERE made < ?"
_TOO_MUCH = """
DELETE FROM calls WHERE rowid IN (
    SELECT rowid FROM (SELECT rowid, sum(length(frame)) OVER (ORDER BY made DESC, rowid DESC) AS held FROM calls)
    WHERE held > ?
)
"""


def prune(folder: Path, *, before: float = 0, max_bytes: int | None = None) -> int:
    """Take out what was bought before a time, then the oldest until the rest fits; gives how many went.

    Runs may use the cache meanwhile. Raises `RunError`.
    """
    with closing(open_cache(folder, new=False)) as cache:
        try:
            gone = cache.execute(_TOO_OLD, (before,)).rowcount
            _shrink(cache)
            if max_bytes is not None and (size := size_of(folder)) > max_bytes:
                held = cache.execute("SELECT total(length(frame)) FROM calls").fetchone()[0]
                gone += cache.execute(_TOO_MUCH, (held * max_bytes / size * 0.95,)).rowcount
                _shrink(cache)
        except sqlite3.Error as problem:
            raise RunError(
                f"{folder / CACHE}: cannot be pruned ({problem}). Try again when no run uses it."
            ) from problem
    return gone


def _shrink(cache: sqlite3.Connection) -> None:
    # A script: `execute` would take only the first step of it, and free one page.
    cache.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")
